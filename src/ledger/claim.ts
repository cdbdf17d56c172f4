import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { UNSUBSCRIBE_LINK } from '../subscribers/table.ts'
import { settleByEvidence, settling } from './evidence.ts'

/** One recipient of a claimed batch, with what rendering needs. */
export interface ClaimedRow {
  subscriber_id: number
  attempts: number
  /** Why this person must not be mailed any more; null for all others. */
  skip: 'deleted' | 'unsubscribed' | 'bounced' | 'complained' | 'paused' | 'suppressed' | null
  /**
   * Ms of the newest opt-out by link that SQL knows, or of a resubscription to all mail or one of the campaign's lists; 0
   * when there is none. A later one in Redis holds the mail back. Nothing else counts: an import, leaving one list by API,
   * or coming back to another, says nothing about an opt-out that is still on its way.
   */
  known_optout_at: number
  email: string
  first_name: string | null
  last_name: string | null
  attributes: Record<string, unknown>
  timezone: string | null
  locale: string | null
}

export type Claim =
  | { claimed: true; rows: ClaimedRow[]; size: number }
  /** `done`: nothing open. `leased`: another sender has it. `halted`: the campaign or all sending is stopped. */
  | { claimed: false; why: 'done' | 'leased' | 'halted' }

/** After a lease ends this much may pass before the sweep sends another pointer. In seconds. */
export const LEASE_SLACK = 60

/**
 * Leases a batch for one sender and reads the rows that are due, in one statement.
 *
 * The batch is locked first, and the lease tested on the row that the lock yields, which is the newest: of two senders one
 * gets it. Rows that a dead predecessor left in `sending` are settled: by evidence `sent`, otherwise `unconfirmed`, never
 * sent again. What is read beside that may be older than the lock by the time a predecessor's last record took; the mark
 * looks at each row once more. Repeating a claim with the same token gives the same rows.
 *
 * @param token - a fresh UUID, chosen by the sender
 * @param lease_seconds - how long the batch is the sender's; every mark extends it
 */
export async function claimBatch(
  db: Database,
  claim: { campaign_id: number; batch: number; token: string; lease_seconds: number },
): Promise<Claim> {
  const { campaign_id, batch, token, lease_seconds } = claim
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ size: number; due: ClaimedRow[]; lost: number[] }>(sql`
      with free as materialized (
        select b.campaign_id, b.n from batches b
        where b.campaign_id = ${campaign_id} and b.n = ${batch} and b.open > 0
          and (b.lease_token is null or b.lease_until < now() or b.lease_token = ${token}::uuid)
          and exists (select 1 from campaigns c where c.id = b.campaign_id and c.status = 'sending')
          and (select sending from settings)
        for update of b
      ), ${settling(sql`
        (d.campaign_id, d.batch) in (select campaign_id, n from free) and d.state = 'sending'
        and d.lease_token <> ${token}::uuid`)},
      leased as (
        update batches b set
          open = b.open - coalesce(s.closed, 0), sent = b.sent + coalesce(s.sent, 0),
          unconfirmed = b.unconfirmed + coalesce(s.unconfirmed, 0),
          lease_token = ${token}::uuid,
          lease_until = now() + make_interval(secs => ${lease_seconds}),
          due_at = now() + make_interval(secs => ${lease_seconds + LEASE_SLACK})
        from free f left join sums s on true
        where b.campaign_id = f.campaign_id and b.n = f.n
        returning b.size
      ), due as (
        select d.subscriber_id, d.attempts,
          case
            when s.id is null then 'deleted'
            when s.status <> 'active' then s.status
            when m.subscribed is not true then 'unsubscribed'
            when s.paused_until > now() then 'paused'
            when a.id is not null or o.id is not null then 'suppressed'
          end as skip,
          coalesce((select extract(epoch from max(p.occurred_at)) * 1000 from consents p
            where p.subscriber_id = d.subscriber_id
              and ((p.action = 'unsubscribed' and starts_with(p.source, ${UNSUBSCRIBE_LINK})) or (p.action = 'resubscribed'
                and (p.list_id is null or c.audience -> 'include' @> to_jsonb(p.list_id))))), 0)::float8 as known_optout_at,
          coalesce(s.email, '') as email, s.first_name, s.last_name, coalesce(s.attributes, '{}') as attributes, s.timezone, s.locale
        from free f
        join deliveries d on d.campaign_id = f.campaign_id and d.batch = f.n
        join campaigns c on c.id = d.campaign_id
        left join subscribers s on s.id = d.subscriber_id
        left join lateral (
          select bool_or(m.status = 'subscribed') as subscribed from list_members m
          where m.subscriber_id = d.subscriber_id
            and m.list_id in (select jsonb_array_elements(c.audience -> 'include')::bigint)
        ) m on true
        left join suppressions a on a.kind = 'address' and a.value = lower(s.email)
        left join suppressions o on o.kind = 'domain' and o.value = lower(split_part(s.email, '@', 2))
        where d.state = 'pending' or (d.state = 'deferred' and d.next_attempt_at <= now())
      )
      select size, coalesce((select json_agg(due order by subscriber_id) from due), '[]') as due,
        coalesce((select array_agg(subscriber_id::float8) from settled where state = 'unconfirmed'), '{}') as lost
      from leased`),
  )
  const [leased] = rows
  if (!leased) return { claimed: false, why: await refusal(db, campaign_id, batch) }
  // Evidence that was written while the rows were being settled has found none of them `unconfirmed`.
  await settleByEvidence(
    db,
    leased.lost.map((subscriber_id) => ({ campaign_id, subscriber_id })),
  )
  return { claimed: true, rows: leased.due, size: leased.size }
}

async function refusal(db: Database, campaign_id: number, batch: number): Promise<'done' | 'leased' | 'halted'> {
  const { rows } = await db.execute<{ open: number; halted: boolean }>(sql`
    select b.open, c.status <> 'sending' or not (select sending from settings) as halted
    from batches b join campaigns c on c.id = b.campaign_id
    where b.campaign_id = ${campaign_id} and b.n = ${batch}`)
  const [now] = rows
  if (!now || now.open === 0) return 'done'
  return now.halted ? 'halted' : 'leased'
}
