// What lets whoever holds it do one thing with one row of ours, until a moment that is written in it. It has the form of a
// recipient half, with that moment in the place of the subscriber.
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { SigningKeys } from './keys.ts'
import { recipientBytes, recipientOf } from './recipient.ts'

/** `report` opens a campaign's report, `confirm` settles a sign-up, the others give or erase a subscriber's own data. */
export type TimedPurpose = 'report' | 'confirm' | 'export data' | 'erase data'

export interface TimedAccess {
  /** Of the campaign, sign-up or subscriber. */
  id: number
  expires_at: Date
}

const MAC_SIZE = 16
/** Version, key, two numbers of at most 8 bytes and the MAC. */
const MAX_TOKEN_BYTES = 2 + 2 * 8 + MAC_SIZE

/** @param access - `expires_at` counts in whole seconds */
export async function signTimed(
  keys: SigningKeys,
  purpose: TimedPurpose,
  { id, expires_at }: TimedAccess,
): Promise<string> {
  const seconds = Math.floor(expires_at.getTime() / 1000)
  return encodeBase64url(await recipientBytes(keys, purpose, MAC_SIZE, id, seconds))
}

/**
 * Whether it has expired is for the caller to say, who has the time.
 *
 * @returns null for anything that `signTimed` did not write for this purpose with one of these keys, or with one that is
 *   retired
 */
export async function verifyTimed(
  keys: SigningKeys,
  purpose: TimedPurpose,
  token: string,
): Promise<TimedAccess | null> {
  if (token.length > Math.ceil((MAX_TOKEN_BYTES * 4) / 3)) return null
  const bytes = decodeBase64url(token)
  const read = bytes && (await recipientOf(keys, purpose, MAC_SIZE, bytes))
  if (!read || read.state === 'redirect-only') return null
  return { id: read.campaign_id, expires_at: new Date(read.subscriber_id * 1000) }
}
