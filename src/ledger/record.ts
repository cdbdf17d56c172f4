import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { LEASE_SLACK } from './claim.ts'
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

/** How a batch stands when its sender lets go of it. */
export interface Released {
  /** Rows still to be sent. */
  open: number
  /** Seconds until the first of them is due; 0 when one is due already. */
  wait_seconds: number
  /** The campaign has few open batches left: it may be over. */
  ending: boolean
}

/** From so few open batches on each looks whether the campaign is over: more than can let go in the same moment. */
const LAST_BATCHES = 10

/**
 * Records one group and marks the next, in one statement.
 *
 * The batch row is locked first, which lines up everything that happens to a batch; a locking read sees the row as it is
 * after the wait, so the lease token it is compared with is the newest. Marks need that lease. Outcomes need the row's own
 * token instead: a sender that was slow may still tell what it sent, and its `unconfirmed` rows become what they are (and
 * reopen a campaign that ended without them), and one that waits for a resend is closed by having been sent. A mail that was
 * sent also ends what the campaign says is holding it up.
 * Counters move by the state each row had under lock, so repeating the call with the same token and group number changes
 * nothing and marks the same rows.
 *
 * Deliveries are found through the locked batch, not by the campaign's number as a constant: statistics from before this
 * campaign say that it has no rows, and Postgres then reads all of them to find twenty.
 */
export async function advance(db: Database, a: Advance): Promise<Advanced> {
  const { marked, held } = await step(db, a, false)
  return { marked, held }
}

/**
 * Records what is known and gives the batch back, in one statement. `due_at` moves to when the first open row is due, plus
 * slack: the sender's own `retry()` brings the pointer back then, and the sweep only if that is lost.
 *
 * @returns null when the batch is not this sender's any more; its outcomes are recorded all the same
 */
export async function releaseBatch(
  db: Database,
  batch: { campaign_id: number; batch: number; token: string },
  verdicts: readonly Verdict[] = [],
): Promise<Released | null> {
  const none = { lease_seconds: 0, account: '', group_no: -1, mark: [] }
  const { held, open, wait_seconds, ending } = await step(db, { ...batch, ...none, verdicts }, true)
  return held ? { open, wait_seconds, ending } : null
}

