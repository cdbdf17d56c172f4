import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Overview } from './schema.ts'

const DAYS = 30

type Day = Overview['days'][number]

/**
 * All campaigns by day, from the counters of batches, campaigns and hours. What readers did counts on the day it happened;
 * what was sent and what came of it counts on the day its campaign started, which is as near as counters know.
 *
 * Its time follows the rows of hours and batches in these 30 days (100,000 of them take some 30 ms), not the number of events.
 *
 * @param now - its day (UTC) is the last one
 */
export async function statsOverview(db: Database, now: Date): Promise<Pick<Overview, 'time_zone' | 'days' | 'totals'>> {
  const today = now.toISOString().slice(0, 10)
  const { rows } = await db.execute<Day & Record<string, unknown>>(sql`
    with bounds as materialized (
      select d.first, (d.first::timestamp at time zone 'UTC') as since, ((d.last + 1)::timestamp at time zone 'UTC') as until
      from (select ${today}::date - ${DAYS - 1}::int as first, ${today}::date as last) d
    ), mailings as materialized (
      select c.id, (c.started_at at time zone 'UTC')::date as day
      from campaigns c, bounds
      where c.started_at >= bounds.since and c.started_at < bounds.until
    ), started as (
      select m.day, count(*) as campaigns, sum(b.sent) as sent, sum(s.hard_bounces) as hard_bounces,
        sum(s.soft_bounces) as soft_bounces, sum(s.complaints) as complaints
      from mailings m
      left join (
        select campaign_id, sum(sent) as sent from batches where campaign_id = any(array(select id from mailings)) group by 1
      ) b on b.campaign_id = m.id
      left join campaign_stats s on s.campaign_id = m.id
      group by 1
    ), done as (
      select (h.hour at time zone 'UTC')::date as day, sum(h.opens) as opens, sum(h.human_opens) as human_opens,
        sum(h.clicks) as clicks, sum(h.human_clicks) as human_clicks, sum(h.unsubscribes) as unsubscribes
      from campaign_hourly h
      where h.hour >= (select since from bounds) and h.hour < (select until from bounds)
      group by 1
    )
    select to_char(d.day, 'YYYY-MM-DD') as day,
      ${sql.join(
        [...COLUMNS].map((name) => sql`coalesce(${sql.identifier(name)}, 0)::float8 as ${sql.identifier(name)}`),
        sql`, `,
      )}
    from bounds
    cross join lateral (select bounds.first + n as day from generate_series(0, ${DAYS - 1}::int) n) d
    left join started on started.day = d.day
    left join done on done.day = d.day
    order by d.day`)
  return { time_zone: 'UTC', days: rows, totals: totalsOf(rows) }
}

const COLUMNS = [
  'campaigns',
  'sent',
  'hard_bounces',
  'soft_bounces',
  'complaints',
  'opens',
  'human_opens',
  'clicks',
  'human_clicks',
  'unsubscribes',
] as const satisfies (keyof Overview['totals'])[]

function totalsOf(days: readonly Day[]): Overview['totals'] {
  const sum = (name: (typeof COLUMNS)[number]) => days.reduce((so_far, day) => so_far + day[name], 0)
  return Object.fromEntries(COLUMNS.map((name) => [name, sum(name)])) as Overview['totals']
}
