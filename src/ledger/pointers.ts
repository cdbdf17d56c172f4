import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'

/** A pointer that was just sent must have run after this many seconds; later the sweep sends another. */
const FIRST_DUE = 900

/**
 * The next open batches of a campaign, by number, for which a pointer is about to be sent. Their `due_at` moves on in the
 * same statement, so the sweep leaves them alone meanwhile.
 */
export async function nextPointers(db: Database, campaign_id: number, from: number, limit: number): Promise<number[]> {
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ n: number }>(sql`
      with next as materialized (
        select campaign_id, n from batches where campaign_id = ${campaign_id} and n >= ${from} and open > 0
        order by n limit ${limit} for update
      ), moved as (
        update batches b set due_at = greatest(b.due_at, now() + make_interval(secs => ${FIRST_DUE}))
        from next where b.campaign_id = next.campaign_id and b.n = next.n
        returning b.n
      )
      select n from moved order by n`),
  )
  return rows.map((row) => row.n)
}
