import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { csvRecord } from '../http/csv.ts'
import { streamFile } from './file.ts'

/** One entry of the proof: who agreed or took it back, to what, when, where, and which text they had read. */
export interface Consent {
  id: number
  action: 'subscribed' | 'resubscribed' | 'unsubscribed'
  /** Null for all mail. */
  list_id: number | null
  /** As it is called now; null once the list was deleted. */
  list_name: string | null
  source: string | null
  wording: string | null
  country: string | null
  reason: string | null
  occurred_at: string
  recorded_at: string
}

/** A subscriber's consents in the order in which they were recorded, at most `limit`. */
export async function listConsents(
  db: Database,
  subscriber_id: number,
  after_id: number,
  limit: number,
): Promise<Consent[]> {
  // Found by the subscriber and then put in order: in the order of ids Postgres would read everybody's.
  const { rows } = await db.execute<Consent & Record<string, unknown>>(sql`
    select c.id::float8 as id, c.action, c.list_id::float8 as list_id, l.name as list_name, c.source, c.wording, c.country,
      c.reason, ${iso(sql`c.occurred_at`)} as occurred_at, ${iso(sql`c.recorded_at`)} as recorded_at
    from (select c.* from consents c where c.subscriber_id = ${subscriber_id} offset 0) c
    left join mailing_lists l on l.id = c.list_id
    where c.id > ${after_id} order by c.id limit ${limit}`)
  return rows
}

const COLUMNS = [
  'id',
  'action',
  'list_id',
  'list_name',
  'source',
  'wording',
  'country',
  'reason',
  'occurred_at',
  'recorded_at',
] as const satisfies (keyof Consent)[]

const PAGE = 1000

/** All consents of a subscriber as CSV; each line says whose. */
export const exportConsents = (
  db: Database,
  { id, email }: { id: number; email: string },
  formula_safe: boolean,
): ReadableStream<Uint8Array> =>
  streamFile<number>(csvRecord(['subscriber_id', 'email', ...COLUMNS], false), async (after_id) => {
    const rows = await listConsents(db, id, after_id ?? 0, PAGE)
    const lines = rows.map((row) => csvRecord([id, email, ...COLUMNS.map((column) => row[column])], formula_safe))
    return { text: lines.join(''), next: rows.length < PAGE ? null : (rows.at(-1)?.id ?? null) }
  })
