// SendGrid's events. Source: Twilio SendGrid, "Event Webhook Reference".
import { answerText } from '../providers/answer.ts'
import { type BounceKind, judgeBounce } from './bounce.ts'
import type { FeedbackEvent, FeedbackKind } from './event.ts'
import { addressOf, idOf, objectOf, textOf } from './untrusted.ts'

/** Told by SendGrid, and nothing to us: it took the mail, and what readers do is counted by ourselves. */
const IGNORED = new Set(['processed', 'open', 'click'])

/** What SendGrid calls a refusal, where the server's own words leave it open. */
const CLASSES = new Map<unknown, BounceKind>([
  ['Invalid Address', 'hard_bounce'],
  ['Reputation', 'blocked'],
  ['Content', 'blocked'],
  ['Frequency or Volume Too High', 'blocked'],
])

/**
 * Mails that SendGrid did not try to deliver. Addresses on its lists are there for an earlier mail, perhaps not one of ours:
 * a bounce stays one, but nobody complained about this mail or left this list.
 */
const DROPPED: [RegExp, BounceKind][] = [
  [/^bounced address/i, 'hard_bounce'],
  [/^(?:spam reporting|unsubscribed) address/i, 'soft_bounce'],
]

/**
 * One of SendGrid's events as ours.
 *
 * @returns `ignored` for what means nothing here, `unknown` for what is no event that we know
 */
export async function sendGridEvent(value: unknown): Promise<FeedbackEvent | 'ignored' | 'unknown'> {
  const fields = objectOf(value)
  const type = textOf(fields.event)
  if (type === null) return 'unknown'
  if (IGNORED.has(type)) return 'ignored'
  const words = textOf(fields.reason) ?? textOf(fields.response)
  const kind = kindOf(type, fields, words)
  if (!kind) return 'unknown'
  const raw = JSON.stringify(value)
  const recipient = addressOf(fields.email)
  return {
    event_id: `sendgrid:${await idOfEvent(fields.sg_event_id, raw)}`,
    source: 'sendgrid',
    kind,
    campaign_id: idOf(fields.campaign_id),
    subscriber_id: idOf(fields.subscriber_id),
    recipient,
    occurred_at: momentOf(fields.timestamp),
    diagnostic: words && answerText(words.slice(0, 2_000), recipient ?? ''),
    raw,
  }
}

function kindOf(type: string, fields: Record<string, unknown>, words: string | null): FeedbackKind | null {
  switch (type) {
    case 'delivered':
    case 'deferred':
      return type
    case 'spamreport':
      return 'complaint'
    case 'bounce':
      return bounceKind(fields, judgeBounce(words, textOf(fields.status)))
    case 'dropped':
      // What is left is about the account or the mail: over quota, a bad request, content.
      return DROPPED.find(([reason]) => reason.test(words ?? ''))?.[1] ?? judgeBounce(words, null) ?? 'blocked'
    default:
      return null
  }
}

function bounceKind(fields: Record<string, unknown>, judged: BounceKind | null): BounceKind {
  const by_class = CLASSES.get(fields.bounce_classification)
  // "blocked": for the message or its sender. SendGrid goes on mailing such addresses, so none is taken for dead here.
  if (fields.type === 'blocked') {
    const kind = judged ?? by_class ?? 'blocked'
    return kind === 'hard_bounce' ? 'soft_bounce' : kind
  }
  return judged ?? by_class ?? 'soft_bounce'
}

/** Seconds since 1970 as ISO 8601; nothing where they are no moment. */
function momentOf(seconds: unknown): string {
  const ms = typeof seconds === 'number' ? seconds * 1_000 : Number.NaN
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : ''
}

/** SendGrid's own id; where it gives none, one made of what it said. */
async function idOfEvent(given: unknown, raw: string): Promise<string> {
  if (typeof given === 'string' && /^[\x21-\x7e]{1,150}$/.test(given)) return given
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(raw))
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
