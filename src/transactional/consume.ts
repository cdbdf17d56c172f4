import type { Delivered } from '../dispatch/message.ts'
import { log } from '../log.ts'
import { MAX_QUEUE_DELAY } from '../sending/backoff.ts'
import { carryMails, type TransactionalSender } from './carry.ts'
import type { TransactionalPointer } from './message.ts'
import { type OpenMail, readMails } from './record.ts'

/** A mail that could not even be looked at, or found no connection, comes back after so many seconds. */
const TROUBLE = 30
/** While all sending is stopped. In seconds. */
const STOPPED = 300

/**
 * One invocation of the `emk-transactional` consumer. Never throws: a throw would bring back every pointer of it. One
 * connection a sender: what the invocation's mails share is opened once.
 */
export async function consumeTransactional(
  s: TransactionalSender,
  messages: readonly Delivered<TransactionalPointer>[],
): Promise<void> {
  const waits = new Map<number, number>()
  try {
    const open = await readMails(
      s.db,
      messages.map(({ body }) => body.mail_id),
    )
    const due: OpenMail[] = []
    for (const mail of open) {
      if (mail.state === 'sending' || mail.wait_seconds > 0) waits.set(mail.id, mail.wait_seconds)
      else if (!s.sending || !mail.sending) waits.set(mail.id, STOPPED)
      else due.push(mail)
    }
    for (const { account, from_email, mails } of bySender(due)) {
      try {
        for (const [id, seconds] of await carryMails(s, account, from_email, mails)) waits.set(id, seconds)
      } catch (error) {
        log('transactional_failed', { mails: mails.length, error: error instanceof Error ? error.name : 'unknown' })
        for (const { id } of mails) waits.set(id, TROUBLE)
      }
    }
  } catch (error) {
    log('transactional_failed', { mails: messages.length, error: error instanceof Error ? error.name : 'unknown' })
    for (const { body } of messages) waits.set(body.mail_id, TROUBLE)
  }
  for (const message of messages) {
    const seconds = waits.get(message.body.mail_id)
    if (seconds === undefined) message.ack()
    else message.retry({ delaySeconds: Math.min(Math.max(Math.ceil(seconds), 1), MAX_QUEUE_DELAY) })
  }
}

/** Mails of one sender share a connection. */
function bySender(mails: readonly OpenMail[]) {
  const groups = new Map<string, { account: string | null; from_email: string; mails: OpenMail[] }>()
  for (const mail of mails) {
    const { account, from } = mail.content
    const key = JSON.stringify([account, from.email])
    const group = groups.get(key) ?? { account, from_email: from.email, mails: [] }
    group.mails.push(mail)
    groups.set(key, group)
  }
  return groups.values()
}

/** Pointers that were tried a hundred times. No row changes: the hourly sweep sends another for what is still open. */
export function consumeDeadTransactional(messages: readonly Delivered<TransactionalPointer>[]): void {
  for (const message of messages) {
    log('transactional_pointer_dead', { mail_id: message.body.mail_id })
    message.ack()
  }
}
