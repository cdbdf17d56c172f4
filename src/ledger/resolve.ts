import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { PROOF, PROVEN } from './evidence.ts'
import { RESEND } from './status.ts'

/** Rows settled by one statement; call again until it returns fewer. */
export const RESOLVE_LIMIT = 5000

/**
 * The owner's word on rows whose answer was lost: `accept` counts them as sent, `resend` puts them back to be sent.
 * A row of which there is evidence is `sent` whatever the word. Rows put back keep the campaign from ending, or take its
 * end back: the campaign is touched also while it is `sending`, which lines this up with an end that is under way.
 *
 * @returns how many rows changed
 */
export async function resolveUnconfirmed(db: Database, campaign_id: number, as: 'accept' | 'resend'): Promise<number> {
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ changed: number }>(sql`
      with locked as materialized (
        select d.campaign_id, d.subscriber_id, ${PROVEN} as proven,
          ${as === 'accept'} or ${PROVEN} as closed
        from deliveries d
        join batches b on b.campaign_id = d.campaign_id and b.n = d.batch
        ${PROOF}
        where d.campaign_id = ${campaign_id} and b.unconfirmed > 0 and d.state = 'unconfirmed'
          -- Of a cancelled campaign nobody is mailed any more.
          and (${as === 'accept'} or exists (select 1 from campaigns c where c.id = ${campaign_id} and c.status <> 'cancelled'))
        order by d.subscriber_id limit ${RESOLVE_LIMIT}
        for update of d
      ), resolved as (
        update deliveries d set
          state = case when l.closed then 'sent' else 'pending' end,
          reason = case when not l.closed then ${RESEND} when not l.proven then 'accepted_by_owner' end,
          sent_at = case when l.closed then d.updated_at end, next_attempt_at = null, updated_at = now()
        from locked l where d.campaign_id = l.campaign_id and d.subscriber_id = l.subscriber_id
        returning d.campaign_id, d.batch, l.closed
      ), sums as (
        select campaign_id, batch, count(*) as n, count(*) filter (where closed) as closed from resolved group by 1, 2
      ), moved as (
        update batches b set
          unconfirmed = b.unconfirmed - s.n, sent = b.sent + s.closed, open = b.open + s.n - s.closed,
          due_at = case when s.n > s.closed then now() else b.due_at end
        from sums s where b.campaign_id = s.campaign_id and b.n = s.batch
      ), reopened as (
        update campaigns set status = 'sending', finished_at = null, updated_at = now()
        where id = ${campaign_id} and status in ('sending', 'sent') and exists (select 1 from resolved where not closed)
      )
      select count(*)::int as changed from resolved`),
  )
  return rows[0]?.changed ?? 0
}
