// Whether counters are what they count, and how to make them so. For a script: it reads all of a campaign.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { type Counter, countersOf, type Reach } from './counters.ts'

type Values = Record<string, string | number | null>

/** A row whose counters differ: as they are kept (null: there is none), and as they must be. */
export interface Difference {
  key: Values
  kept: Values | null
  counted: Values | null
}

/** What differs in one table. */
export interface Differing {
  table: string
  /** How many rows. */
  rows: number
  /** Some of them. */
  examples: Difference[]
}

const EXAMPLES = 20

/**
 * Holds all counters of a campaign against the ledger, its events and the news of its mails; may run beside everything that
 * moves them. Events that are forgotten are made up for: the hours before count as they are kept, and recipients and
 * breakdowns may have more than the events that are left, but not less.
 *
 * @param repair - put right what differs
 * @returns what differed, as it was; empty when all is right
 */
export async function recountCampaign(db: Database, campaign_id: number, repair: boolean): Promise<Differing[]> {
  const found: Differing[] = []
  for (const counter of countersOf(await reachOf(db, campaign_id))) {
    const { rows } = await db.execute<Difference & { sum: number } & Record<string, unknown>>(sql`
      with ${sides(counter)}
      select ${objectOf(null, counter.key)} as key,
        case when k.campaign_id is not null then ${objectOf('k', columnsOf(counter))} end as kept,
        case when c.campaign_id is not null then ${objectOf('c', columnsOf(counter))} end as counted,
        (count(*) over ())::float8 as sum
      ${differing(counter)}
      order by ${list(counter.key)} limit ${EXAMPLES}`)
    const [first] = rows
    if (!first) continue
    found.push({ table: counter.table, rows: first.sum, examples: rows.map(({ sum, ...row }) => row) })
    if (repair) await retryDeadlocks(() => db.batch([db.execute(counter.alone), db.execute(repairs(counter))]))
  }
  return found
}

/** The campaigns that have counters, or something to count, by id. Also those that are no more. */
export async function countedCampaigns(db: Database): Promise<number[]> {
  const { rows } = await db.execute<{ id: number }>(sql`
    select id::float8 as id from (
      select id from campaigns
      union select campaign_id from campaign_stats
      union select campaign_id from campaign_hourly
      union select campaign_id from campaign_breakdown
      union ${distinctIn('recipient_stats')}
      union ${distinctIn('campaign_events')}
    ) c order by 1`)
  return rows.map(({ id }) => id)
}

/** From one to the next by the index; there are few among millions of rows. */
const distinctIn = (table: string) => sql`(
  with recursive seen as (
    (select min(campaign_id) as id from ${sql.identifier(table)})
    union all
    select (select min(campaign_id) from ${sql.identifier(table)} where campaign_id > seen.id) from seen where seen.id is not null
  )
  select id from seen where id is not null)`

/**
 * Since when every event is there; null when none was ever forgotten. Old ones go by the month (events/partitions.ts), so it
 * is the first month that has a table of its own; before the first such table was made, nothing went.
 */
export async function eventsSince(db: Database): Promise<string | null> {
  const { rows } = await db.execute<{ since: string | null }>(sql`
    select ${iso(sql`min(to_timestamp(right(c.relname, 7) || '_01 +00', 'YYYY_MM_DD TZH'))`)} as since
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'campaign_events'::regclass and c.relname ~ '^campaign_events_\\d{4}_\\d{2}$'`)
  return rows[0]?.since ?? null
}

/** A campaign reaches no further back if it started later, or if no counter says that something happened before. */
async function reachOf(db: Database, campaign_id: number): Promise<Reach> {
  const since = await eventsSince(db)
  if (since === null) return { campaign_id, since, complete: true }
  const { rows } = await db.execute<{ complete: boolean }>(sql`
    select exists (select from campaigns where id = ${campaign_id} and started_at >= ${since})
      or not exists (select from campaign_hourly where campaign_id = ${campaign_id} and hour < ${since}) as complete`)
  return { campaign_id, since, complete: rows[0]?.complete ?? true }
}

/** Names of tables and columns are written into statements as they stand in counters.ts. */
const list = (names: readonly string[], of: (name: string) => string = (name) => name) =>
  sql.raw(names.map(of).join(', '))

const columnsOf = ({ counts, firsts = [] }: Counter) => [...counts, ...firsts]

const objectOf = (side: 'k' | 'c' | null, names: readonly string[]) =>
  sql`json_build_object(${list(names, (name) => `'${name}', ${side ? `${side}.` : ''}${name}`)})`

/** `counted` and `kept`. */
const sides = ({ campaign_id, table, counted, comparable = sql`true` }: Counter) => sql`
  counted as materialized (${counted}),
  kept as materialized (select * from ${sql.raw(table)} where campaign_id = ${campaign_id} and ${comparable})`

/** From `counted c` and `kept k`, the pairs that differ. Where there is no row, its counts are 0. */
function differing({ key, counts, firsts = [], at_least = false }: Counter): SQL {
  const row = (side: 'k' | 'c') =>
    [...counts.map((name) => `coalesce(${side}.${name}, 0)`), ...firsts.map((name) => `${side}.${name}`)].join(', ')
  const differs = at_least
    ? [
        ...counts.map((name) => `coalesce(k.${name}, 0) < c.${name}`),
        ...firsts.map((name) => `coalesce(k.${name}, 'infinity') > c.${name}`),
      ].join(' or ')
    : `row(${row('k')}) is distinct from row(${row('c')})`
  return sql`from counted c full join kept k using (${list(key)}) where ${sql.raw(differs)}`
}

/** A row that nothing speaks for goes; of a recipient it would be proof that a mail arrived. */
function repairs(counter: Counter): SQL {
  const { table, key, counts, firsts = [], at_least, filled = {} } = counter
  const all = [...key, ...columnsOf(counter)]
  const right = at_least
    ? [
        ...counts.map((name) => `greatest(coalesce(k.${name}, 0), c.${name}) as ${name}`),
        ...firsts.map((name) => `least(k.${name}, c.${name}) as ${name}`),
      ]
    : columnsOf(counter).map((name) => `c.${name} as ${name}`)
  const others = Object.entries(filled)
  return sql`
    with ${sides(counter)}, differing as materialized (
      select ${list(key)}, c.campaign_id is not null as countable, ${list(right)} ${differing(counter)}
    ), put as (
      insert into ${sql.raw(table)} (${list([...all, ...others.map(([name]) => name)])})
      select ${sql.join([list(all), ...others.map(([, value]) => value)], sql`, `)}
      from differing where countable order by ${list(key)}
      on conflict (${list(key)}) do update set ${list(columnsOf(counter), (name) => `${name} = excluded.${name}`)}
      returning 1
    ), gone as (
      delete from ${sql.raw(table)} t using differing d
      where not d.countable and ${sql.raw(key.map((name) => `t.${name} = d.${name}`).join(' and '))}
      returning 1
    )
    select (select count(*) from put) + (select count(*) from gone) as repaired`
}
