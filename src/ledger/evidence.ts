import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { RESEND } from './status.ts'

/**
 * Proof that a mail left: a reader did something with it, or a server told of it. `PROOF` joins it to `deliveries d`, and
 * `PROVEN` says whether there is any.
 */
export const PROOF = sql`
  left join recipient_stats e on e.campaign_id = d.campaign_id and e.subscriber_id = d.subscriber_id
  left join recipient_feedback f on f.campaign_id = d.campaign_id and f.subscriber_id = d.subscriber_id`
export const PROVEN = sql`(e.campaign_id is not null or f.accepted_at is not null)`

/**
 * The parts of a statement that settle rows nobody will answer for any more: `sent` where there is proof of it, otherwise
 * `unconfirmed`. `sums` holds, by batch, what the counters move by, from the states found under lock.
 *
 * @param which - a condition on `deliveries d`; it must imply the state `sending`, `unconfirmed`, or an open one for a resend
 */
export function settling(which: SQL): SQL {
  return sql`
    locked as materialized (
      select d.campaign_id, d.subscriber_id, d.batch, d.state as old_state, ${PROVEN} as proven
      from deliveries d ${PROOF}
      where ${which}
      order by d.campaign_id, d.subscriber_id
      for update of d
    ), settled as (
      update deliveries d set
        state = case when l.proven then 'sent' else 'unconfirmed' end,
        reason = case when l.proven then null else 'no_answer' end,
        sent_at = case when l.proven then coalesce(d.sent_at, d.updated_at) end,
        next_attempt_at = null, updated_at = now()
      from locked l
      where d.campaign_id = l.campaign_id and d.subscriber_id = l.subscriber_id
        and (l.proven or l.old_state = 'sending')
      returning d.campaign_id, d.subscriber_id, d.batch, l.old_state, d.state
    ), sums as (
      select campaign_id, batch,
        count(*) filter (where old_state <> 'unconfirmed') as closed,
        count(*) filter (where old_state = 'unconfirmed') as was_unconfirmed,
        count(*) filter (where state = 'sent') as sent,
        count(*) filter (where state = 'unconfirmed') as unconfirmed
      from settled group by campaign_id, batch
    )`
}

/**
 * What a reader did, and what a server told, prove that a mail had left: `unconfirmed` rows of these recipients, and those
 * that wait for a resend, become `sent`. Call it after the events are in SQL; calling it again changes nothing.
 */
export async function settleByEvidence(
  db: Database,
  touched: readonly { campaign_id: number; subscriber_id: number }[],
): Promise<void> {
  if (touched.length === 0) return
  const campaigns = touched.map((t) => t.campaign_id)
  const subscribers = touched.map((t) => t.subscriber_id)
  await retryDeadlocks(() =>
    db.execute(
      sql`
        with ${settling(sql`
          (d.state = 'unconfirmed' or (d.state in ('pending', 'deferred') and d.reason = ${RESEND})) and ${PROVEN}
          and (d.campaign_id, d.subscriber_id) in (
            select * from unnest(${sql.param(campaigns)}::bigint[], ${sql.param(subscribers)}::bigint[]))`)}
        update batches b set
          open = b.open - s.closed, sent = b.sent + s.sent,
          unconfirmed = b.unconfirmed + s.unconfirmed - s.was_unconfirmed
        from sums s where b.campaign_id = s.campaign_id and b.n = s.batch`,
    ),
  )
}
