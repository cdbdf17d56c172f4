import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { settleByEvidence } from './evidence.ts'
import { RESEND } from './status.ts'

/** What becomes of one row. `pending` puts it back as if nothing had happened (surely not sent). */
export interface Verdict {
  subscriber_id: number
  state: 'sent' | 'failed' | 'skipped' | 'unconfirmed' | 'deferred' | 'pending'
  reason: string | null
  answer: string | null
  /** Seconds until a deferred row is due again. */
  delay_seconds: number | null
  provider_message_id: string | null
}

export interface Advance {
  campaign_id: number
  batch: number
  token: string
  lease_seconds: number
  /** The account that carries the marked rows. */
  account: string
  /** Outcomes of the group before, and verdicts on rows that were never marked (skips, waiting opt-outs). */
  verdicts: readonly Verdict[]
  /** The next group: its number within this claim, and its rows. Empty: only record. */
  group_no: number
  mark: readonly number[]
}

export interface Advanced {
  /** The rows that are now `sending`: exactly these may be sent. */
  marked: number[]
  /** False when another sender has the batch: nothing more may be marked or sent. */
  held: boolean
}

/**
 * Records one group and marks the next, in one statement.
 *
 * The batch row is locked first, which lines up everything that happens to a batch; a locking read sees the row as it is
 * after the wait, so the lease token it is compared with is the newest. Marks need that lease. Outcomes need the row's own
 * token instead: a sender that was slow may still tell what it sent, and its `unconfirmed` rows become what they are (and
 * reopen a campaign that ended without them), and one that waits for a resend is closed by having been sent.
 * Counters move by the state each row had under lock, so repeating the call with the same token and group number changes
 * nothing and marks the same rows.
 */
export async function advance(db: Database, a: Advance): Promise<Advanced> {
  const v = a.verdicts
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ marked: number[]; held: boolean }>(sql`
      with batch as materialized (
        select lease_token from batches where campaign_id = ${a.campaign_id} and n = ${a.batch} for update
      ), lease as materialized (
        select 1 from batch where lease_token = ${a.token}::uuid
      ), verdict as materialized (
        select * from unnest(
          ${sql.param(v.map((x) => x.subscriber_id))}::bigint[], ${sql.param(v.map((x) => x.state))}::text[],
          ${sql.param(v.map((x) => x.reason))}::text[], ${sql.param(v.map((x) => x.answer))}::text[],
          ${sql.param(v.map((x) => x.delay_seconds))}::float8[], ${sql.param(v.map((x) => x.provider_message_id))}::text[]
        ) as x (subscriber_id, state, reason, answer, delay_seconds, provider_message_id)
      ), locked as materialized (
        select d.state as old_state, v.* from batch, verdict v
        join deliveries d on d.campaign_id = ${a.campaign_id} and d.subscriber_id = v.subscriber_id and d.batch = ${a.batch}
        where (d.lease_token = ${a.token}::uuid and (d.state = 'sending' or (d.state = 'unconfirmed' and v.state <> 'unconfirmed')
            or (d.state = 'pending' and d.reason = ${RESEND} and v.state = 'sent')))
          or (d.state in ('pending', 'deferred') and v.state in ('skipped', 'failed', 'deferred') and exists (select 1 from lease))
        order by d.subscriber_id
        for update of d
      ), recorded as (
        update deliveries d set
          state = l.state, reason = case when l.state = 'pending' and d.reason = ${RESEND} then d.reason else l.reason end, answer = l.answer,
          next_attempt_at = case when l.state = 'deferred' then now() + make_interval(secs => l.delay_seconds) end,
          provider_message_id = l.provider_message_id,
          attempts = case when l.state = 'pending' then greatest(d.attempts - 1, 0) else d.attempts end,
          sent_at = case when l.state = 'sent' then now() end,
          updated_at = now()
        from locked l where d.campaign_id = ${a.campaign_id} and d.subscriber_id = l.subscriber_id
        returning l.old_state, d.state
      ), wanted as materialized (
        select d.subscriber_id, d.state = 'sending' as repeated from lease, deliveries d
        where d.campaign_id = ${a.campaign_id} and d.batch = ${a.batch}
          and d.subscriber_id = any(${sql.param(a.mark)}::bigint[])
          and (d.state in ('pending', 'deferred')
            or (d.state = 'sending' and d.lease_token = ${a.token}::uuid and d.group_no = ${a.group_no}))
          and exists (select 1 from campaigns where id = ${a.campaign_id} and status = 'sending')
          and (select sending from settings)
        order by d.subscriber_id
        for update of d
      ), marked as (
        update deliveries d set
          state = 'sending', lease_token = ${a.token}::uuid, group_no = ${a.group_no}, account = ${a.account},
          attempts = case when w.repeated then d.attempts else d.attempts + 1 end, updated_at = now()
        from wanted w where d.campaign_id = ${a.campaign_id} and d.subscriber_id = w.subscriber_id
        returning d.subscriber_id
      ), moved as (
        update batches b set
          open = b.open + r.open, sent = b.sent + r.sent, failed = b.failed + r.failed,
          skipped = b.skipped + r.skipped, unconfirmed = b.unconfirmed + r.unconfirmed,
          lease_until = case when exists (select 1 from lease) then now() + make_interval(secs => ${a.lease_seconds}) else b.lease_until end
        from (
          select
            (count(*) filter (where state in ('pending', 'deferred')) - count(*) filter (where old_state <> 'unconfirmed'))::int as open,
            (count(*) filter (where state = 'sent'))::int as sent,
            (count(*) filter (where state = 'failed'))::int as failed,
            (count(*) filter (where state = 'skipped'))::int as skipped,
            (count(*) filter (where state = 'unconfirmed') - count(*) filter (where old_state = 'unconfirmed'))::int as unconfirmed
          from recorded
        ) r
        where b.campaign_id = ${a.campaign_id} and b.n = ${a.batch}
      ), reopened as (
        update campaigns set status = 'sending', finished_at = null, updated_at = now()
        where id = ${a.campaign_id} and status in ('sending', 'sent')
          and exists (select 1 from recorded where old_state = 'unconfirmed' and state in ('pending', 'deferred'))
      )
      select coalesce((select array_agg(subscriber_id::float8) from marked), '{}') as marked, exists (select 1 from lease) as held`),
  )
  // Evidence that came before its row was `unconfirmed` has found nothing to settle then.
  const lost = v.filter((x) => x.state === 'unconfirmed')
  await settleByEvidence(
    db,
    lost.map(({ subscriber_id }) => ({ campaign_id: a.campaign_id, subscriber_id })),
  )
  return rows[0] ?? { marked: [], held: false }
}
