// A session that ends before its first mail: the server's answer, and whether to come back.
import { answerText } from '../answer.ts'
import { ConnectionRefused } from '../provider.ts'
import { QUOTA_DELAY } from './outcome.ts'
import { type Reply, replyText } from './reply.ts'
import { wordingOf } from './wording.ts'

/** No mail went out, for this reason. */
export function refused(kind: 'later' | 'stop', answer: string): ConnectionRefused {
  return new ConnectionRefused({ kind, answer: answerText(answer) })
}

/** No mail went out and no server said why: refused, lost, no TLS, or too slow. */
export function silence(answer: string): ConnectionRefused {
  return new ConnectionRefused({ kind: 'later', answer: answerText(answer), silent: true })
}

/** The server said no. 4yz and what is about rate or quota is `later`, 5yz is `stop`. @param step what it answers */
export function refusedBy(reply: Reply, step: string): ConnectionRefused {
  const answer = answerText(`${step}: ${replyText(reply)}`)
  const wording = wordingOf(reply)
  if (wording === 'used_up' || wording === 'too_fast') {
    const delay = wording === 'used_up' ? { delay_seconds: QUOTA_DELAY } : {}
    return new ConnectionRefused({ kind: 'later', answer, throttled: true, ...delay })
  }
  const kind = wording === 'account' || reply.code < 400 || reply.code >= 500 ? 'stop' : 'later'
  return new ConnectionRefused({ kind, answer })
}

/** @throws {ConnectionRefused} unless the reply is 2yz */
export function expectClass(reply: Reply, step: string): void {
  if (reply.code < 200 || reply.code >= 300) throw refusedBy(reply, step)
}
