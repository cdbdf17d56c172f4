// What opens the report of one campaign, for whoever holds it, until a moment that is written in it. It has the form of a
// recipient half, with that moment in the place of the subscriber.
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { SigningKeys } from './keys.ts'
import { recipientBytes, recipientOf } from './recipient.ts'

export interface ReportAccess {
  campaign_id: number
  expires_at: Date
}

const MAC_SIZE = 16
/** Version, key, two numbers of at most 8 bytes and the MAC. */
const MAX_TOKEN_BYTES = 2 + 2 * 8 + MAC_SIZE

/** @param access - `expires_at` counts in whole seconds */
export async function signReport(keys: SigningKeys, { campaign_id, expires_at }: ReportAccess): Promise<string> {
  const seconds = Math.floor(expires_at.getTime() / 1000)
  return encodeBase64url(await recipientBytes(keys, 'report', MAC_SIZE, campaign_id, seconds))
}

/**
 * Whether it has expired is for the caller to say, who has the time.
 *
 * @returns null for anything that `signReport` did not write with one of these keys, or with one that is retired
 */
export async function verifyReport(keys: SigningKeys, token: string): Promise<ReportAccess | null> {
  if (token.length > Math.ceil((MAX_TOKEN_BYTES * 4) / 3)) return null
  const bytes = decodeBase64url(token)
  const read = bytes && (await recipientOf(keys, 'report', MAC_SIZE, bytes))
  if (!read || read.state === 'redirect-only') return null
  return { campaign_id: read.campaign_id, expires_at: new Date(read.subscriber_id * 1000) }
}
