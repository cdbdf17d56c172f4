import type { SQL } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks, sqlState } from '../db/retry.ts'
import { advance, type Counts, type Hold, lostHold, wasMoved } from './lease.ts'
import { keepRefusals } from './refusals.ts'
import type { Slice } from './slice.ts'
import { findImport } from './store.ts'

/** Tries of one slice when no answer comes; Neon closes connections when it moves a database. */
const TRIES = 3

/** Columns of the import that change with a slice, beside its position and counts. */
export interface News {
  state?: unknown
  columns?: unknown
  sample?: unknown
}

/**
 * Moves the import over a slice and does what belongs to it, all in one transaction. An answer that is lost on the way is
 * told from a transaction that never happened by where the import is then.
 *
 * @param counts - rows whose end is known already; those that were refused before are counted here
 * @param statements - write the rest, and count it
 * @returns what the statements of the transaction did, or nothing when its answer was lost
 * @throws {Problem} when the part no longer holds the import
 */
export async function commitSlice(
  db: Database,
  hold: Hold,
  slice: Slice<unknown>,
  counts: Partial<Counts>,
  statements: readonly SQL[],
  news: News,
): Promise<{ rowCount: number }[]> {
  const refused = slice.refused.length + (counts.refused ?? 0)
  const first = db.execute(advance(hold, slice.from, slice.to, { ...counts, refused }, news))
  const others = [...(slice.refused.length > 0 ? [keepRefusals(hold.import_id, slice.refused)] : []), ...statements]
  for (let attempt = 1; ; attempt++) {
    try {
      return await retryDeadlocks(() => db.batch([first, ...others.map((statement) => db.execute(statement))]))
    } catch (error) {
      const found = await findImport(db, hold.import_id)
      if (found?.lease_token === hold.token && found.next_offset === slice.to.offset) return []
      if (wasMoved(error)) throw await lostHold(db, hold.import_id, slice.from)
      if (sqlState(error) !== undefined || attempt === TRIES) throw error
    }
  }
}
