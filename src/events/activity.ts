// What subscribers did lately, for audiences: whatever is not held to be a machine's.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** How long `subscriber_days` keeps a day. */
export const ACTIVITY_DAYS = 90

/**
 * Statements that count some subscribers' activity anew from their events. What they did before the oldest event that is
 * kept is forgotten by it. Only in a transaction that runs alone (alone.ts).
 */
export function countActivity(subscriber_ids: readonly number[]): [SQL, SQL, SQL, SQL] {
  const ids = sql`${sql.param([...subscriber_ids].sort((a, b) => a - b))}::bigint[]`
  // By the subscriber's index, however many events others have.
  const counted = sql`
    from (select id from subscribers where id = any(${ids})) s
    cross join lateral (
      select e.kind, e.occurred_at from campaign_events e
      where e.subscriber_id = s.id and e.kind in ('open', 'click') and e.verdict <> 'machine'
      offset 0
    ) e`
  return [
    sql`delete from subscriber_activity where subscriber_id = any(${ids})`,
    sql`
      insert into subscriber_activity (subscriber_id, last_opened_at, last_clicked_at, last_active_at)
      select s.id, max(occurred_at) filter (where kind = 'open'), max(occurred_at) filter (where kind = 'click'),
        max(occurred_at)
      ${counted} group by s.id`,
    sql`delete from subscriber_days where subscriber_id = any(${ids})`,
    sql`
      insert into subscriber_days (subscriber_id, day, opens, clicks)
      select s.id, (occurred_at at time zone 'UTC')::date,
        count(*) filter (where kind = 'open'), count(*) filter (where kind = 'click')
      ${counted} where occurred_at >= date_trunc('day', now(), 'UTC') - make_interval(days => ${ACTIVITY_DAYS}::int)
      group by 1, 2`,
  ]
}

/** Removes what is kept of a subscriber who is being deleted. Only in a transaction that runs alone (alone.ts). */
export const forgetActivity = (subscriber_id: number): [SQL, SQL] => [
  sql`delete from subscriber_activity where subscriber_id = ${subscriber_id}`,
  sql`delete from subscriber_days where subscriber_id = ${subscriber_id}`,
]

/** Rows of one statement: some hundred milliseconds. */
const SLICE = 20_000

/**
 * Forgets the days that nobody asks for any more, slice by slice.
 *
 * @param until - no slice is begun after this moment (ms since 1970)
 */
export async function forgetDays(db: Database, now: () => Date, until: number): Promise<number> {
  let forgotten = 0
  for (;;) {
    const { rows } = await db.execute<{ gone: number }>(sql`
      with gone as (
        delete from subscriber_days where ctid = any(array(
          select ctid from subscriber_days
          where day < (${now().toISOString()}::timestamptz at time zone 'UTC')::date - ${ACTIVITY_DAYS}::int
          limit ${SLICE}::int
        ))
        returning 1
      )
      select count(*)::int as gone from gone`)
    const gone = rows[0]?.gone ?? 0
    forgotten += gone
    if (gone < SLICE || now().getTime() > until) return forgotten
  }
}
