// The months of campaign_events. Old events are forgotten by dropping a month, which costs nothing; rows that no month
// claims lie in campaign_events_default.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { log } from '../log.ts'

/** How long events are kept by default, in days: thirteen months, so that a month can be compared with last year's. */
export const EVENT_RETENTION_DAYS = 395

/** @param text - the variable; empty is the default. @throws when it is no number of days */
export function parseRetentionDays(text: string | undefined): number {
  const days = Number(text || EVENT_RETENTION_DAYS)
  if (Number.isInteger(days) && days >= 1) return days
  throw new Error('EVENT_RETENTION_DAYS must be a whole number of days, from 1')
}

const DAY = 86_400_000
/** One installation's runs wait for each other; the number only has to be no other lock's. */
const LOCK = 7_305_021

/** A wait for a table's lock makes everybody after it wait too: give up soon, the next run tries again. */
const LOCK_TIMEOUT = `perform set_config('lock_timeout', '5000', true)`

interface Month {
  /** `campaign_events_2026_11` */
  table: string
  /** First day, and first day of the next month, as `2026-11-01`. */
  from: string
  to: string
}

/**
 * Sees to it that this and the next month have a partition of their own, and drops those whose last event is older than
 * the retention. May run at any time and at once with itself.
 *
 * @param retention_days - EVENT_RETENTION_DAYS
 */
export async function ensurePartitions(
  db: Database,
  now: Date,
  retention_days: number = EVENT_RETENTION_DAYS,
): Promise<void> {
  const { rows } = await db.execute<{ name: string }>(sql`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'campaign_events'::regclass`)
  const present = new Set(rows.map((row) => row.name))

  for (const month of [monthOf(now, 0), monthOf(now, 1)]) {
    if (present.has(month.table)) continue
    await db.execute(sql.raw(createMonth(month)))
    log('partition_created', { table: month.table })
  }

  const oldest = new Date(now.getTime() - retention_days * DAY)
  for (const table of present) {
    const month = /^campaign_events_(\d{4})_(\d{2})$/.exec(table)
    if (!month || Date.UTC(Number(month[1]), Number(month[2])) > oldest.getTime()) continue
    await db.execute(sql.raw(dropMonth(table)))
    log('partition_dropped', { table })
  }
  await db.execute(sql`delete from campaign_events_default where occurred_at < ${oldest.toISOString()}::timestamptz`)
}

function monthOf(now: Date, later: number): Month {
  const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + later))
  const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + later + 1))
  const day = (date: Date) => date.toISOString().slice(0, 10)
  return { table: `campaign_events_${day(from).slice(0, 7).replace('-', '_')}`, from: day(from), to: day(to) }
}

/**
 * One statement, so it happens whole or not at all. The month's rows that came too early are moved out of the default
 * partition, which otherwise would refuse the new one. The whole table is locked for that moment, once a month: a write
 * that had already chosen the default partition would be refused by it.
 */
const createMonth = ({ table, from, to }: Month) => `
do $$ begin
  ${LOCK_TIMEOUT};
  perform pg_advisory_xact_lock(${LOCK});
  if to_regclass('${table}') is null then
    lock table campaign_events in access exclusive mode;
    create table ${table} (like campaign_events including all);
    with moved as (
      delete from campaign_events_default
      where occurred_at >= '${from} 00:00:00+00' and occurred_at < '${to} 00:00:00+00'
      returning *
    )
    insert into ${table} select * from moved;
    alter table campaign_events attach partition ${table}
      for values from ('${from} 00:00:00+00') to ('${to} 00:00:00+00');
  end if;
end $$`

const dropMonth = (table: string) => `
do $$ begin
  ${LOCK_TIMEOUT};
  drop table if exists ${table};
end $$`
