// Rows of people: subscribers with their lists and consents.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { createdHere } from '../subscribers/judge.ts'
import type { SubscriberRow } from '../subscribers/row.ts'
import { type PassEnd, writeStatements } from '../subscribers/write.ts'
import { commitSlice, type News } from './commit.ts'
import { foretellRows } from './foretell.ts'
import type { Destination } from './intake.ts'
import { emptied, type Hold } from './lease.ts'
import type { Columns } from './mapping.ts'
import { refusalReason, WAS_DELETED } from './reason.ts'
import { toRow } from './row.ts'
import { Seen } from './seen.ts'
import type { ReadRow, Slice } from './slice.ts'
import type { StoredImport } from './store.ts'

/** Rows that a dry run shows. */
const SAMPLES = 10

export class People implements Destination<SubscriberRow> {
  readonly #db: Database
  readonly #hash_key: string
  readonly #held: StoredImport
  readonly #hold: Hold
  readonly #settings: Parameters<typeof toRow>[2]
  readonly #seen = new Seen()
  #sample: Record<string, unknown>[]
  /** Whether everybody in the slice before was new: then the next is tried as if they were as well. */
  #all_new = true

  constructor(db: Database, hash_key: string, held: StoredImport, hold: Hold) {
    this.#db = db
    this.#hash_key = hash_key
    this.#held = held
    this.#hold = hold
    this.#sample = held.sample ?? []
    const { list_ids, tags, consent_source } = held.options
    this.#settings = { list_ids, tags, consent_source, file_name: held.file_name }
  }

  read(columns: Columns, cells: string[]) {
    return toRow(columns, cells, this.#settings)
  }

  who({ email }: SubscriberRow) {
    return email?.toLowerCase() ?? null
  }

  async prepare(slice: Slice<SubscriberRow>, news: News): Promise<() => Promise<unknown>> {
    const rows = slice.rows.map(({ row }) => row)
    if (this.#held.dry_run) return this.#foretell(slice, rows, news)
    const { policy } = this.#held.options
    const { import_id } = this.#hold
    const commit = (statements: SQL[]) => commitSlice(this.#db, this.#hold, slice, {}, statements, news)
    if (rows.length === 0) return () => commit([])
    const count = (ns: number[]) => countPass(import_id, ns, slice.rows)
    const ways = await writeStatements(this.#hash_key, 'upsert', rows, policy, count)
    return async () => {
      const short = this.#all_new ? ways.whenAllNew(countAllNew(import_id, rows.length)) : null
      if (short) {
        try {
          return await commit(short)
        } catch (error) {
          if (!emptied(error, 'rows')) throw error
        }
      }
      // The last statement has changed nothing when nobody was left to count after those who were created.
      this.#all_new = (await commit(ways.statements)).at(-1)?.rowCount === 0
    }
  }

  /** Nothing is written but the import's own counts, so that these may be made up here. */
  async #foretell(slice: Slice<SubscriberRow>, rows: SubscriberRow[], news: News): Promise<() => Promise<unknown>> {
    const { policy } = this.#held.options
    const missing = SAMPLES - this.#sample.length
    const counts = { created: 0, updated: 0, unchanged: 0, skipped: 0, kept: 0 }
    for (const told of await foretellRows(this.#db, this.#hash_key, rows, policy, missing)) {
      const { line, row, record } = slice.rows[told.n] ?? {}
      if (line === undefined || row === undefined || record === undefined) continue
      const { outcome, reason, kept, sample } = told
      if (outcome === 'refused') {
        const is_erased = reason === WAS_DELETED
        slice.refused.push({ line, reason: reason ?? '', record: is_erased ? '' : record })
        continue
      }
      counts[this.#seen.outcome(row, outcome, policy)]++
      if (kept) counts.kept++
      if (sample) this.#sample.push({ line, outcome, ...sample })
    }
    if (missing > 0 && this.#sample.length > 0) news.sample = this.#sample
    return () => commitSlice(this.#db, this.#hold, slice, counts, [], news)
  }
}

/** Counts rows that were all created, or has the transaction fail (`emptied`) when somebody was not. */
const countAllNew = (import_id: number, rows: number) => sql`
  update imports set rows = case noted.created when ${rows} then rows + noted.created end,
    created = imports.created + noted.created
  from noted where imports.id = ${import_id}`

/**
 * Counts a pass in the statements that write it, and keeps the records that Postgres refuses; of people who were deleted
 * only their lines.
 */
function countPass(import_id: number, ns: number[], rows: readonly ReadRow<SubscriberRow>[]): PassEnd {
  const lines = ns.map((n) => rows[n]?.line)
  const records = ns.map((n) => rows[n]?.record)
  return {
    created: sql`
      update imports set rows = rows + noted.created, created = imports.created + noted.created
      from noted where imports.id = ${import_id}`,
    settled: sql`
      , mine as materialized (select * from answers where n <> all (${createdHere})),
      kept_refusals as (
        insert into import_refusals (import_id, line, reason, record)
        select ${import_id}, r.line, ${refusalReason}, case when refusal = 'deleted_before' then '' else r.record end
        from mine join unnest(${sql.param(ns)}::int[], ${sql.param(lines)}::int[], ${sql.param(records)}::text[])
          as r(n, line, record) using (n)
        where refusal is not null
        on conflict (import_id, line) do nothing
      ),
      counted as (
        select count(*)::int as n, count(refusal)::int as refused,
          count(*) filter (where refusal is null and skipped)::int as skipped,
          count(*) filter (where refusal is null and not skipped and changed)::int as updated,
          count(*) filter (where refusal is null and (kept is not null or kept_lists <> '{}'))::int as kept
        from mine
      )
      update imports set rows = rows + c.n, refused = imports.refused + c.refused, skipped = imports.skipped + c.skipped,
        updated = imports.updated + c.updated, kept = imports.kept + c.kept,
        unchanged = unchanged + c.n - c.refused - c.skipped - c.updated
      from counted c where imports.id = ${import_id} and c.n > 0`,
  }
}
