// Rows of addresses, domains and keyed hashes that must not be mailed.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { eraseAlone } from '../subscribers/erasure.ts'
import { insertSuppressions, type SuppressionRow } from '../suppressions/insert.ts'
import { suppressHashed } from '../suppressions/match.ts'
import { commitSlice, type News } from './commit.ts'
import type { Destination } from './intake.ts'
import type { Hold } from './lease.ts'
import type { Columns } from './mapping.ts'
import type { Slice } from './slice.ts'
import type { StoredImport } from './store.ts'
import { toSuppression } from './suppression-row.ts'

/** What is suppressed already stays as it is, with its first reason, and counts as unchanged. */
export class Suppressions implements Destination<SuppressionRow> {
  readonly #db: Database
  readonly #held: StoredImport
  readonly #hold: Hold
  #has_hashes = false

  constructor(db: Database, held: StoredImport, hold: Hold) {
    this.#db = db
    this.#held = held
    this.#hold = hold
  }

  read(columns: Columns, cells: string[]) {
    return toSuppression(columns, cells, { file_name: this.#held.file_name })
  }

  who() {
    return null
  }

  async prepare(slice: Slice<SuppressionRow>, news: News): Promise<() => Promise<unknown>> {
    const rows = slice.rows.map(({ row }) => row)
    if (this.#held.dry_run) {
      const found = await this.#db.execute<{ created: number }>(countNew(rows))
      const created = found.rows[0]?.created ?? 0
      const counts = { created, unchanged: rows.length - created }
      return () => commitSlice(this.#db, this.#hold, slice, counts, [], news)
    }
    const has_hashes = rows.some(({ kind }) => kind === 'hash')
    this.#has_hashes ||= has_hashes
    // Whoever is writing subscribers now is seen by the search for hashed addresses; whoever comes later sees the hashes.
    const statements = has_hashes ? [eraseAlone()] : []
    if (rows.length > 0) statements.push(insertAndCount(this.#hold.import_id, rows))
    return () => commitSlice(this.#db, this.#hold, slice, {}, statements, news)
  }

  /**
   * Suppresses the addresses of subscribers whose hashes have come in. At the file's end once more for all hashes there
   * are: the part that brought some may have died before it came to this.
   */
  async end(hash_key: string, complete: boolean): Promise<void> {
    if (this.#held.dry_run || !(complete || this.#has_hashes)) return
    await suppressHashed(this.#db, hash_key, null)
  }
}

const insertAndCount = (import_id: number, rows: readonly SuppressionRow[]): SQL => sql`
  with fresh as (${insertSuppressions(JSON.stringify(rows))}), counted as (select count(*)::int as n from fresh)
  update imports set rows = rows + ${rows.length}, created = created + counted.n,
    unchanged = unchanged + ${rows.length} - counted.n
  from counted where imports.id = ${import_id}`

/** How many of these would be new. */
const countNew = (rows: readonly SuppressionRow[]): SQL => sql`
  select count(*)::int as created from (
    select distinct i.kind, i.value from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as i (kind text, value text)
  ) i
  where not exists (select from suppressions s where s.kind = i.kind and s.value = i.value)`
