// One message from its claim to what is written of it.
import { log } from '../log.ts'
import { type Courier, type Outcome, type Trial, tryMessage } from './attempt.ts'
import { nextDelay } from './backoff.ts'
import type { WebhookServices } from './outgoing.ts'
import { recordTry, SOON } from './record.ts'
import { noteEndpoints } from './wake.ts'

export interface Delivered extends Outcome {
  /** When the message is to be tried again by way of cron (ms since 1970); null when it is not. */
  due: number | null
}

/** For one run. */
export const courierOf = ({ webhooks, public_url, tracking_url, now }: WebhookServices): Courier => ({
  fetch: webhooks.fetch,
  resolver: webhooks.openResolver(),
  development: webhooks.development,
  own_urls: [public_url, tracking_url],
  now,
})

/**
 * Tries a message once and records what came of it. If that cannot be recorded, the message comes again after its lease.
 *
 * @param once - a message that is not tried again
 */
export async function deliver(
  services: WebhookServices,
  courier: Courier,
  trial: Trial,
  once = false,
): Promise<Delivered> {
  const { db, webhooks, now } = services
  const outcome = await tryMessage(courier, trial)
  const ends = once || outcome.result !== 'later'
  const delay = ends ? null : nextDelay(trial.attempts, webhooks.random(), outcome.retry_after)
  const { recorded, disabled } = await recordTry(db, trial, outcome, delay)
  if (disabled !== null) {
    log('webhook_endpoint_disabled', { endpoint_id: trial.endpoint_id })
    await noteEndpoints(services).catch(() => undefined)
  }
  if (!recorded || delay === null) return { ...outcome, due: null }
  if (delay > SOON) return { ...outcome, due: now().getTime() + delay * 1000 }
  const { message_id, attempts } = trial
  await webhooks.queue.sendBatch([{ body: { message_id, attempts }, delaySeconds: delay }])
  return { ...outcome, due: null }
}
