import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { PROOF, PROVEN } from './evidence.ts'

/** Why a row ends as `failed`. */
export const FAILURE_REASONS = [
  'no_such_address',
  'refused',
  'blocked',
  'gave_up',
  'not_rendered',
  'not_sendable',
] as const
export type FailureReason = (typeof FAILURE_REASONS)[number]

/** Rows put back by one statement. */
const RETRY_LIMIT = 5000

export interface Retried {
  /** Rows that are `pending` again. */
  changed: number
  /** Where the next statement goes on; null when there is no more to look at. */
  next: number | null
}

/**
 * Puts failed rows back, as if they had never been tried. Whom the provider called dead is left alone unless the reason is
 * named, and whose mail has left all the same always.
 *
 * The campaign is locked first: its end waits for the rows put back, or is taken back with them, and it stays paused if it
 * is. What had failed before no longer counts towards the share that pauses it. Rows are looked at once, by subscriber id,
 * so that what fails again meanwhile is not put back for ever.
 *
 * @param reasons - which failures; null for all but `no_such_address`
 * @param after - `next` of the statement before; 0 to begin
 * @returns null when the campaign is neither sending, paused nor sent
 */
export async function retryFailed(
  db: Database,
  campaign_id: number,
  reasons: readonly FailureReason[] | null,
  after: number,
  limit = RETRY_LIMIT,
): Promise<Retried | null> {
  const wanted = reasons ? sql`d.reason = any(${sql.param(reasons)}::text[])` : sql`d.reason <> 'no_such_address'`
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ changed: number; next: number | null; allowed: boolean }>(sql`
      with campaign as materialized (
        select id from campaigns
        where id = ${campaign_id} and started_at is not null and status in ('sending', 'paused', 'sent')
        for update
      ), locked as materialized (
        select d.campaign_id, d.subscriber_id
        from campaign c
        join batches b on b.campaign_id = c.id and b.failed > 0
        join deliveries d on d.campaign_id = c.id and d.batch = b.n
        ${PROOF}
        where d.campaign_id = ${campaign_id} and d.subscriber_id > ${after} and d.state = 'failed' and ${wanted}
          and not ${PROVEN}
        order by d.subscriber_id limit ${limit}
        for update of d
      ), put_back as (
        update deliveries d set
          state = 'pending', reason = null, answer = null, attempts = 0, next_attempt_at = null,
          lease_token = null, group_no = null, updated_at = now()
        from locked l where d.campaign_id = l.campaign_id and d.subscriber_id = l.subscriber_id
        returning d.campaign_id, d.batch
      ), sums as (
        select campaign_id, batch, count(*) as n from put_back group by 1, 2
      ), moved as (
        update batches b set failed = b.failed - s.n, open = b.open + s.n, due_at = now()
        from sums s where b.campaign_id = s.campaign_id and b.n = s.batch
      ), touched as (
        update campaigns c set
          status = case c.status when 'sent' then 'sending' else c.status end, finished_at = null,
          failed_at_resume = b.failed - p.n, tried_at_resume = b.tried - p.n, updated_at = now()
        from campaign, (select count(*) as n from put_back) p, (
          select coalesce(sum(failed), 0) as failed, coalesce(sum(sent + failed), 0) as tried
          from batches where campaign_id = ${campaign_id}
        ) b
        where c.id = campaign.id and p.n > 0
      )
      select (select count(*)::int from put_back) as changed, (select max(subscriber_id)::float8 from locked) as next,
        exists (select 1 from campaign) as allowed`),
  )
  const [row] = rows
  return row?.allowed ? { changed: row.changed, next: row.next } : null
}
