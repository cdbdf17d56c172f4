import { log } from '../log.ts'
import { dispatchMessages } from './dispatch.ts'
import type { WebhookServices } from './outgoing.ts'
import { forgetWebhooks } from './retention.ts'
import { noteEndpoints, settleWake, type Wake } from './wake.ts'

/**
 * Cron's part: puts on the queue what is due. By the hour also what was lost on the queue or in Redis, and what is old goes.
 *
 * @param full - the hour
 * @param until - ms since 1970; nothing is deleted later
 */
export async function webhooksMinute(
  services: WebhookServices,
  wake: Wake,
  full: boolean,
  until: number,
): Promise<void> {
  // Without Redis nobody has been told whether there is an endpoint; Postgres knows.
  const enabled = full ? await noteEndpoints(services).catch(() => true) : wake.enabled
  if (enabled) {
    const count = await dispatchMessages(services, true)
    if (count > 0) log('webhooks_dispatched', { count })
  }
  await settleWake(services, wake.due)
  if (full) await forgetWebhooks(services.db, until, services.now)
}
