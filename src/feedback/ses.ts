// Amazon SES's events, as SNS brings them. Source: Amazon SES Developer Guide, "Contents of event data that Amazon SES
// publishes to Amazon SNS" (`eventType`) and "Amazon SNS notification contents" (`notificationType`).
import { answerText } from '../providers/answer.ts'
import { judgeBounce } from './bounce.ts'
import type { FeedbackEvent, FeedbackKind } from './event.ts'
import { addressOf, idOf, listOf, objectOf, textOf } from './untrusted.ts'

export interface SesNews {
  events: FeedbackEvent[]
  /** What it told, for the log; none of SES's own where it is no event at all. */
  type: SesType | 'other'
}

const TYPES = [
  'Bounce',
  'Complaint',
  'Delivery',
  'DeliveryDelay',
  'Reject',
  'Send',
  'Rendering Failure',
  'Open',
  'Click',
  'Subscription',
] as const
type SesType = (typeof TYPES)[number]

/** Recipients of one event: SES takes 50 a mail, and our mails have one. */
const RECIPIENTS = 50

/** What one event says of each of its recipients. */
interface Part {
  recipients: { address: unknown; kind: FeedbackKind; diagnostic: string | null }[]
  /** SES's id of the bounce or complaint. */
  id: unknown
  timestamp: unknown
}

/**
 * The news in a message of SES.
 *
 * @param text - the message of the SNS notification
 * @param sns_id - the notification's own id, the same whenever SNS repeats it
 */
export function sesNews(text: string, sns_id: string): SesNews {
  let event: Record<string, unknown>
  try {
    event = objectOf(JSON.parse(text))
  } catch {
    // SES says in plain words that a destination was set up.
    return { events: [], type: 'other' }
  }
  const told = event.eventType ?? event.notificationType
  const type = TYPES.find((known) => known === told) ?? 'other'
  const part = partOf(event, type)
  if (!part) return { events: [], type }
  const mail = objectOf(event.mail)
  const ids = idsOf(mail)
  const occurred_at = textOf(part.timestamp) ?? textOf(mail.timestamp) ?? ''
  const key = keyOf(part, mail) ?? sns_id
  const events = part.recipients.map(({ address, kind, diagnostic }, i): FeedbackEvent => {
    const recipient = addressOf(address)
    return {
      event_id: `ses:${kind}:${key}:${i}`,
      source: 'ses',
      kind,
      ...ids,
      recipient,
      occurred_at,
      diagnostic: diagnostic && answerText(diagnostic.slice(0, 2_000), recipient ?? ''),
      raw: text,
    }
  })
  return { events, type }
}

function partOf(event: Record<string, unknown>, type: SesNews['type']): Part | null {
  switch (type) {
    case 'Bounce': {
      const bounce = objectOf(event.bounce)
      return { recipients: recipientsOf(bounce.bouncedRecipients, (r) => bounced(bounce, r)), ...marksOf(bounce) }
    }
    case 'Complaint': {
      const complaint = objectOf(event.complaint)
      const said = complained(complaint)
      return said && { recipients: recipientsOf(complaint.complainedRecipients, () => said), ...marksOf(complaint) }
    }
    case 'Delivery': {
      const delivery = objectOf(event.delivery)
      const diagnostic = textOf(delivery.smtpResponse)
      const recipients = listOf(delivery.recipients, RECIPIENTS).map((address) => ({
        address,
        kind: 'delivered' as const,
        diagnostic,
      }))
      return { recipients, ...marksOf(delivery) }
    }
    case 'DeliveryDelay': {
      const delay = objectOf(event.deliveryDelay)
      const recipients = recipientsOf(delay.delayedRecipients, (r) => ({
        kind: 'deferred' as const,
        diagnostic: textOf(r.diagnosticCode) ?? textOf(delay.delayType),
      }))
      return { recipients, ...marksOf(delay) }
    }
    case 'Reject': {
      // A virus: SES took the mail and threw it away.
      const diagnostic = textOf(objectOf(event.reject).reason)
      const addresses = listOf(objectOf(event.mail).destination, RECIPIENTS)
      const recipients = addresses.map((address) => ({ address, kind: 'blocked' as const, diagnostic }))
      return { recipients, id: null, timestamp: null }
    }
    default:
      // `Send` says no more than the answer to the request did; opens and clicks are counted by ourselves.
      return null
  }
}

