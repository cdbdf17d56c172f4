import type { BatchPointer, Delivered } from '../dispatch/message.ts'
import { log } from '../log.ts'
import { openSlots } from '../providers/slots.ts'
import { sendBatch } from './batch.ts'
import type { Invocation, Sender } from './sender.ts'

/** The queue asks again after so many seconds when a pointer could not even be looked at. */
const TROUBLE = 60

/**
 * One invocation of emk-sender: up to four pointers, each with a connection of its own. Never throws: a throw would bring
 * back every pointer of the invocation.
 */
export async function consumeSends(s: Sender, messages: readonly Delivered<BatchPointer>[]): Promise<void> {
  const invocation: Invocation = { started: s.now().getTime(), slots: openSlots() }
  await Promise.all(
    messages.map(async (message) => {
      try {
        const answer = await sendBatch(s, message.body, message.attempts, invocation)
        if ('ack' in answer) message.ack()
        else message.retry({ delaySeconds: answer.retry_seconds })
      } catch (error) {
        log('batch_failed', {
          campaign_id: message.body.campaign_id,
          batch: message.body.batch,
          error: error instanceof Error ? error.name : 'unknown',
        })
        message.retry({ delaySeconds: TROUBLE })
      }
    }),
  )
}

/**
 * Pointers that were tried a hundred times. Nothing is lost and no row changes: the ledger still has the batch, and the
 * sweep sends another pointer.
 */
export function consumeDeadSends(messages: readonly Delivered<BatchPointer>[]): void {
  for (const message of messages) {
    log('pointer_dead', { campaign_id: message.body.campaign_id, batch: message.body.batch })
    message.ack()
  }
}
