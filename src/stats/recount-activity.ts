// The same for what is kept of subscribers' activity (events/activity.ts).
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { ACTIVITY_DAYS, countActivity } from '../events/activity.ts'
import { flushAlone } from '../events/alone.ts'
import { type Difference, type Differing, eventsSince } from './recount.ts'

/** Subscribers of one statement. */
const SLICE = 10_000

/**
 * Holds the activity of all subscribers against the events that are there. What somebody last did before is kept as it is,
 * unless something else of them is put right.
 *
 * @param repair - put right what differs
 */
export async function recountActivity(db: Database, repair: boolean, slice: number = SLICE): Promise<Differing[]> {
  const since = await eventsSince(db)
  const found = new Map<string, Differing>()
  for (let after = 0, last: number | null = 0; last !== null; after = last ?? after) {
    const { rows: bounds } = await db.execute<{ last: number | null }>(sql`
      select max(id)::float8 as last from (select id from subscribers where id > ${after} order by id limit ${slice}) s
      having count(*) = ${slice}`)
    last = bounds[0]?.last ?? null
    const which = sql`subscriber_id > ${after} and subscriber_id <= ${last ?? Number.MAX_SAFE_INTEGER}`
    const ids = new Set<number>()
    for (const [table, statement] of [
      ['subscriber_activity', lastDeeds(which, since)],
      ['subscriber_days', days(which, since)],
    ] as const) {
      const { rows } = await db.execute<Difference & { subscriber_id: number } & Record<string, unknown>>(statement)
      if (rows.length === 0) continue
      for (const { subscriber_id } of rows) ids.add(subscriber_id)
      const differing = found.get(table) ?? { table, rows: 0, examples: [] }
      differing.rows += rows.length
      differing.examples.push(...rows.slice(0, 20 - differing.examples.length).map(({ subscriber_id, ...row }) => row))
      found.set(table, differing)
    }
    if (repair && ids.size > 0) {
      await retryDeadlocks(() =>
        db.batch([db.execute(flushAlone()), ...countActivity([...ids]).map((statement) => db.execute(statement))]),
      )
    }
  }
  return [...found.values()]
}

/** Opens and clicks of those who are there, that may be a person's. */
const deeds = (which: SQL) => sql`
  campaign_events e
  where ${which} and kind in ('open', 'click') and verdict <> 'machine'
    and (select true from subscribers s where s.id = e.subscriber_id)`

const FIELDS = ['last_opened_at', 'last_clicked_at', 'last_active_at'] as const

function lastDeeds(which: SQL, since: string | null): SQL {
  // Of what lies before the first event nothing can be said.
  const wrong = FIELDS.map(
    (name) => sql`
      case when c.${sql.raw(name)} is null
        then k.${sql.raw(name)} >= coalesce(${since}::timestamptz, '-infinity')
        else k.${sql.raw(name)} is distinct from c.${sql.raw(name)}
      end`,
  )
  return sql`
    with counted as materialized (
      select subscriber_id, max(occurred_at) filter (where kind = 'open') as last_opened_at,
        max(occurred_at) filter (where kind = 'click') as last_clicked_at, max(occurred_at) as last_active_at
      from ${deeds(which)} group by 1
    ), kept as materialized (select * from subscriber_activity where ${which})
    select subscriber_id::float8 as subscriber_id, json_build_object('subscriber_id', subscriber_id) as key,
      ${shown('k', FIELDS)} as kept, ${shown('c', FIELDS)} as counted
    from counted c full join kept k using (subscriber_id)
    where ${sql.join(wrong, sql` or `)}
    order by 1`
}

function days(which: SQL, since: string | null): SQL {
  const first = sql`greatest(
    (now() at time zone 'UTC')::date - ${ACTIVITY_DAYS}::int,
    (coalesce(${since}::timestamptz, '-infinity') at time zone 'UTC')::date
  )`
  return sql`
    with counted as materialized (
      select subscriber_id, (occurred_at at time zone 'UTC')::date as day, count(*) filter (where kind = 'open') as opens,
        count(*) filter (where kind = 'click') as clicks
      from ${deeds(which)} and (occurred_at at time zone 'UTC')::date >= ${first} group by 1, 2
    ), kept as materialized (select * from subscriber_days where ${which} and day >= ${first})
    select subscriber_id::float8 as subscriber_id, json_build_object('subscriber_id', subscriber_id, 'day', day) as key,
      ${shown('k', ['opens', 'clicks'])} as kept, ${shown('c', ['opens', 'clicks'])} as counted
    from counted c full join kept k using (subscriber_id, day)
    where row(coalesce(k.opens, 0), coalesce(k.clicks, 0)) is distinct from row(coalesce(c.opens, 0), coalesce(c.clicks, 0))
    order by 1, day`
}

const shown = (side: 'k' | 'c', names: readonly string[]) =>
  sql.raw(
    `case when ${side}.subscriber_id is not null then json_build_object(${names.map((name) => `'${name}', ${side}.${name}`).join(', ')}) end`,
  )