async function step(db: Database, a: Advance, release: boolean): Promise<Advanced & Released> {
  const v = a.verdicts
  const { rows } = await retryDeadlocks(() =>
    db.execute<Advanced & Released & { put_off: number[] } & Record<string, unknown>>(sql`
      with batch as materialized (
        select campaign_id, n, lease_token from batches where campaign_id = ${a.campaign_id} and n = ${a.batch} for update
      ), lease as materialized (
        select campaign_id, n from batch where lease_token = ${a.token}::uuid
      ), verdict as materialized (
        select * from unnest(
          ${sql.param(v.map((x) => x.subscriber_id))}::bigint[], ${sql.param(v.map((x) => x.state))}::text[],
          ${sql.param(v.map((x) => x.reason))}::text[], ${sql.param(v.map((x) => x.answer))}::text[],
          ${sql.param(v.map((x) => x.delay_seconds))}::float8[], ${sql.param(v.map((x) => x.provider_message_id))}::text[]
        ) as x (subscriber_id, state, reason, answer, delay_seconds, provider_message_id)
      ), locked as materialized (
        select d.campaign_id, d.state as old_state, v.* from batch b cross join verdict v
        join deliveries d on d.campaign_id = b.campaign_id and d.subscriber_id = v.subscriber_id and d.batch = b.n
        where (d.lease_token = ${a.token}::uuid and (d.state = 'sending' or (d.state = 'unconfirmed' and v.state <> 'unconfirmed')
            or (d.state = 'pending' and d.reason = ${RESEND} and v.state = 'sent')))
          or (d.state in ('pending', 'deferred') and v.state in ('skipped', 'failed', 'deferred') and exists (select 1 from lease))
        order by d.subscriber_id
        for update of d
      ), recorded as (
        update deliveries d set
          state = l.state, answer = l.answer,
          reason = case when l.state in ('pending', 'deferred') and d.reason = ${RESEND} then d.reason else l.reason end,
          next_attempt_at = case when l.state = 'deferred' then now() + make_interval(secs => l.delay_seconds) end,
          provider_message_id = l.provider_message_id,
          attempts = case when l.state = 'pending' then greatest(d.attempts - 1, 0) else d.attempts end,
          sent_at = case when l.state = 'sent' then now() end,
          updated_at = now()
        from locked l where d.campaign_id = l.campaign_id and d.subscriber_id = l.subscriber_id
        returning d.subscriber_id, l.old_state, d.state, d.reason, d.next_attempt_at
      ), wanted as materialized (
        select d.campaign_id, d.subscriber_id, d.state = 'sending' as repeated
        from lease b join deliveries d on d.campaign_id = b.campaign_id and d.batch = b.n
        where d.subscriber_id = any(${sql.param(a.mark)}::bigint[])
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
        from wanted w where d.campaign_id = w.campaign_id and d.subscriber_id = w.subscriber_id
        returning d.subscriber_id
      ), next as materialized (
        select greatest(coalesce(min(coalesce(o.next_attempt_at, now())), now()), now()) as due_at
        from (
          select next_attempt_at from recorded where state in ('pending', 'deferred')
          union all
          select d.next_attempt_at from batch b join deliveries d on d.campaign_id = b.campaign_id and d.batch = b.n
          where ${release} and d.state in ('pending', 'deferred')
            and d.subscriber_id <> all(${sql.param(v.map((x) => x.subscriber_id))}::bigint[])
        ) o
      ), moved as (
        update batches b set
          open = b.open + r.open, sent = b.sent + r.sent, failed = b.failed + r.failed,
          skipped = b.skipped + r.skipped, unconfirmed = b.unconfirmed + r.unconfirmed,
          lease_token = case when ${release} and exists (select 1 from lease) then null else b.lease_token end,
          lease_until = case
            when not exists (select 1 from lease) then b.lease_until
            when not ${release} then now() + make_interval(secs => ${a.lease_seconds}) end,
          due_at = case
            when ${release} and exists (select 1 from lease) then next.due_at + make_interval(secs => ${LEASE_SLACK})
            else b.due_at end
        from next, (
          select
            (count(*) filter (where state in ('pending', 'deferred')) - count(*) filter (where old_state <> 'unconfirmed'))::int as open,
            (count(*) filter (where state = 'sent'))::int as sent,
            (count(*) filter (where state = 'failed'))::int as failed,
            (count(*) filter (where state = 'skipped'))::int as skipped,
            (count(*) filter (where state = 'unconfirmed') - count(*) filter (where old_state = 'unconfirmed'))::int as unconfirmed
          from recorded
        ) r
        where b.campaign_id = ${a.campaign_id} and b.n = ${a.batch}
        returning b.open
      ), news as (
        select exists (select 1 from recorded where old_state = 'unconfirmed' and state in ('pending', 'deferred')) as reopens,
          exists (select 1 from recorded where state = 'sent') as sends
      ), told as (
        update campaigns set
          status = 'sending', finished_at = null, updated_at = now(),
          status_reason = case when news.sends then null else status_reason end
        from news
        where id = ${a.campaign_id} and ((news.reopens and status in ('sending', 'sent'))
          or (news.sends and status = 'sending' and status_reason is not null))
      )
      select coalesce((select array_agg(subscriber_id::float8) from marked), '{}') as marked, exists (select 1 from lease) as held,
        coalesce((select array_agg(subscriber_id::float8) from recorded
          where state in ('pending', 'deferred') and reason = ${RESEND}), '{}') as put_off,
        coalesce((select open from moved), 0) as open,
        (select extract(epoch from due_at - now())::float8 from next) as wait_seconds,
        ${release} and (select count(*) from (
          select 1 from batches o where o.campaign_id = ${a.campaign_id} and o.open > 0 limit ${LAST_BATCHES}) o) < ${LAST_BATCHES} as ending`),
  )
  const [done] = rows
  // Evidence that came while its row was `sending` has found nothing to settle then.
  const lost = v.filter((x) => x.state === 'unconfirmed').map((x) => x.subscriber_id)
  await settleByEvidence(
    db,
    [...lost, ...(done?.put_off ?? [])].map((subscriber_id) => ({ campaign_id: a.campaign_id, subscriber_id })),
  )
  return done ?? { marked: [], held: false, open: 0, wait_seconds: 0, ending: false }
}
