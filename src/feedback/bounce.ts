import type { Outcome } from '../providers/provider.ts'
import { outcomeOf } from '../providers/smtp/outcome.ts'
import type { Reply } from '../providers/smtp/reply.ts'

export type BounceKind = 'hard_bounce' | 'soft_bounce' | 'blocked'

/** The reply within a diagnostic: "smtp; 550-5.1.1 no such user", "550 5.1.1 ...", "550 no such user". */
const REPLY = /(?:^|[;:\s(])([45][0-9]{2})(?:[ -]+|$)(?:#?([45]\.[0-9]{1,3}\.[0-9]{1,3})\b[\s:-]*)?/
const STATUS = /^([45])\.[0-9]{1,3}\.[0-9]{1,3}$/
/** Full, or too large a mail: refused for good, but for this mail alone (RFC 3463). */
const FOR_NOW = new Set(['5.2.2', '5.2.3', '5.3.4'])

/**
 * What a server's words about a mail it did not take mean for the address, by the same tables that judge a server's answer
 * while sending.
 *
 * @param diagnostic - the server's reply, as a service or a bounce quotes it
 * @param status - the enhanced status (RFC 3463) that was told beside it
 * @returns null where nothing says more than that it was refused: who told of it may know
 */
export function judgeBounce(diagnostic: string | null, status: string | null): BounceKind | null {
  const text = (diagnostic ?? '').slice(0, 2_000)
  const [found, digits, own] = REPLY.exec(text) ?? []
  const told = specific(status)
  const code = digits ? Number(digits) : told ? (told.startsWith('4') ? 450 : 550) : null
  if (code === null) return null
  // Multi-line replies repeat code and status in each line.
  const words = found ? text.slice(text.indexOf(found) + found.length) : text
  const lines = [words.replace(/\b[45][0-9]{2}-(?:[45]\.[0-9]{1,3}\.[0-9]{1,3})?/g, ' ')]
  const enhanced = specific(own ?? null)
  if (enhanced) return judgeReply({ code, enhanced, lines })
  // The words are the server's own; the status may be what a service made of them.
  const by_words = judgeReply({ code, enhanced: null, lines })
  if (by_words === 'hard_bounce' || by_words === 'blocked' || !told) return by_words
  return judgeReply({ code: told.startsWith('4') ? 450 : 550, enhanced: told, lines }) ?? by_words
}

/** A status that says more than its first digit. */
function specific(status: string | null): string | null {
  return status !== null && STATUS.test(status) && !status.endsWith('.0.0') ? status : null
}

function judgeReply(reply: Reply): BounceKind | null {
  const { code, enhanced } = reply
  // X.7: security and policy, whether for now or for good.
  if (enhanced !== null && enhanced[2] === '7' && enhanced[3] === '.') return 'blocked'
  // 5.1.7 and 5.1.8: the sender's address; 5.6: what the mail is made of. Neither is about the recipient.
  if (enhanced !== null && /^5\.(?:1\.[78]$|6\.)/.test(enhanced)) return 'blocked'
  if (enhanced !== null && FOR_NOW.has(enhanced)) return 'soft_bounce'
  // A bare 421 while sending is about our speed; in a report the status beside it says what it was about.
  const asked = code === 421 && enhanced !== null ? { ...reply, code: 450 } : reply
  return kindOf(outcomeOf(asked, 'rcpt'))
}

function kindOf(outcome: Outcome): BounceKind | null {
  if (outcome.kind === 'stop') return 'blocked'
  if (outcome.kind === 'never') return outcome.dead ? 'hard_bounce' : outcome.policy ? 'blocked' : null
  // Too fast, or too much of us: about the sender, not the address.
  if (outcome.kind === 'later') return outcome.throttled ? 'blocked' : 'soft_bounce'
  return null
}
