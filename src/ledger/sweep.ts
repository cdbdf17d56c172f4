import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { BatchPointer, DispatchMessage } from '../dispatch/message.ts'

/** Pointers one sweep may send. */
const SWEEP_LIMIT = 1000

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

/**
 * Takes the freezes that stand still, to be dispatched again from the batches that are yet to come: lost pointers of those
 * that are there are for `sweepBatches`. `updated_at` moves on in the same statement, as it does with every page.
 */
export async function sweepFreezes(db: Database): Promise<DispatchMessage[]> {
  const { rows } = await db.execute<{ campaign_id: number; enqueued: number }>(sql`
    update campaigns set updated_at = now()
    where status = 'sending' and frozen_at is null and updated_at < now() - interval '5 minutes'
    returning id::float8 as campaign_id, batch_count as enqueued`)
  return rows
}

/** Campaigns that seem to be over, but were not ended. */
export async function finishedCampaigns(db: Database): Promise<number[]> {
  const { rows } = await db.execute<{ id: number }>(sql`
    select c.id::float8 as id from campaigns c
    where c.status = 'sending' and c.frozen_at is not null
      and not exists (select 1 from batches b where b.campaign_id = c.id and b.open > 0)
    order by c.id limit 1000`)
  return rows.map((row) => row.id)
}
