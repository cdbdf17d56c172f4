import { type SQL, sql } from 'drizzle-orm'

/** One suppression as it is written: checked, `value` lower-case. */
export interface SuppressionRow {
  kind: 'address' | 'domain' | 'hash'
  value: string
  reason: 'manual' | 'unsubscribe' | 'bounce' | 'complaint' | 'deleted'
  source: string | null
  /** ISO 8601; undefined for now. */
  created_at?: string | undefined
}

/**
 * An INSERT of suppressions that answers the `id` of each new one; it can stand as a part of a larger statement. What is
 * suppressed already stays as it is, with its first reason; of a value that is given twice, the first counts. Written in the
 * order of the key, so that parallel calls lock in the same order.
 *
 * Who adds hashes runs it in a transaction that begins with `eraseAlone`, and calls `suppressHashed` (match.ts) after it.
 *
 * @param rows - a JSON array of {@link SuppressionRow}
 */
export const insertSuppressions = (rows: string): SQL => sql`
  insert into suppressions (kind, value, reason, source, created_at)
  select distinct on (i.kind, i.value) i.kind, i.value, i.reason, i.source, least(coalesce(i.created_at, now()), now())
  from jsonb_array_elements(${rows}::jsonb) with ordinality as e (row, n)
  cross join lateral jsonb_to_record(e.row) as i (kind text, value text, reason text, source text, created_at timestamptz)
  order by i.kind, i.value, e.n
  on conflict (kind, value) do nothing
  returning id::float8 as id`
