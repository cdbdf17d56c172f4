// One part of a file at a time: whoever reads one holds the import's lease, and every statement that moves the import tests it.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { notFound, Problem } from '../http/problem.ts'
import type { Position } from './slice.ts'
import { findImport, type StoredImport } from './store.ts'

/**
 * How long a part that gives no sign of life keeps others out, in seconds. Longer than a statement may take; each slice
 * begins it anew.
 */
const LEASE_SECONDS = 60
/** What a caller is told to wait before asking again, in seconds. */
const BUSY_SECONDS = 2

const LEASE = sql.raw(`now() + interval '${LEASE_SECONDS} seconds'`)

/** A part that is being read: which import, and the token that its lease has. */
export interface Hold {
  import_id: number
  token: string
}

/**
 * Takes the import for one part.
 *
 * @param token - a fresh UUID
 * @param from - byte of the file where the part begins
 * @throws {Problem} not_found, wrong_status, import_busy, or upload_offset_mismatch with the right offset
 */
export async function holdImport(db: Database, { import_id, token }: Hold, from: number): Promise<StoredImport> {
  const { rowCount } = await db.execute(sql`
    update imports set lease_token = ${token}::uuid, lease_until = ${LEASE}, updated_at = now()
    where id = ${import_id} and status = 'receiving' and next_offset = ${from}
      and (lease_until is null or lease_until <= now())`)
  const found = await findImport(db, import_id)
  if (found && rowCount === 1 && found.lease_token === token) return found
  throw await refusal(found, import_id, from)
}

/** Why an import does not take a part that begins at `from`. */
async function refusal(found: StoredImport | undefined, import_id: number, from: number): Promise<Problem> {
  if (!found) return notFound('import', import_id)
  const { status, next_offset, is_busy } = found
  if (status !== 'receiving')
    return new Problem('wrong_status', `The import is ${status}: it takes no more of the file.`)
  // Where a part is being read, its end is not known yet.
  if (next_offset !== from && !is_busy) {
    return new Problem('upload_offset_mismatch', `The import goes on at byte ${next_offset} of the file.`, {
      errors: [{ field: 'Upload-Offset', detail: `must be ${next_offset}` }],
      next_offset,
    })
  }
  return new Problem('import_busy', 'Another part is being read. Ask GET for next_offset until it is done.', {
    headers: { 'retry-after': String(BUSY_SECONDS) },
    next_offset,
  })
}

/** What became of rows: the columns of `imports` that count them. `kept` ones are among the others. */
export interface Counts {
  created: number
  updated: number
  unchanged: number
  skipped: number
  refused: number
  kept: number
}

/**
 * First statement of a slice's transaction: moves the import from one position to the next and counts the rows whose end
 * is known by then. When the part no longer holds the import, or somebody else has moved it, the new offset comes out as
 * null, which the column refuses: the transaction fails as a whole, and nothing of the slice is written. Its lock on the
 * row keeps every other slice of the import waiting until this one is through.
 *
 * @param news - columns that change with this slice
 */
export const advance = (
  { import_id, token }: Hold,
  from: number,
  to: Position,
  counts: Partial<Counts>,
  news: { state?: unknown; columns?: unknown; sample?: unknown },
): SQL => sql`
  update imports set
    next_offset = case
      when lease_token = ${token}::uuid and status = 'receiving' and next_offset = ${from} then ${to.offset}::bigint
    end,
    line = ${to.line}, ${addCounts(counts)},
    state = coalesce(${json(news.state)}::jsonb, state), columns = coalesce(${json(news.columns)}::jsonb, columns),
    sample = coalesce(${json(news.sample)}::jsonb, sample),
    lease_until = ${LEASE}, updated_at = now()
  where id = ${import_id}`

/** `rows` is the sum of all but `kept`: the table's own check says so after each statement. */
function addCounts({
  created = 0,
  updated = 0,
  unchanged = 0,
  skipped = 0,
  refused = 0,
  kept = 0,
}: Partial<Counts>): SQL {
  const rows = created + updated + unchanged + skipped + refused
  return sql`
    rows = rows + ${rows}, created = created + ${created}, updated = updated + ${updated},
    unchanged = unchanged + ${unchanged}, skipped = skipped + ${skipped}, refused = refused + ${refused},
    kept = kept + ${kept}`
}

const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value))

/** Whether a transaction failed because its part no longer holds the import, or found it moved (`advance`). */
export const wasMoved = (error: unknown) => emptied(error, 'next_offset')

/** Whether a transaction failed because a statement of its own put null into this column of `imports`, which refuses it. */
export function emptied(error: unknown, column: 'next_offset' | 'rows'): boolean {
  for (let e = error; e instanceof Error; e = e.cause) {
    // 23502: not_null_violation.
    if ('code' in e && e.code === '23502' && 'column' in e && e.column === column) return true
  }
  return false
}

/** Gives the import back: the next part may come. Does nothing when it is held by another by now. */
export async function releaseImport(db: Database, { import_id, token }: Hold): Promise<void> {
  await db.execute(sql`
    update imports set lease_token = null, lease_until = null, updated_at = now()
    where id = ${import_id} and lease_token = ${token}::uuid`)
}

/** The file was read to its end. @throws {Problem} when the import was cancelled or is held by another by now */
export async function finishImport(db: Database, { import_id, token }: Hold, at: number): Promise<void> {
  const { rowCount } = await db.execute(sql`
    update imports set status = 'finished', finished_at = now(), updated_at = now(), lease_token = null, lease_until = null
    where id = ${import_id} and lease_token = ${token}::uuid and status = 'receiving' and next_offset = ${at}`)
  if (rowCount === 0) throw await lostHold(db, import_id, at)
}

/** The file cannot be read: no more of it is taken, what was written stays. */
export async function failImport(db: Database, { import_id, token }: Hold, error: string): Promise<void> {
  await db.execute(sql`
    update imports set status = 'failed', error = ${error}, finished_at = now(), updated_at = now(),
      lease_token = null, lease_until = null
    where id = ${import_id} and lease_token = ${token}::uuid and status = 'receiving'`)
}

/** What to tell a caller whose part lost the import while it was read. */
export async function lostHold(db: Database, import_id: number, at: number): Promise<Problem> {
  return refusal(await findImport(db, import_id), import_id, at)
}

/**
 * Takes no more of the file; what was written stays. A part that is being read fails at its next slice.
 *
 * @throws {Problem} not_found, or wrong_status when the import is over already
 */
export async function cancelImport(db: Database, import_id: number): Promise<void> {
  const { rowCount } = await db.execute(sql`
    update imports set status = 'cancelled', finished_at = now(), updated_at = now(), lease_token = null, lease_until = null
    where id = ${import_id} and status = 'receiving'`)
  if (rowCount === 1) return
  const found = await findImport(db, import_id)
  throw found
    ? new Problem('wrong_status', `The import is ${found.status}: there is nothing to cancel.`)
    : notFound('import', import_id)
}
