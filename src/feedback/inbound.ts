// Mail that Email Routing hands to emk-sender. What it may do is decided by the address that it came to, which we signed;
// nothing in the mail itself is believed to name anybody. No mail is ever answered with a mail: its sender may be forged.
import type { Database } from '../db/client.ts'
import { log } from '../log.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import { readMailTokenAddress, verifyMailToken } from '../tokens/mail-token.ts'
import { NOBODY } from '../tokens/nobody.ts'
import type { Recipient } from '../tokens/recipient.ts'
import type { UnsubscribeBuffer } from '../tracking/buffer.ts'
import { readReport } from './dsn.ts'
import { isNullSender, parseMail, readMail } from './dsn-mail.ts'
import type { FeedbackEvent } from './event.ts'
import { recordFeedback } from './record.ts'
import { unsubscribeByMail } from './unsubscribe-mail.ts'

/** What incoming mail needs; made in workers/sender.ts. */
export interface Receiver {
  db: Database
  signing_keys: SigningKeys
  /** Where an unsubscribe waits for cron. */
  unsubscribes: UnsubscribeBuffer
  now: () => Date
  uuid: () => string
}

/** The parts of a mail that came in that are used here. */
export interface InboundMail {
  /** Envelope sender; empty for notices. */
  readonly from: string
  /** Envelope recipient. */
  readonly to: string
  readonly headers: Headers
  readonly raw: ReadableStream<Uint8Array>
  /** Refuses the mail for good, in the SMTP session itself. */
  setReject(reason: string): void
}

/**
 * Takes one mail: a bounce at `b.<token>@`, an unsubscribe at `unsubscribe+<token>@`. Mail to anything else is refused.
 *
 * @throws only to have it delivered again: an error in a Worker becomes a temporary answer (4yz) to whoever sends
 */
export async function receiveMail(receiver: Receiver, mail: InboundMail): Promise<void> {
  const address = readMailTokenAddress(mail.to)
  if (!address) {
    log('mail_refused', { reason: 'no_such_address' })
    mail.setReject('This address takes no mail. To write to whoever sent you a mail, answer that mail.')
    return
  }
  const { purpose, token } = address
  const recipient = await verifyMailToken(receiver.signing_keys, purpose, token)
  if (purpose === 'unsubscribe-mail') return unsubscribeByMail(receiver, mail, recipient)
  // Of a key that is no longer trusted with events, either.
  if (recipient?.state === 'redirect-only' || !recipient) return log('bounce_dropped', { reason: 'forged' })
  if (recipient.subscriber_id === NOBODY) return log('bounce_dropped', { reason: 'test_mail' })
  await receiveBounce(receiver, mail, recipient)
}

async function receiveBounce(receiver: Receiver, mail: InboundMail, recipient: Recipient): Promise<void> {
  const { campaign_id, subscriber_id } = recipient
  const raw = await readMail(mail.raw)
  const parsed = await parseMail(raw)
  const report = parsed ? readReport(parsed, isNullSender(mail.from)) : ({ is: 'unclear' } as const)
  if (report.is !== 'report') {
    log('bounce_dropped', { reason: report.is, campaign_id, subscriber_id, bytes: raw.length })
    return
  }
  const event: FeedbackEvent = {
    event_id: await eventId(recipient, parsed?.header('message-id') ?? '', raw),
    source: 'mail',
    kind: report.kind,
    campaign_id,
    subscriber_id,
    // A notice may name an address that the subscriber's forwards to.
    recipient: null,
    occurred_at: receiver.now().toISOString(),
    diagnostic: report.diagnostic === null ? null : withoutAddresses(report.diagnostic),
    raw: decoder.decode(raw.subarray(0, RAW_LIMIT)),
  }
  const { recorded, unmatched } = await recordFeedback(receiver.db, [event], receiver.now())
  log('bounce_recorded', { kind: event.kind, campaign_id, subscriber_id, recorded, unmatched })
}

/** In bytes. */
const RAW_LIMIT = 32_000
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/**
 * The same for the same notice, however often it is delivered: whoever delivers it again puts other headers of the way
 * above it, so the hash is of Message-ID and body.
 */
async function eventId(
  { campaign_id, subscriber_id }: Recipient,
  message_id: string,
  raw: Uint8Array,
): Promise<string> {
  const head = encoder.encode(`${campaign_id}.${subscriber_id}\n${message_id}\n`)
  const body = raw.subarray(bodyStart(raw))
  const hashed = new Uint8Array(head.length + body.length)
  hashed.set(head)
  hashed.set(body, head.length)
  const hash = await crypto.subtle.digest('SHA-256', hashed)
  return `mail:${Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** After the first empty line; a mail without one is all body. */
function bodyStart(raw: Uint8Array): number {
  for (let at = raw.indexOf(10); at >= 0 && at < raw.length; at = raw.indexOf(10, at + 1)) {
    if (raw[at + 1] === 10) return at + 2
    if (raw[at + 1] === 13 && raw[at + 2] === 10) return at + 3
  }
  return 0
}

/** Which may be those of other people. Only what stands between spaces and brackets is looked at, so it takes one pass. */
const withoutAddresses = (text: string) =>
  text.slice(0, 4_000).replace(/[^\s<>()[\]"',;:]+/g, (word) => (word.includes('@') ? '…@…' : word))
