import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'

/** Rows settled by one statement; call again until it returns fewer. */
export const RESOLVE_LIMIT = 5000

/**
 * The owner's word on rows whose answer was lost: `accept` counts them as sent, `resend` puts them back to be sent.
 * A row that evidence has already settled is left as it is.
 *
 * @returns how many rows changed
 */
export async function resolveUnconfirmed(db: Database, campaign_id: number, as: 'accept' | 'resend'): Promise<number> {
  const state = as === 'accept' ? 'sent' : 'pending'
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ changed: number }>(sql`
      with locked as materialized (
        select d.subscriber_id, d.batch from deliveries d
        join batches b on b.campaign_id = d.campaign_id and b.n = d.batch
        where d.campaign_id = ${campaign_id} and b.unconfirmed > 0 and d.state = 'unconfirmed'
        order by d.subscriber_id limit ${RESOLVE_LIMIT}
        for update of d
      ), resolved as (
        update deliveries d set
          state = ${state}, reason = ${as === 'accept' ? 'accepted_by_owner' : null},
          sent_at = case when ${state} = 'sent' then d.updated_at end, next_attempt_at = null, updated_at = now()
        from locked l where d.campaign_id = ${campaign_id} and d.subscriber_id = l.subscriber_id
        returning d.batch
      ), sums as (
        select batch, count(*) as n from resolved group by batch
      ), moved as (
        update batches b set
          unconfirmed = b.unconfirmed - s.n,
          sent = b.sent + case when ${state} = 'sent' then s.n else 0 end,
          open = b.open + case when ${state} = 'pending' then s.n else 0 end,
          due_at = case when ${state} = 'pending' then now() else b.due_at end
        from sums s where b.campaign_id = ${campaign_id} and b.n = s.batch
      ), reopened as (
        update campaigns set status = 'sending', finished_at = null, updated_at = now()
        where id = ${campaign_id} and status = 'sent' and ${state} = 'pending' and exists (select 1 from resolved)
      )
      select count(*)::int as changed from resolved`),
  )
  return rows[0]?.changed ?? 0
}
