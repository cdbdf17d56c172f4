import { sql } from 'drizzle-orm'
import { log } from '../log.ts'
import type { WebhookPointer } from './message.ts'
import type { WebhookServices } from './outgoing.ts'
import { hasEndpoints } from './wake.ts'

/**
 * Messages of one endpoint that are on the queue at a time: a slow receiver holds up the others by no more. The consumer puts
 * on more as it goes.
 */
const IN_FLIGHT = 200
/** The same while every try fails. */
const PROBES = 10
/** After so many minutes on the queue a pointer is given up as lost. */
export const LEASE_MINUTES = 15
/** Messages that one call to a queue takes. */
const SEND_BATCH = 100

/**
 * Puts due messages on the queue, the oldest first. Whoever takes one moves its time on in the same statement, so that no two
 * take it.
 *
 * @param failing - also those of endpoints that fail: by cron only, for they would otherwise be tried without pause
 * @returns how many
 */
export async function dispatchMessages(
  { db, webhooks }: Pick<WebhookServices, 'db' | 'webhooks'>,
  failing: boolean,
): Promise<number> {
  const { rows } = await db.execute<{ pointers: WebhookPointer[] }>(sql`
    with endpoints as materialized (
      select e.id, case when e.failing_since is null then ${IN_FLIGHT}::int else ${PROBES}::int end - (
        select count(*) from webhook_messages f where f.endpoint_id = e.id and f.in_flight and f.due_at > now()
      ) as room
      from webhook_endpoints e
      where e.enabled and (${failing} or e.failing_since is null)
    ), due as materialized (
      select m.id
      from endpoints e
      cross join lateral (
        select m.id from webhook_messages m
        where m.endpoint_id = e.id and m.status = 'pending' and m.due_at <= now()
        order by m.due_at, m.id
        limit greatest(e.room, 0)
        for update skip locked
      ) m
    ), taken as (
      -- As an array: Postgres expects a tenth of all messages of a limit that it does not know, and would read them all.
      update webhook_messages set in_flight = true, due_at = now() + make_interval(mins => ${LEASE_MINUTES})
      where id = any(array(select id from due))
      returning id, attempts
    )
    select coalesce(json_agg(json_build_object('message_id', id, 'attempts', attempts) order by id), '[]') as pointers
    from taken`)
  const pointers = rows[0]?.pointers ?? []
  for (let i = 0; i < pointers.length; i += SEND_BATCH) {
    await webhooks.queue.sendBatch(pointers.slice(i, i + SEND_BATCH).map((body) => ({ body })))
  }
  return pointers.length
}

/** After something happened here: what it made due goes at once. Never throws, for cron does the same within the hour. */
export async function dispatchSoon(services: WebhookServices): Promise<void> {
  try {
    if (await hasEndpoints(services)) await dispatchMessages(services, false)
  } catch (error) {
    log('webhooks_not_dispatched', { error: error instanceof Error ? error.name : 'unknown' })
  }
}
