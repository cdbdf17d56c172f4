import { signLinks } from '../render/splice.ts'
import type { CompiledTemplate } from '../templates/compiled.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import { signLink } from '../tokens/link.ts'

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
  list: { id: number; name: string }
  campaign: { id: number; name: string }
}

/** Takes the snapshot: every link is signed here, once per campaign, so that the redirect needs no look-up later. */
export async function takeSnapshot(
  content: Omit<Snapshot, 'html' | 'text'>,
  compiled: CompiledTemplate,
  keys: SigningKeys,
): Promise<Snapshot> {
  const halves = new Map(
    await Promise.all(
      compiled.links.map(async ({ n, url }) => [n, await signLink(keys, content.campaign.id, n, url)] as const),
    ),
  )
  return {
    ...content,
    html: signLinks(compiled.html, halves, content.tracking_url),
    text: signLinks(compiled.text, halves, content.tracking_url),
  }
}
