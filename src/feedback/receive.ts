// What services post to us: from bytes that anybody may have sent to news that is written down. An answer of 200 says that it
// is; 4xx that it never will be, 5xx that it should be sent again.
import type { KeyObject } from 'node:crypto'
import { isNestedTooDeep } from '../http/body.ts'
import { Problem } from '../http/problem.ts'
import { readUpTo } from '../http/read-up-to.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import type { FeedbackEvent } from './event.ts'
import { recordFeedback } from './record.ts'
import { sendGridEvent } from './sendgrid.ts'
import { isSigned, readClaim } from './sendgrid-signature.ts'
import { sesNews } from './ses.ts'
import { verifySnsMessage } from './sns.ts'
import type { NoKey } from './sns-certificate.ts'
import { confirmSubscription } from './sns-confirm.ts'

/** How much of a post was written down; what was known already, or means nothing here, is not in it. */
export interface Received {
  recorded: number
}

type Needs = Pick<Services, 'db' | 'sns_topics' | 'sendgrid_keys' | 'now'>

/** Bytes. A message of SNS has at most 256 KB, and quotes in it are escaped on the way. */
const SNS_LIMIT = 524_288
/** Bytes. SendGrid gathers events for some seconds or up to some hundred KB. */
const SENDGRID_LIMIT = 5_000_000
/** Events per statement. */
const SLICE = 500

/**
 * A message of Amazon SNS with news of Amazon SES.
 *
 * @param keyAt - the key of the certificate at an address of SNS
 * @throws {Problem} also database errors, as they come
 */
export async function receiveSes(
  { db, sns_topics, now }: Needs,
  request: Request,
  keyAt: (url: string, now: number) => Promise<KeyObject | NoKey>,
): Promise<Received> {
  if (sns_topics.size === 0) throw notExpected('SNS_TOPICS')
  const body = parse(decode(await readBody(request, SNS_LIMIT)))
  const message = await verifySnsMessage(body, sns_topics, keyAt, now().getTime())
  const { TopicArn: topic, MessageId: message_id } = message
  if (message.Type === 'UnsubscribeConfirmation') {
    // Somebody ended the subscription. To undo that without being asked could go on for ever.
    log('sns_unsubscribed', { topic })
    return { recorded: 0 }
  }
  if (message.Type === 'SubscriptionConfirmation') {
    await confirmSubscription(message.SubscribeURL, sns_topics.get(topic) ?? '', topic)
    log('sns_subscribed', { topic })
    return { recorded: 0 }
  }
  const { events, type } = sesNews(message.Message, message_id)
  if (type === 'other') log('ses_event_unknown', { topic, message_id })
  return record(db, events)
}

/**
 * A post of SendGrid's Event Webhook.
 *
 * @throws {Problem} also database errors, as they come
 */
export async function receiveSendGrid({ db, sendgrid_keys, now }: Needs, request: Request): Promise<Received> {
  if (sendgrid_keys.length === 0) throw notExpected('SENDGRID_WEBHOOK_KEYS')
  const claim = readClaim(request.headers, now().getTime())
  if (!claim) {
    throw new Problem('webhook_refused', 'The signature or its timestamp is missing, malformed or out of date.')
  }
  const bytes = await readBody(request, SENDGRID_LIMIT)
  if (!isSigned(claim, bytes, sendgrid_keys)) throw new Problem('webhook_refused', 'The signature is not right.')
  const text = decode(bytes)
  if (isNestedTooDeep(text)) throw new Problem('malformed_json', 'The JSON is nested too deep.')
  const list = parse(text)
  if (!Array.isArray(list)) throw new Problem('webhook_refused', 'The body is not a list of events.')
  let recorded = 0
  let unknown = 0
  for (let i = 0; i < list.length; i += SLICE) {
    const read = await Promise.all(list.slice(i, i + SLICE).map(sendGridEvent))
    unknown += read.filter((event) => event === 'unknown').length
    recorded += (
      await record(
        db,
        read.filter((event) => typeof event !== 'string'),
      )
    ).recorded
  }
  if (unknown > 0) log('sendgrid_events_unknown', { events: list.length, unknown })
  return { recorded }
}

async function record(db: Services['db'], events: FeedbackEvent[]): Promise<Received> {
  if (events.length === 0) return { recorded: 0 }
  const { recorded, unmatched } = await recordFeedback(db, events)
  if (unmatched > 0) log('feedback_unmatched', { recorded, unmatched })
  return { recorded }
}

const notExpected = (variable: string) =>
  new Problem('not_found', `This webhook is off: ${variable} is not set. See docs/feedback.md.`)

async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const bytes = Number(request.headers.get('content-length') ?? 0) > limit ? null : await readUpTo(request.body, limit)
  if (!bytes) throw new Problem('body_too_large', `The body is over ${limit} bytes.`)
  return bytes
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw new Problem('malformed_json', 'The body is not UTF-8.')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem('malformed_json', 'The body is not JSON.')
  }
}
