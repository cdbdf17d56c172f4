import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { BatchPointer } from '../dispatch/message.ts'

/** Pointers one sweep may send. */
export const SWEEP_LIMIT = 1000

/** A swept batch must have run after this many seconds. Long, so that a slow queue does not fill up with repeats. */
const NEXT_DUE = 1800

/**
 * Takes the batches whose pointer must have been lost: overdue, open, not leased, of a campaign that is sending. `due_at`
 * moves on in the same statement, so two sweeps, or a sweep each minute, never send the same pointer twice in a row.
 */
export async function sweepBatches(db: Database, limit = SWEEP_LIMIT): Promise<BatchPointer[]> {
  const { rows } = await db.execute<{ campaign_id: number; batch: number }>(sql`
    with overdue as materialized (
      select b.campaign_id, b.n from batches b join campaigns c on c.id = b.campaign_id
      where b.open > 0 and b.due_at < now() and (b.lease_until is null or b.lease_until < now())
        and c.status = 'sending' and (select sending from settings)
      order by b.due_at limit ${limit}
      for update of b skip locked
    )
    update batches b set due_at = now() + make_interval(secs => ${NEXT_DUE})
    from overdue o where b.campaign_id = o.campaign_id and b.n = o.n
    returning b.campaign_id::float8 as campaign_id, b.n as batch`)
  return rows
}

/** Campaigns that are sending, for which a freeze may have died or completion may be due. */
export async function sendingCampaigns(db: Database): Promise<{ id: number; frozen: boolean; stale: boolean }[]> {
  const { rows } = await db.execute<{ id: number; frozen: boolean; stale: boolean }>(sql`
    select id::float8 as id, frozen_at is not null as frozen, updated_at < now() - interval '5 minutes' as stale
    from campaigns where status = 'sending' order by id limit 1000`)
  return rows
}
