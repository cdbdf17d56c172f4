// What only the words of a reply tell: that the account sends too fast, that its quota is used up, that it is not allowed
// to send at all. Relays agree on no code for these. Sources: the reply lists of Amazon SES, Google Workspace, Microsoft
// 365, SendGrid, Mailgun, Yahoo, Rackspace and cPanel; replies of Postfix, Exim and Exchange.

import type { Reply } from './reply.ts'

/**
 * - `account`: every other mail of this sender over this account would fare the same
 * - `used_up`: a quota counted over hours
 * - `too_fast`: a rate, or connections at once
 */
export type Wording = 'account' | 'used_up' | 'too_fast' | null

/** Not "relay access denied" and not "host blocked": those may be about one recipient's domain or one address of ours. */
const ACCOUNT =
  /\bnot owned by\b|\bnot logged in\b|\bpermissions? to send as\b|\bnot (?:authori[sz]ed|allowed|permitted) to send (?:from|as)\b|\bdomain \S+ is not allowed to send\b|\bdoes not match a verified sender\b|\bemail address is not verified\b|\binvalid credentials for relay\b|\bsending (?:is |has been )?(?:paused|suspended)\b|\byour account (?:is|has been) (?:suspended|disabled|blocked|locked)\b|\bnot authori[sz]ed to perform\b|\bmaximum credits exceeded\b|\bsender throttled due to continuous\b/i
const USED_UP =
  /\bdaily\b.{0,40}\b(?:limit|quota)|\bsending quota\b|\bsubmission ?quota|\b(?:per|an?|this) (?:hour|day)\b|\bhourly\b.{0,40}\b(?:limit|quota)/i
const TOO_FAST =
  /\bthrottl|\brate[- ]?limit|\b(?:rate|limits?)\b.{0,60}\bexceeded|\bexceed\w*\b.{0,60}\b(?:rate|limits?)\b|\btoo (?:many|fast|quickly|frequent|much (?:e?-?mail|traffic))|\bunusual rate\b|\bserver busy\b|\bslow(?:ing)? down\b|\bunexpected volume\b/i
/** A refusal for good that is one of rate all the same: the words must be about sending. */
const TOO_FAST_5XX = /\brate[- ]?limit|\b(?:sending|relay|message) (?:rate|limits?)\b.{0,40}\bexceeded/i
/** The mailbox is full or is sent too much by everyone: nothing to do with us. */
const ABOUT_RECIPIENT =
  /\b(?:recipient|mailbox)\b.{0,40}\b(?:full|over quota|quota|storage|receiv|thread limit)|\buser\b.{0,40}\breceiving\b|\bover quota\b/i
/** A server that ends a session after so many mails or so long: the next session goes on at the same speed. */
const ABOUT_SESSION =
  /\b(?:per|in this|for this|on this|for one|one) (?:connection|session)\b|\bmax(?:imum)? messages?\b.{0,20}\b(?:connection|session)|\btime[d ]*-?out\b|\bidle\b/i

/** For a reply that is no success. */
export function wordingOf(reply: Reply): Wording {
  const { code, enhanced } = reply
  const text = reply.lines.join(' ')
  if (ACCOUNT.test(text)) return 'account'
  if (ABOUT_RECIPIENT.test(text)) return null
  // Google's "daily limit" is a refusal for good, of which only the day says that it is not.
  if (USED_UP.test(text) || enhanced === '5.4.5') return 'used_up'
  if (code >= 500) return TOO_FAST_5XX.test(text) ? 'too_fast' : null
  // Microsoft's throttling of an address whose pattern changed (451 4.7.500 to 4.7.699).
  if (TOO_FAST.test(text) || (enhanced !== null && /^4\.7\.[56][0-9]{2}$/.test(enhanced))) {
    return ABOUT_SESSION.test(text) ? null : 'too_fast'
  }
  // A server that goes down (4.3.x is its own state) says nothing about our speed.
  if (code !== 421 || ABOUT_SESSION.test(text) || enhanced?.startsWith('4.3.')) return null
  return 'too_fast'
}
