import { isPersonal, plainLinks, signLinks } from '../render/splice.ts'
import type { CompiledTemplate } from '../templates/compiled.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import { signLink } from '../tokens/link.ts'
import type { TrackingMode } from './tracking-mode.ts'
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
  /** A snapshot of before they could be chosen has neither, which is `individual`. */
  track_opens: TrackingMode
  track_clicks: TrackingMode
  list: { id: number; name: string }
  campaign: { id: number; name: string }
}

/**
 * Takes the snapshot: every link is signed here, once per campaign, so that the redirect needs no look-up later. Only those
 * with variables in their address wait for the variables. Where clicks are not tracked, links are as their author wrote them.
 *
 * @throws {RangeError} for a link that is too long to be tracked
 */
export async function takeSnapshot(
  content: Omit<Snapshot, 'html' | 'text'>,
  compiled: CompiledTemplate,
  keys: SigningKeys,
): Promise<Snapshot> {
  const { links } = compiled
  const { campaign, tracking_url, utm, track_clicks } = content
  const shared = links.filter((link) => !isPersonal(link))
  const tracked = track_clicks === 'none' ? [] : shared
  const plain = track_clicks === 'none' ? shared : []
  const halves = new Map(
    await Promise.all(
      tracked.map(async ({ n, url }) => [n, await signLink(keys, campaign.id, n, withUtm(url, utm))] as const),
    ),
  )
  const fill = (part: 'html' | 'text') =>
    signLinks(plainLinks(compiled[part], plain, part), links, halves, tracking_url, part)
  return { ...content, html: fill('html'), text: fill('text') }
}