const marksOf = (part: Record<string, unknown>) => ({ id: part.feedbackId, timestamp: part.timestamp })

function recipientsOf(
  list: unknown,
  judge: (recipient: Record<string, unknown>) => Omit<Part['recipients'][number], 'address'>,
): Part['recipients'] {
  return listOf(list, RECIPIENTS).map((entry) => {
    const recipient = objectOf(entry)
    return { address: recipient.emailAddress, ...judge(recipient) }
  })
}

/** Permanent, but SES's own doing: it knows the address from before and did not try. Its words are no server's. */
const SUPPRESSED = new Set(['Suppressed', 'OnAccountSuppressionList'])
/** Transient to SES; refused for what the mail holds. */
const CONTENT = new Set(['ContentRejected', 'AttachmentRejected'])

function bounced(bounce: Record<string, unknown>, recipient: Record<string, unknown>) {
  const diagnostic = textOf(recipient.diagnosticCode)
  const subtype = textOf(bounce.bounceSubType) ?? ''
  const judged = judgeBounce(diagnostic, textOf(recipient.status))
  const said = diagnostic ?? (`${textOf(bounce.bounceType) ?? ''} ${subtype}`.trim() || null)
  return { kind: bounceKind(bounce.bounceType, subtype, judged), diagnostic: said }
}

function bounceKind(type: unknown, subtype: string, judged: ReturnType<typeof judgeBounce>) {
  if (type === 'Permanent') return SUPPRESSED.has(subtype) ? 'hard_bounce' : (judged ?? 'hard_bounce')
  if (CONTENT.has(subtype)) return 'blocked'
  // Never hard on SES's "Transient" and "Undetermined": it has seen the whole bounce.
  return judged === 'blocked' ? 'blocked' : 'soft_bounce'
}

/** Reports of mailbox providers that are no complaints (RFC 5965 7.3, RFC 6591, RFC 6430). */
const NO_COMPLAINT = new Set(['not-spam', 'auth-failure'])

function complained(complaint: Record<string, unknown>) {
  const feedback = textOf(complaint.complaintFeedbackType)
  if (feedback !== null && NO_COMPLAINT.has(feedback)) return null
  // Nobody complained about this mail: SES did not send it, for a complaint of some other day.
  if (complaint.complaintSubType === 'OnAccountSuppressionList') {
    return { kind: 'soft_bounce' as const, diagnostic: "on Amazon SES's suppression list for an earlier complaint" }
  }
  return { kind: 'complaint' as const, diagnostic: feedback }
}

/** Our ids: as tags where a configuration set publishes the event, in our own header where the identity notifies. */
function idsOf(mail: Record<string, unknown>): { campaign_id: number; subscriber_id: number } {
  const tags = objectOf(mail.tags)
  const [campaign] = listOf(tags.campaign_id, 1)
  const [subscriber] = listOf(tags.subscriber_id, 1)
  const tagged = { campaign_id: idOf(campaign), subscriber_id: idOf(subscriber) }
  if (tagged.campaign_id !== 0 && tagged.subscriber_id !== 0) return tagged
  for (const entry of listOf(mail.headers, 200)) {
    const { name, value } = objectOf(entry)
    if (typeof name !== 'string' || name.toLowerCase() !== 'x-emk' || typeof value !== 'string') continue
    const [first, second, ...more] = value.trim().split('.')
    if (more.length > 0) break
    const ids = { campaign_id: idOf(first), subscriber_id: idOf(second) }
    if (ids.campaign_id !== 0 && ids.subscriber_id !== 0) return ids
    break
  }
  return { campaign_id: 0, subscriber_id: 0 }
}

/** What is the same when two topics, or a topic and an identity's notification, tell the same news. */
function keyOf(part: Part, mail: Record<string, unknown>): string | null {
  const isKey = (value: unknown) => typeof value === 'string' && /^[\x21-\x7e]{1,100}$/.test(value)
  if (isKey(part.id)) return String(part.id)
  if (!isKey(mail.messageId)) return null
  if (part.timestamp === null) return String(mail.messageId)
  return isKey(part.timestamp) ? `${mail.messageId}@${part.timestamp}` : null
}
