import type { Mail } from '../providers/provider.ts'
import type { TemplatePerson } from '../render/data.ts'
import { renderForRecipient, type Signing } from '../render/recipient.ts'
import type { LoadedCampaign } from './campaign.ts'

/**
 * Makes one recipient's mail: rendered with their own data, with their own pixel, links and unsubscribe address.
 *
 * @param date - moment of this attempt
 * @throws {RenderError} when the template cannot be rendered with this person's data
 */
export async function composeMail(
  campaign: LoadedCampaign,
  row: TemplatePerson & { subscriber_id: number },
  signing: Signing,
  date: Date,
): Promise<Mail> {
  const { id: campaign_id, snapshot } = campaign
  const { subscriber_id } = row
  const { unsubscribe_url, ...content } = await renderForRecipient(campaign, row, signing, true)
  const { sender, list } = snapshot
  const domain = sender.from_email.slice(sender.from_email.lastIndexOf('@') + 1)
  const name = [row.first_name, row.last_name].filter(Boolean).join(' ')
  return {
    campaign_id,
    subscriber_id,
    from: { email: sender.from_email, name: sender.from_name },
    to: { email: row.email, name: name || null },
    reply_to: sender.reply_to,
    ...content,
    message_id: messageId(campaign_id, subscriber_id, domain),
    date,
    headers: [
      // RFC 2369, RFC 8058 (one click by POST), RFC 2919.
      ['List-Unsubscribe', `<${unsubscribe_url}>`],
      ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
      ['List-Id', `<list-${list.id}.${domain}>`],
      ['Precedence', 'bulk'],
    ],
    envelope_from: sender.from_email,
  }
}

/** The same for every attempt at the same recipient, so that a mail that did arrive twice is one mail to its reader. */
export function messageId(campaign_id: number, subscriber_id: number, domain: string): string {
  return `campaign-${campaign_id}.${subscriber_id}@${domain}`
}
