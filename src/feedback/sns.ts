// Messages of Amazon SNS over HTTPS: which of them are SNS's own, for a topic of ours. Source: Amazon SNS Developer Guide,
// "Verifying the signatures of Amazon SNS messages" and "Parsing Amazon SNS message formats".
import { type KeyObject, verify } from 'node:crypto'
import { Problem } from '../http/problem.ts'
import { isCertificateUrl, type NoKey } from './sns-certificate.ts'
import type { SnsTopics } from './sns-topics.ts'
import { objectOf } from './untrusted.ts'

export type SnsMessage = Verified &
  (
    | { Type: 'Notification'; Subject: string | null }
    | { Type: 'SubscriptionConfirmation' | 'UnsubscribeConfirmation'; SubscribeURL: string; Token: string }
  )

interface Verified {
  MessageId: string
  TopicArn: string
  Timestamp: string
  Message: string
}

/**
 * How old a message may be, ms. SNS itself repeats for an hour at most; what went to a dead-letter queue may be sent on by
 * hand for 14 days. Within that time a message that comes twice is known by its event's id (kept for 30 days) and changes
 * nothing, so no narrower window is needed; beyond it nobody would remember.
 */
const OLDEST = 15 * 86_400_000

// None of the signed fields but the message and its subject can hold a line break: the signed text has no other separator.
const ID = /^[A-Za-z0-9-]{1,100}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/
const TOKEN = /^[A-Za-z0-9]{1,1000}$/
const SIGNATURE = /^[A-Za-z0-9+/]{300,2000}={0,2}$/
const TYPES = ['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation'] as const

const refused = (detail: string) => new Problem('webhook_refused', detail)

/**
 * The message in a body, once it is sure that SNS sent it for a topic of ours. What costs nothing is checked first.
 *
 * @param keyAt - the key of the certificate at an address
 * @param now - ms since 1970
 * @throws {Problem} `webhook_refused` for what will never be right, `webhook_unverifiable` for what may be later
 */
export async function verifySnsMessage(
  body: unknown,
  topics: SnsTopics,
  keyAt: (url: string, now: number) => Promise<KeyObject | NoKey>,
  now: number,
): Promise<SnsMessage> {
  const fields = objectOf(body)
  const { TopicArn, SignatureVersion, SigningCertURL, Signature } = fields
  if (typeof TopicArn !== 'string') {
    throw refused('This is not a message of Amazon SNS. Raw message delivery must be off: it is not signed.')
  }
  const host = topics.get(TopicArn)
  if (host === undefined) throw refused('The topic is not among SNS_TOPICS.')
  if (SignatureVersion === '1') {
    throw refused(
      'Signature version 1 (SHA-1) is not accepted. Set it for the topic: aws sns set-topic-attributes --topic-arn <ARN> --attribute-name SignatureVersion --attribute-value 2',
    )
  }
  if (SignatureVersion !== '2') throw refused('The signature version is not 2.')
  if (typeof SigningCertURL !== 'string' || !isCertificateUrl(SigningCertURL, host)) {
    throw refused("The signing certificate is not at the address of the topic's region.")
  }
  if (typeof Signature !== 'string' || !SIGNATURE.test(Signature)) throw refused('The signature has no right form.')
  const message = messageOf(fields, TopicArn)
  if (!message) throw refused('A field of the message is missing or has no right form.')
  if (now - Date.parse(message.Timestamp) > OLDEST) throw refused('The message is too old.')

  const key = await keyAt(SigningCertURL, now)
  if (key === 'unreachable') {
    throw new Problem('webhook_unverifiable', 'The signing certificate cannot be fetched now. Send it again later.')
  }
  if (key === 'invalid') throw refused('The signing certificate is not valid.')
  if (!isSigned(message, Signature, key)) throw refused('The signature is not right.')
  return message
}

function messageOf(fields: Record<string, unknown>, TopicArn: string): SnsMessage | null {
  const { MessageId, Timestamp, Message, Subject = null, SubscribeURL, Token } = fields
  const Type = TYPES.find((type) => type === fields.Type)
  if (!Type || typeof MessageId !== 'string' || !ID.test(MessageId)) return null
  if (typeof Timestamp !== 'string' || !TIME.test(Timestamp) || Number.isNaN(Date.parse(Timestamp))) return null
  if (typeof Message !== 'string') return null
  const common = { MessageId, TopicArn, Timestamp, Message }
  if (Type === 'Notification') {
    return Subject === null || typeof Subject === 'string' ? { ...common, Type, Subject } : null
  }
  if (typeof SubscribeURL !== 'string' || !/^[!-~]{1,3000}$/.test(SubscribeURL)) return null
  if (typeof Token !== 'string' || !TOKEN.test(Token)) return null
  return { ...common, Type, SubscribeURL, Token }
}

function isSigned(message: SnsMessage, signature: string, key: KeyObject): boolean {
  const data = new TextEncoder().encode(stringToSign(message))
  try {
    return verify(
      'RSA-SHA256',
      data,
      key,
      Uint8Array.from(atob(signature), (char) => char.charCodeAt(0)),
    )
  } catch {
    return false
  }
}

/** Each signed field on a line of its own, its value on the next, in the order of their names. */
function stringToSign(message: SnsMessage): string {
  const { Message, MessageId, Timestamp, TopicArn, Type } = message
  const lines = ['Message', Message, 'MessageId', MessageId]
  if (message.Type !== 'Notification') lines.push('SubscribeURL', message.SubscribeURL)
  else if (message.Subject !== null) lines.push('Subject', message.Subject)
  lines.push('Timestamp', Timestamp)
  if (message.Type !== 'Notification') lines.push('Token', message.Token)
  lines.push('TopicArn', TopicArn, 'Type', Type)
  return `${lines.join('\n')}\n`
}
