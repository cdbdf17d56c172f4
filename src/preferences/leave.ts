import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { retryDeadlocks } from '../db/retry.ts'

/** What of a person's mail ends, or rests. */
export interface Leaving {
  /** Lists they leave. */
  list_ids: readonly number[]
  /** Whether they leave all mail. */
  all: boolean
  /** Days from now; null ends a pause; `keep` leaves it as it is. */
  pause: number | null | 'keep'
  source: string
  reason: string | null
  country: string | null
}

/**
 * Takes somebody off lists or off all mail, and lets their mail rest, in one statement. What was left before is said again:
 * no consent from in between brings them back. A bounce or a complaint says more than an opt-out and stays.
 *
 * @returns until when it rests, as ISO 8601; null when there is no such subscriber
 */
export async function leaveOrPause(
  db: Database,
  subscriber_id: number,
  { list_ids, all, pause, source, reason, country }: Leaving,
): Promise<{ paused_until: string | null } | null> {
  const days = pause === 'keep' ? null : pause
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ paused_until: string | null }>(sql`
      with person as materialized (
        select id, status, paused_until from subscribers where id = ${subscriber_id} for no key update
      ), left_now as (
        update list_members m set status = 'unsubscribed', unsubscribed_at = now(), updated_at = now()
        from person p
        where m.subscriber_id = p.id and m.list_id = any(${sql.param(list_ids)}::bigint[]) and m.status = 'subscribed'
      ), changed as (
        update subscribers s set
          status = case when ${all} and p.status = 'active' then 'unsubscribed' else s.status end,
          paused_until = case when ${pause === 'keep'} then s.paused_until else now() + make_interval(days => ${days}::int) end,
          updated_at = now()
        from person p
        where s.id = p.id and ((${all} and p.status = 'active') or ${pause !== 'keep'})
        returning s.paused_until
      ), proof as (
        insert into consents (subscriber_id, list_id, action, source, reason, country)
        select p.id, left_list.id, 'unsubscribed', ${source}, ${reason}, ${country}
        from person p, (
          select m.list_id as id from list_members m
          where m.subscriber_id = ${subscriber_id} and m.list_id = any(${sql.param(list_ids)}::bigint[])
          union all
          select null where ${all}
        ) left_list
      )
      select ${iso(sql`coalesce(
        (select paused_until from changed), case when ${pause === 'keep'} then p.paused_until end)`)} as paused_until
      from person p`),
  )
  return rows[0] ?? null
}
