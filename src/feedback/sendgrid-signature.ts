import { createPublicKey, type KeyObject, verify } from 'node:crypto'

/** Of SendGrid's Event Webhooks. */
export type SendGridKeys = readonly KeyObject[]

/** Each key costs a hash of the whole body: more than a few webhooks nobody has. */
const MOST_KEYS = 5
/** A point of P-256 with its algorithm (91 bytes), base64. */
const KEY = /^[A-Za-z0-9+/]{120,130}={0,2}$/
/** DER: two numbers of up to 33 bytes. */
const SIGNATURE = /^[A-Za-z0-9+/]{80,100}={0,2}$/
const SECONDS = /^[0-9]{9,11}$/

/**
 * How old a signed post may be, ms. SendGrid repeats a failed one for 24 hours and does not say whether it signs it anew:
 * with a window of minutes all news of an outage might be lost. What comes twice within it is known by its events' ids.
 */
const OLDEST = 25 * 3_600_000
/** How far SendGrid's clock may be ahead, ms. */
const AHEAD = 300_000

/**
 * Reads SENDGRID_WEBHOOK_KEYS: the verification keys of Event Webhooks as SendGrid shows them, separated by commas.
 *
 * @throws Error naming the entry that is no key
 */
export function parseSendGridKeys(text: string): SendGridKeys {
  const entries = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
  if (entries.length > MOST_KEYS) throw new Error(`SENDGRID_WEBHOOK_KEYS: at most ${MOST_KEYS} keys are read`)
  return entries.map((entry, i) => {
    const key = publicKey(entry)
    if (!key) throw new Error(`SENDGRID_WEBHOOK_KEYS, entry ${i + 1}: is not a verification key as SendGrid shows it`)
    return key
  })
}

function publicKey(base64: string): KeyObject | null {
  if (!KEY.test(base64)) return null
  try {
    const key = createPublicKey(`-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`)
    return key.asymmetricKeyType === 'ec' ? key : null
  } catch {
    return null
  }
}

/** What a post's headers say of its signature. */
export interface Claim {
  signature: Uint8Array
  timestamp: string
}

/**
 * What can be told before the body is read.
 *
 * @param now - ms since 1970
 * @returns null where the headers are missing, malformed or of another time
 */
export function readClaim(headers: Headers, now: number): Claim | null {
  const signature = headers.get('x-twilio-email-event-webhook-signature') ?? ''
  const timestamp = headers.get('x-twilio-email-event-webhook-timestamp') ?? ''
  if (!SIGNATURE.test(signature) || !SECONDS.test(timestamp)) return null
  const age = now - Number(timestamp) * 1_000
  if (age > OLDEST || age < -AHEAD) return null
  try {
    return { signature: Uint8Array.from(atob(signature), (char) => char.charCodeAt(0)), timestamp }
  } catch {
    return null
  }
}

/** Whether one of the keys signed this body: ECDSA with SHA-256 over the timestamp and the bytes as they came. */
export function isSigned({ signature, timestamp }: Claim, body: Uint8Array, keys: SendGridKeys): boolean {
  const head = new TextEncoder().encode(timestamp)
  const data = new Uint8Array(head.length + body.length)
  data.set(head)
  data.set(body, head.length)
  return keys.some((key) => {
    try {
      return verify('sha256', data, key, signature)
    } catch {
      // Not DER.
      return false
    }
  })
}
