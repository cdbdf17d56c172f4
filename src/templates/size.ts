import { takeSnapshot } from '../campaigns/snapshot.ts'
import { buildMessage } from '../mime/message.ts'
import { UnsendableMail } from '../providers/provider.ts'
import { RenderError } from '../render/errors.ts'
import { renderForRecipient, type Signing } from '../render/recipient.ts'
import { prepareContent, type Rendered } from '../render/render.ts'
import type { CompiledTemplate } from './compiled.ts'
import type { Reader } from './reader.ts'
import { SAMPLE_MAILING } from './sample.ts'

export interface Sending extends Signing {
  tracking_url: string
  public_url: string
  now: () => Date
}

/** Signed addresses name a campaign: no real one. Being long, it makes each some ten bytes longer than it may be. */
const NO_CAMPAIGN = Number.MAX_SAFE_INTEGER

/**
 * Bytes of a mail as it would be sent: tracked links are several times as long as their targets.
 *
 * @param mail - the same mail untracked: its subject, and what is measured when this person's data leads a link nowhere
 */
export async function sizeAsSent(
  s: Sending,
  compiled: CompiledTemplate,
  mail: Rendered,
  { person, list }: Reader,
): Promise<{ html: number; message: number }> {
  const { html, text } = (await tracked(s, compiled, person, list)) ?? mail
  const { sender } = SAMPLE_MAILING
  return { html: new TextEncoder().encode(html).length, message: messageSize() }

  function messageSize(): number {
    try {
      return buildMessage({
        campaign_id: 0,
        subscriber_id: person.subscriber_id,
        from: { email: sender.from_email, name: sender.from_name },
        to: { email: person.email, name: person.first_name },
        reply_to: null,
        subject: mail.subject,
        html,
        text,
        message_id: `campaign-0.${person.subscriber_id}@example.com`,
        date: s.now(),
        headers: [],
        envelope_from: sender.from_email,
      }).bytes.length
    } catch (error) {
      // Its address or subject cannot be sent; what it would have weighed is still its parts.
      if (!(error instanceof UnsendableMail)) throw error
      return new TextEncoder().encode(html + text).length
    }
  }
}

async function tracked(
  s: Sending,
  compiled: CompiledTemplate,
  person: Reader['person'],
  list: Reader['list'],
): Promise<Rendered | null> {
  try {
    const { tracking_url, public_url } = s
    const content = { template_id: 0, template_version: 0, subject: '', preheader: '', utm: null }
    const campaign = { ...SAMPLE_MAILING.campaign, id: NO_CAMPAIGN }
    const modes = { track_opens: 'individual', track_clicks: 'individual' } as const
    const mailing = { ...SAMPLE_MAILING, ...modes, campaign, list, tracking_url, public_url }
    const snapshot = await takeSnapshot({ ...content, ...mailing }, compiled, s.signing_keys)
    return await renderForRecipient({ snapshot, renderer: prepareContent(snapshot) }, person, s, true)
  } catch (error) {
    if (error instanceof RenderError || error instanceof RangeError) return null
    throw error
  }
}
