import type { Mail } from '../providers/provider.ts'
import type { TemplatePerson } from '../render/data.ts'
import { renderForRecipient, type Signing } from '../render/recipient.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import { mailTokenAddress, signMailToken } from '../tokens/mail-token.ts'
import type { LoadedCampaign } from './campaign.ts'

/** What making a mail needs besides campaign and recipient. */
export interface Composing extends Signing {
  /** MAIL_DOMAIN: who writes to `unsubscribe+...` there leaves the list. Empty: only the link does. */
  mail_domain: string
}

/**
 * Makes one recipient's mail: rendered with their own data, with their own pixel, links and unsubscribe address.
 *
 * A test mail is made by this too and is the same in every header but its subject, so that what a filter or a mail tester
 * says of it holds for the campaign. None has Auto-Submitted (RFC 3834): that is for what a machine sends in answer to
 * something or by itself, and some programs file such mail away unread; people write campaigns and ask for tests.
 *
 * @param date - moment of this attempt
 * @param bounce_domain - the carrying account's, if it has one
 * @throws {RenderError} when the template cannot be rendered with this person's data
 */
export async function composeMail(
  campaign: LoadedCampaign,
  row: TemplatePerson & { subscriber_id: number },
  s: Composing,
  date: Date,
  bounce_domain: string | undefined,
): Promise<Mail> {
  const { id: campaign_id, snapshot } = campaign
  const { subscriber_id } = row
  const { sender, list } = snapshot
  const [{ unsubscribe_url, ...content }, unsubscribe_mail, envelope_from] = await Promise.all([
    renderForRecipient(campaign, row, s, true),
    s.mail_domain === '' ? null : signMailToken(s.signing_keys, 'unsubscribe-mail', campaign_id, subscriber_id),
    envelopeFrom(s.signing_keys, bounce_domain, { campaign_id, subscriber_id, from_email: sender.from_email }),
  ])
  const leave = [`<${unsubscribe_url}>`]
  if (unsubscribe_mail !== null) {
    const mailbox = mailTokenAddress('unsubscribe-mail', unsubscribe_mail, s.mail_domain)
    leave.push(`<mailto:${mailbox}?subject=unsubscribe>`)
  }
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
      // RFC 2369; RFC 8058 (one click by POST) wants one https link among them.
      ['List-Unsubscribe', leave.join(', ')],
      ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
      // RFC 2919: the same for every mail of the list.
      ['List-Id', `${list.name} <list-${list.id}.${domain}>`],
      ['Feedback-ID', `c${campaign_id}:l${list.id}:campaign:${senderId(domain)}`],
      ['Precedence', 'bulk'],
    ],
    envelope_from,
  }
}

/** The same for every attempt at the same recipient, so that a mail that did arrive twice is one mail to its reader. */
export function messageId(campaign_id: number, subscriber_id: number, domain: string): string {
  return `campaign-${campaign_id}.${subscriber_id}@${domain}`
}

/** Where a mail's bounces go: to an address that says which mail it was, else to whom it is from. */
export async function envelopeFrom(
  keys: SigningKeys,
  bounce_domain: string | undefined,
  { campaign_id, subscriber_id, from_email }: { campaign_id: number; subscriber_id: number; from_email: string },
): Promise<string> {
  if (bounce_domain === undefined) return from_email
  return mailTokenAddress('bounce', await signMailToken(keys, 'bounce', campaign_id, subscriber_id), bounce_domain)
}

/**
 * Gmail's SenderId: 5 to 15 characters, the same for all mails of a From domain. The fields before it are marked with
 * letters, since Gmail counts equal values together wherever they stand (support.google.com/mail/answer/6254652).
 */
function senderId(domain: string): string {
  const letters = domain.replace(/[^a-z0-9]/g, '')
  if (letters.length >= 5 && letters.length <= 15) return letters
  // FNV-1a, 32 bits: tells long domains with the same beginning apart.
  let hash = 0x811c9dc5
  for (let i = 0; i < domain.length; i++) hash = Math.imul(hash ^ domain.charCodeAt(i), 0x01000193)
  return letters.slice(0, 8) + (hash >>> 0).toString(36).padStart(7, '0')
}
