import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** How long news is kept as it came in. Services tell again what was not taken for days, never for this long. */
const DAYS = 30
/** Rows a statement: well under a second. */
const SLICE = 5000

/**
 * Deletes news that is older than {@link DAYS} days, slice by slice; what it meant stays. Stops when the time is over: the
 * next run goes on.
 *
 * @param until - ms since 1970; no slice is begun later
 * @returns how many were deleted
 */
export async function forgetFeedback(db: Database, until: number, now: () => Date): Promise<number> {
  let sum = 0
  while (now().getTime() <= until) {
    const { rows } = await db.execute<{ deleted: number }>(sql`
      with old as (
        delete from feedback_events where event_id in (
          select event_id from feedback_events
          where received_at < now() - make_interval(days => ${DAYS}) order by received_at limit ${SLICE})
        returning 1
      )
      select count(*)::int as deleted from old`)
    const deleted = rows[0]?.deleted ?? 0
    sum += deleted
    if (deleted < SLICE) break
  }
  return sum
}
