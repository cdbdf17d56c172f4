import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import type { Trial } from './attempt.ts'
import { LEASE_MINUTES } from './dispatch.ts'
import type { WebhookPointer } from './message.ts'

/**
 * Takes messages to be tried, in one statement: each whose number of tries is still the pointer's, and whose endpoint is
 * enabled. Of two that hold the same pointer, one gets the message. If the one dies, the message is due again after its lease.
 */
export async function claimMessages(db: Database, pointers: readonly WebhookPointer[]): Promise<Trial[]> {
  const { rows } = await db.execute<Trial & Record<string, unknown>>(sql`
    with locked as materialized (
      select m.id from unnest(
        ${sql.param(pointers.map((p) => p.message_id))}::bigint[], ${sql.param(pointers.map((p) => p.attempts))}::int[]
      ) as p (message_id, attempts)
      join webhook_messages m on m.id = p.message_id and m.attempts = p.attempts
      where m.status = 'pending' and exists (select from webhook_endpoints e where e.id = m.endpoint_id and e.enabled)
      order by m.id
      for update of m
    ), claimed as (
      update webhook_messages m
      set attempts = m.attempts + 1, in_flight = true, due_at = now() + make_interval(mins => ${LEASE_MINUTES})
      from locked l where m.id = l.id
      returning m.*
    )
    ${trials(sql`claimed`)}`)
  return rows
}

/**
 * Gives messages back that were claimed and not tried, as if they had not been.
 *
 * @param seconds - until they are due again
 */
export async function giveBack(db: Database, trials: readonly Trial[], seconds: number): Promise<void> {
  await db.execute(sql`
    with locked as materialized (
      select m.id from unnest(
        ${sql.param(trials.map((trial) => trial.message_id))}::bigint[],
        ${sql.param(trials.map((trial) => trial.attempts))}::int[]
      ) as g (message_id, attempts)
      join webhook_messages m on m.id = g.message_id and m.attempts = g.attempts
      where m.status = 'pending'
      order by m.id
      for update of m
    )
    update webhook_messages m
    set attempts = m.attempts - 1, in_flight = false, due_at = now() + make_interval(secs => ${seconds})
    from locked l where m.id = l.id`)
}

/** Writes a message that is tried at once by its caller, whether or not its endpoint is enabled, and never again. */
export async function claimTest(db: Database, endpoint_id: number, type: string): Promise<Trial | undefined> {
  const { rows } = await db.execute<Trial & Record<string, unknown>>(sql`
    with claimed as (
      insert into webhook_messages (endpoint_id, type, payload, attempts, in_flight, due_at)
      select id, ${type}, jsonb_build_object('endpoint_id', id), 1, true, now() + make_interval(mins => ${LEASE_MINUTES})
      from webhook_endpoints where id = ${endpoint_id} for key share
      returning *
    )
    ${trials(sql`claimed`)}`)
  return rows[0]
}

const trials = (claimed: SQL) => sql`
  select c.id::float8 as message_id, c.endpoint_id::float8 as endpoint_id, c.type, ${iso(sql`c.created_at`)} as created_at,
    c.payload, c.subscriber_id::float8 as subscriber_id, s.email, e.url, c.attempts,
    case when e.previous_until > now() then array[e.secret, e.previous_secret] else array[e.secret] end as secrets
  from ${claimed} c
  join webhook_endpoints e on e.id = c.endpoint_id
  left join subscribers s on s.id = c.subscriber_id
  order by c.id`
