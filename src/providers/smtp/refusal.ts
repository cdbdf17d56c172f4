// A session that ends before its first mail: the server's answer, and whether to come back.
import { answerText } from '../answer.ts'
import { ConnectionRefused } from '../provider.ts'
import { type Reply, replyText } from './reply.ts'

/** No mail went out, for this reason. */
export function refused(kind: 'later' | 'stop', answer: string): ConnectionRefused {
  return new ConnectionRefused({ kind, answer: answerText(answer) })
}

/** 2yz passes; 4yz is `later`, 5yz is `stop`. @throws {ConnectionRefused} */
export function expectClass(reply: Reply, step: string): void {
  if (reply.code >= 200 && reply.code < 300) return
  throw refused(reply.code >= 500 ? 'stop' : 'later', `${step}: ${replyText(reply)}`)
}
