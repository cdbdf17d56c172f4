// The recipient half of tracking URLs: who it was sent to, for which campaign, and for what it may be used.
//
//   version (1 byte) | key id (1 byte) | campaign (varint) | subscriber (varint) | MAC
//
// as base64url in URLs, as base32 in mail addresses (mail-token.ts). Version, key and ids are signed together with the purpose.
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { KeyState, SigningKeys } from './keys.ts'
import { mac, type Purpose, sameBytes } from './mac.ts'

export type RecipientPurpose = 'open' | 'click' | 'unsubscribe' | 'view' | 'preferences'

export interface Recipient {
  campaign_id: number
  subscriber_id: number
  /** The state of the key it was signed with: a `redirect-only` key's opens and clicks are not recorded. */
  state: KeyState
}

const VERSION = 1
/**
 * In bytes. A forged open or click only spoils a count; a forged unsubscribe takes somebody off a list, a forged view or preferences page
 * shows what is somebody's.
 */
const MAC_SIZES: Record<RecipientPurpose, number> = { open: 12, click: 12, unsubscribe: 16, view: 16, preferences: 16 }
/** The longest varint of a safe integer: 53 bits in groups of 7. */
const MAX_VARINT = 8
const MAX_TOKEN_BYTES = 2 + 2 * MAX_VARINT + 16

/** Signs who a mail goes to, for one purpose. Ids are positive integers. */
export async function signRecipient(
  keys: SigningKeys,
  purpose: RecipientPurpose,
  campaign_id: number,
  subscriber_id: number,
): Promise<string> {
  return encodeBase64url(await recipientBytes(keys, purpose, MAC_SIZES[purpose], campaign_id, subscriber_id))
}

/** @returns null for anything that `signRecipient` did not write with one of these keys for this purpose */
export async function verifyRecipient(
  keys: SigningKeys,
  purpose: RecipientPurpose,
  token: string,
): Promise<Recipient | null> {
  if (token.length > Math.ceil((MAX_TOKEN_BYTES * 4) / 3)) return null
  const bytes = decodeBase64url(token)
  return bytes && recipientOf(keys, purpose, MAC_SIZES[purpose], bytes)
}

/** The half before it is written as text. */
export async function recipientBytes(
  keys: SigningKeys,
  purpose: Purpose,
  mac_size: number,
  campaign_id: number,
  subscriber_id: number,
): Promise<Uint8Array> {
  const payload = Uint8Array.from([VERSION, keys.signing.id, ...varint(campaign_id), ...varint(subscriber_id)])
  const tag = await mac(keys.signing, purpose, payload, mac_size)
  const bytes = new Uint8Array(payload.length + tag.length)
  bytes.set(payload)
  bytes.set(tag, payload.length)
  return bytes
}

/** @returns null for anything that `recipientBytes` did not make with one of these keys, this purpose and this size */
export async function recipientOf(
  keys: SigningKeys,
  purpose: Purpose,
  mac_size: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Recipient | null> {
  if (bytes[0] !== VERSION) return null
  const key = keys.byId.get(bytes[1] ?? -1)
  if (!key) return null
  const campaign = readVarint(bytes, 2)
  const subscriber = campaign && readVarint(bytes, campaign.end)
  if (!subscriber || bytes.length !== subscriber.end + mac_size) return null
  const expected = await mac(key, purpose, bytes.subarray(0, subscriber.end), mac_size)
  if (!sameBytes(expected, bytes.subarray(subscriber.end))) return null
  return { campaign_id: campaign.value, subscriber_id: subscriber.value, state: key.state }
}

/** Seven bits a byte, lowest first; the high bit says that more follow. */
function varint(value: number): number[] {
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError('an id must be a positive safe integer')
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
  return bytes
}

/** @returns null when it is cut off, too long, zero, or written with more bytes than it needs */
function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } | null {
  let value = 0
  let scale = 1
  for (let at = start; at < start + MAX_VARINT; at++) {
    const byte = bytes[at]
    if (byte === undefined) return null
    value += (byte & 127) * scale
    if (byte < 128) return byte > 0 && Number.isSafeInteger(value) ? { value, end: at + 1 } : null
    scale *= 128
  }
  return null
}
