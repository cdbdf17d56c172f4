// For tables that are filled by millions of rows in SQL.
import type { BenchDatabase } from './database.ts'

/** Drops all but the primary keys, to be made afterwards in one go. @returns the statements that make them */
export async function dropIndexes(sql: BenchDatabase['sql'], tables: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ name: string; definition: string }>(
    `select c.relname as name, pg_get_indexdef(c.oid) as definition from pg_index i join pg_class c on c.oid = i.indexrelid
      where i.indrelid = any($1::text[]::regclass[]) and not i.indisprimary`,
    [tables],
  )
  for (const { name } of rows) await sql(`drop index ${name}`)
  // Of a partitioned table it says ONLY, which would leave out every partition.
  return rows.map(({ definition }) => definition.replace(' ON ONLY ', ' ON '))
}

/** Of events: how many there are of each kind, and how many of those are a person's. */
export const EVENT_SUMS = `count(*) filter (where kind = 'open') as opens, count(*) filter (where kind = 'click') as clicks,
  count(*) filter (where kind = 'open' and verdict = 'human') as human_opens,
  count(*) filter (where kind = 'click' and verdict = 'human') as human_clicks`

/** Counts what each recipient did from the events. */
export const RECIPIENT_STATS = `
  insert into recipient_stats (campaign_id, subscriber_id, opens, clicks, human_opens, human_clicks, first_opened_at, first_clicked_at)
  select campaign_id, subscriber_id, ${EVENT_SUMS}, min(occurred_at) filter (where kind = 'open'), min(occurred_at) filter (where kind = 'click')
  from campaign_events group by 1, 2`
