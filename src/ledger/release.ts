import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { LEASE_SLACK } from './claim.ts'

export interface Released {
  /** Rows still to be sent. */
  open: number
  /** Seconds until the first of them is due; 0 when one is due already. */
  wait_seconds: number
}

/**
 * Gives a batch back before its lease ends. `due_at` moves to when the first open row is due, plus slack: the sender's own
 * `retry()` brings the pointer back then, and the sweep only if that is lost.
 *
 * @returns null when the batch is not this sender's any more
 */
export async function releaseBatch(
  db: Database,
  batch: { campaign_id: number; batch: number; token: string },
): Promise<Released | null> {
  const { rows } = await db.execute<{ open: number; wait_seconds: number }>(sql`
    with next as (
      select greatest(coalesce(min(coalesce(d.next_attempt_at, now())), now()), now()) as due_at
      from deliveries d
      where d.campaign_id = ${batch.campaign_id} and d.batch = ${batch.batch} and d.state in ('pending', 'deferred')
    )
    update batches b set
      lease_token = null, lease_until = null, due_at = next.due_at + make_interval(secs => ${LEASE_SLACK})
    from next
    where b.campaign_id = ${batch.campaign_id} and b.n = ${batch.batch} and b.lease_token = ${batch.token}::uuid
    returning b.open, extract(epoch from next.due_at - now())::float8 as wait_seconds`)
  return rows[0] ?? null
}

/** Has the sweep look at a batch that could not be claimed for want of a permit. In seconds from now. */
export async function postponeBatch(db: Database, campaign_id: number, batch: number, seconds: number): Promise<void> {
  await db.execute(sql`
    update batches set due_at = now() + make_interval(secs => ${seconds})
    where campaign_id = ${campaign_id} and n = ${batch} and open > 0 and lease_token is null`)
}
