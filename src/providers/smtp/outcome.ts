// What an SMTP reply means for a mail. The code table is whole here; RFC 5321 4.2.3, RFC 3463, RFC 4954 6.

import { answerText } from '../answer.ts'
import type { Outcome } from '../provider.ts'
import { type Reply, replyText } from './reply.ts'
import { wordingOf } from './wording.ts'

/** The command the reply answers; `dot` is the end of the message. */
export type Stage = 'mail' | 'rcpt' | 'data' | 'dot'

/** A quota that is counted over hours or a day frees itself bit by bit: asking earlier only costs attempts. Seconds. */
export const QUOTA_DELAY = 3_600
/** Credentials missing, wrong, too weak or wanting encryption (RFC 4954 6): whoever the recipient is. */
const CREDENTIALS = new Set([530, 534, 535, 538])
/** The address or mailbox does not exist (RFC 3463, RFC 7505 for 5.1.10). 5.2.2 (full) and 5.7.x (policy) are not here. */
const DEAD = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1'])
/** Refused at MAIL for what this mail is, not for who sends it: too large, or addresses the server cannot carry. */
const ABOUT_THIS_MAIL = new Set(['5.2.3', '5.3.4', '5.6.7'])
/** "mailbox unavailable" is not here: it is RFC 5321's stock text for 550 and covers policy too. */
const UNKNOWN_USER =
  /\b(?:user|recipient|mailbox|account|address|addressee|person)\b.{0,40}\b(?:unknown|not (?:found|known|listed|exist)|(?:does|did) not exist|doesn't exist|invalid)|\b(?:unknown|no such|invalid|non-?existent) (?:\w+ )?(?:user|recipient|mailbox|account|address|person)|\bno mailbox (?:here )?by that name|\bunrouteable address/i
/**
 * What does not exist, or is not believed, is whom the mail is from: servers look that up too (Exim: "Unrouteable address",
 * "Sender verify failed"; Postfix: "Sender address rejected: Domain not found"), in the words they have for recipients.
 */
const ABOUT_SENDER =
  /\bsender(?:'s)?\b.{0,30}\b(?:verif\w+|address|domain|account|user|unknown|invalid|rejected|not (?:found|exist)|does not exist)\b|\b(?:verif\w+|invalid|unknown|unverified|bad|non-?existent) (?:envelope[- ])?sender\b|\bverification failed for\b|\bcall(?:back|out) (?:setup |verification )?failed\b|\b(?:your|client|source) (?:ip |host )?address\b|\bip address\b/i
/** Servers without enhanced status codes say in words that it is policy. */
const POLICY =
  /\b(?:spam|policy|blocked|block ?list(?:ed)?|black ?list(?:ed)?|spamhaus|reputation|unsolicited|dmarc|spf|dkim)\b|\b(?:access|relay\w*) (?:access )?(?:denied|not permitted)\b/i

/** @param recipients the address in each spelling it travelled in, to be taken out of the answer */
export function outcomeOf(reply: Reply, stage: Stage, ...recipients: string[]): Outcome {
  const answer = answerText(replyText(reply), ...recipients)
  const { code } = reply
  if (stage === 'dot' && code >= 200 && code < 300) return { kind: 'sent', answer }
  // Neither yes nor no. After the dot the server may well have the mail.
  if (code < 400) return stage === 'dot' ? { kind: 'unknown', answer } : { kind: 'later', answer }
  if (isDead(reply, stage)) return { kind: 'never', answer, dead: true }
  if (CREDENTIALS.has(code)) return { kind: 'stop', answer }
  switch (wordingOf(reply)) {
    case 'account':
      return { kind: 'stop', answer }
    case 'used_up':
      return { kind: 'later', answer, throttled: true, delay_seconds: QUOTA_DELAY }
    case 'too_fast':
      return { kind: 'later', answer, throttled: true }
  }
  if (code < 500) return { kind: 'later', answer }
  return refusedForGood(reply, stage, answer)
}

function refusedForGood(reply: Reply, stage: Stage, answer: string): Outcome {
  const { code, enhanced } = reply
  if (stage === 'mail') {
    if (code === 552 || (enhanced !== null && ABOUT_THIS_MAIL.has(enhanced)))
      return { kind: 'never', answer, dead: false }
    return { kind: 'stop', answer }
  }
  if (isPolicy(reply)) return { kind: 'never', answer, dead: false, policy: true }
  // RFC 5321 4.5.3.1.10: too many recipients, wrongly answered with 552; to be read as 452. A full mailbox may empty.
  if (stage === 'rcpt' && code === 552) return { kind: 'later', answer }
  return { kind: 'never', answer, dead: false }
}

function isDead(reply: Reply, stage: Stage): boolean {
  if (reply.code < 500) return false
  if (reply.enhanced !== null) return DEAD.has(reply.enhanced)
  const text = reply.lines.join(' ')
  return (
    stage === 'rcpt' &&
    (reply.code === 550 || reply.code === 553) &&
    UNKNOWN_USER.test(text) &&
    !ABOUT_SENDER.test(text)
  )
}

/** For what we are or send, not for who receives it. */
function isPolicy(reply: Reply): boolean {
  if (reply.enhanced !== null) return reply.enhanced.startsWith('5.7.')
  const text = reply.lines.join(' ')
  return POLICY.test(text) || ABOUT_SENDER.test(text)
}
