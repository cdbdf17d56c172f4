// The recipient half as part of a mail address: the return path a bounce comes back to (`b.<token>@...`), and the mailbox
// that unsubscribes (`unsubscribe+<token>@...`). The same bytes as in URLs, written in base32.
import { decodeBase32, encodeBase32 } from './base32.ts'
import type { SigningKeys } from './keys.ts'
import { type Recipient, recipientBytes, recipientOf } from './recipient.ts'

export type MailPurpose = 'bounce' | 'unsubscribe-mail'

/** What stands before the token in the local part. */
const PREFIXES: Record<MailPurpose, string> = { bounce: 'b.', 'unsubscribe-mail': 'unsubscribe+' }

/**
 * In bytes. A local part has at most 64 octets (RFC 5321, section 4.5.3.1.1): with two ids of 53 bits a bounce's takes 57,
 * and for an unsubscribe, with its longer prefix, 14 bytes are the most that fit, which makes 64.
 */
const MAC_SIZES: Record<MailPurpose, number> = { bounce: 16, 'unsubscribe-mail': 14 }
const MAX_LOCAL_PART = 64

/** Signs who a mail goes to, for one purpose, in lower-case letters and digits. Ids are positive integers. */
export async function signMailToken(
  keys: SigningKeys,
  purpose: MailPurpose,
  campaign_id: number,
  subscriber_id: number,
): Promise<string> {
  return encodeBase32(await recipientBytes(keys, purpose, MAC_SIZES[purpose], campaign_id, subscriber_id))
}

/**
 * @param token - in any case: some servers write local parts in lower or upper case
 * @returns null for anything that `signMailToken` did not write with one of these keys for this purpose
 */
export async function verifyMailToken(
  keys: SigningKeys,
  purpose: MailPurpose,
  token: string,
): Promise<Recipient | null> {
  if (token.length > MAX_LOCAL_PART - PREFIXES[purpose].length) return null
  const bytes = decodeBase32(token)
  return bytes && recipientOf(keys, purpose, MAC_SIZES[purpose], bytes)
}

/** The address of a token: where a mail's bounces come back to, or where a mail to it unsubscribes. */
export const mailTokenAddress = (purpose: MailPurpose, token: string, domain: string) =>
  `${PREFIXES[purpose]}${token}@${domain}`

/** What an address was written for, by its local part alone; nothing is verified. Null for any other address. */
export function readMailTokenAddress(address: string): { purpose: MailPurpose; token: string } | null {
  const match = /^(b\.|unsubscribe\+)([^@]*)@[^@]+$/i.exec(address)
  if (!match) return null
  const [, prefix = '', token = ''] = match
  return { purpose: prefix.toLowerCase() === PREFIXES.bounce ? 'bounce' : 'unsubscribe-mail', token }
}
