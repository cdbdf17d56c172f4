// emk-webhooks: pointers to messages that are due.
import { log } from '../log.ts'
import type { Trial } from './attempt.ts'
import { claimMessages, giveBack } from './claim.ts'
import { courierOf, deliver } from './deliver.ts'
import { dispatchMessages } from './dispatch.ts'
import type { WebhookPointer } from './message.ts'
import type { WebhookServices } from './outgoing.ts'
import { wakeAt } from './wake.ts'

/** The part of a queue message that is used here. */
export interface PointerMessage {
  body: WebhookPointer
  ack(): void
  retry(options: { delaySeconds: number }): void
}

/** Requests open at a time: a Worker has six connections for everything, and writing down takes one. */
const AT_ONCE = 5
/** In seconds, when Postgres does not answer. */
const LATER = 60
/** In seconds: what is not tried because its endpoint has just not answered. */
const SPARED = 300

/** Tries what the pointers name, and puts on the queue what has room there now. Never throws. */
export async function consumeWebhooks(services: WebhookServices, messages: readonly PointerMessage[]): Promise<void> {
  const { db } = services
  let trials: Trial[]
  try {
    trials = await claimMessages(
      db,
      messages.map(({ body }) => body),
    )
  } catch (error) {
    log('webhooks_not_claimed', { count: messages.length, error: nameOf(error) })
    for (const message of messages) message.retry({ delaySeconds: LATER })
    return
  }
  // From here on the database brings back what fails.
  for (const message of messages) message.ack()
  try {
    await wakeAt(services, await deliverAll(services, trials))
    if (trials.length > 0) await dispatchMessages(services, false)
  } catch (error) {
    log('webhooks_not_dispatched', { error: nameOf(error) })
  }
}

/**
 * Once an endpoint gives no answer its other messages are spared: each would hold up those of others for as long.
 *
 * @returns when cron must look again (ms since 1970)
 */
async function deliverAll(services: WebhookServices, trials: readonly Trial[]): Promise<number[]> {
  const courier = courierOf(services)
  const waiting = [...trials]
  const silent = new Set<number>()
  const spared: Trial[] = []
  const due: number[] = []
  async function lane(): Promise<void> {
    for (let trial = waiting.shift(); trial; trial = waiting.shift()) {
      if (silent.has(trial.endpoint_id)) {
        spared.push(trial)
        continue
      }
      try {
        const delivered = await deliver(services, courier, trial)
        if (delivered.response_status === null) silent.add(trial.endpoint_id)
        if (delivered.due !== null) due.push(delivered.due)
      } catch (error) {
        log('webhook_not_recorded', { message_id: trial.message_id, error: nameOf(error) })
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  if (spared.length > 0) {
    await giveBack(services.db, spared, SPARED)
    due.push(services.now().getTime() + SPARED * 1000)
  }
  return due
}

/** emk-webhooks-dead: only pointers that Postgres could not be asked about come here. It brings the messages back itself. */
export function consumeDeadWebhooks(messages: readonly PointerMessage[]): void {
  for (const message of messages) message.ack()
  log('webhook_pointers_dropped', { count: messages.length })
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : 'unknown')
