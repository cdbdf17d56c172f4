import { isPersonal, signLinks } from '../render/splice.ts'
import type { CompiledTemplate } from '../templates/compiled.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import { signLink } from '../tokens/link.ts'
import { type Utm, withUtm } from './utm.ts'

/** What a campaign sends, fixed at its start: later changes of template or sender do not reach it. */
export interface Snapshot {
  template_id: number
  template_version: number
  subject: string
  preheader: string
  /** Handlebars source; besides the author's tags only the pixel and the recipient's half of each link are left to fill. */
  html: string
  text: string
  sender: {
    from_name: string
    from_email: string
    reply_to: string | null
    postal_address: string
    account: string | null
  }
  /** Where /t and /u answer, without a slash at the end. */
  tracking_url: string
  /** Where /v answers, without a slash at the end. */
  public_url: string
  utm: Utm | null
  list: { id: number; name: string }
  campaign: { id: number; name: string }
}

/**
 * Takes the snapshot: every link is signed here, once per campaign, so that the redirect needs no look-up later. Only those
 * with variables in their address wait for the variables.
 *
 * @throws {RangeError} for a link that is too long to be tracked
 */
export async function takeSnapshot(
  content: Omit<Snapshot, 'html' | 'text'>,
  compiled: CompiledTemplate,
  keys: SigningKeys,
): Promise<Snapshot> {
  const { links } = compiled
  const { campaign, tracking_url, utm } = content
  const halves = new Map(
    await Promise.all(
      links
        .filter((link) => !isPersonal(link))
        .map(async ({ n, url }) => [n, await signLink(keys, campaign.id, n, withUtm(url, utm))] as const),
    ),
  )
  return {
    ...content,
    html: signLinks(compiled.html, links, halves, tracking_url, 'html'),
    text: signLinks(compiled.text, links, halves, tracking_url, 'text'),
  }
}
