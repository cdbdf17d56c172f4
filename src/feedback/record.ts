// News into SQL: one statement, which therefore happens whole or not at all. It stays in one piece.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { settleByEvidence } from '../ledger/evidence.ts'
import { writeBesideErasures } from '../subscribers/erasure.ts'
import { boundedEvent } from './bounded.ts'
import type { FeedbackEvent } from './event.ts'
import { pauseByFeedback } from './pause.ts'
import { suppressRepeatedly } from './soft.ts'

export interface Recorded {
  /** How many of the events were new. */
  recorded: number
  /** How many of the new ones name no mail of ours: they are kept to be looked at, and nothing follows. */
  unmatched: number
  /** The campaigns whose mails the events are about, also of those that were known. */
  campaigns: number[]
}

/**
 * Writes news down and does what follows from it: counters, suppressions, the status of subscribers, rows of the ledger
 * whose answer was lost, the pause of a campaign. The order in which news comes, and how often, makes no difference.
 *
 * If it throws, some of it may have happened: call it again with the same events, and the rest will.
 */
export async function recordFeedback(
  db: Database,
  given: readonly FeedbackEvent[],
  now: Date = new Date(),
): Promise<Recorded> {
  if (given.length === 0) return { recorded: 0, unmatched: 0, campaigns: [] }
  const events = await Promise.all(given.map((event) => boundedEvent(event, now)))
  const recorded = await write(db, events)
  await suppressRepeatedly(db, events)
  // What was refused at the time of sending proves that the mail did not leave.
  await settleByEvidence(
    db,
    events.filter(({ source, campaign_id, subscriber_id }) => source !== 'answer' && campaign_id && subscriber_id),
  )
  await pauseByFeedback(db, recorded.campaigns, events)
  return recorded
}

/**
 * An event counts when its row is new and never again: every counter moves by the rows that this statement inserted.
 *
 * It belongs to a mail of ours if the ledger has a row that was offered to a service; a complaint does so whatever its row
 * says. A hard bounce suppresses the address that the source names, else the subscriber's; only the latter says something of
 * the subscriber. A complaint is a person's: it suppresses both, and unsubscribes. A deleted subscriber's news is counted,
 * and kept without the words.
 *
 * Each insert goes in the order of its key, so that two calls lock in the same order.
 */
async function write(db: Database, events: readonly FeedbackEvent[]): Promise<Recorded> {
  const column = <Key extends keyof FeedbackEvent>(key: Key) => sql.param(events.map((event) => event[key]))
  const statement = sql`
    with given as materialized (
      select distinct on (event_id) *
      from unnest(
        ${column('event_id')}::text[], ${column('source')}::text[], ${column('kind')}::text[],
        ${column('campaign_id')}::bigint[], ${column('subscriber_id')}::bigint[], ${column('recipient')}::text[],
        ${column('occurred_at')}::timestamptz[], ${column('diagnostic')}::text[], ${column('raw')}::text[]
      ) as e (event_id, source, kind, campaign_id, subscriber_id, recipient, occurred_at, diagnostic, raw)
      order by event_id
    ),
    -- Looked up one by one, each by its key, whatever statistics say of these tables.
    known as materialized (
      select g.*, d.offered is not null and (d.offered or g.kind = 'complaint') as matched,
        s.id is null and d.offered is not null as forgotten
      from given g
      left join lateral (
        select d.state in ('sending', 'sent', 'unconfirmed') or d.lease_token is not null as offered
        from deliveries d where d.campaign_id = g.campaign_id and d.subscriber_id = g.subscriber_id limit 1
      ) d on true
      left join lateral (select s.id from subscribers s where s.id = g.subscriber_id limit 1) s on true
    ),
    fresh as (
      insert into feedback_events (
        event_id, source, kind, campaign_id, subscriber_id, matched, recipient, diagnostic, raw, occurred_at
      )
      select event_id, source, kind, campaign_id, subscriber_id, matched,
        case when not forgotten then recipient end, case when not forgotten then diagnostic end,
        case when not forgotten then raw end, occurred_at
      from known
      order by event_id
      on conflict (event_id) do nothing
      returning source, kind, campaign_id, subscriber_id, matched, recipient, diagnostic, occurred_at
    ),
    added as (
      select campaign_id, subscriber_id,
        (count(*) filter (where kind = 'delivered'))::int as delivered,
        (count(*) filter (where kind = 'soft_bounce'))::int as soft_bounces,
        (count(*) filter (where kind = 'hard_bounce'))::int as hard_bounces,
        (count(*) filter (where kind = 'blocked'))::int as blocks,
        (count(*) filter (where kind = 'complaint'))::int as complaints,
        min(occurred_at) filter (where source <> 'answer') as accepted_at,
        min(occurred_at) filter (where kind = 'delivered') as delivered_at,
        min(occurred_at) filter (where kind = 'soft_bounce') as soft_bounced_at,
        min(occurred_at) filter (where kind = 'hard_bounce') as hard_bounced_at,
        min(occurred_at) filter (where kind = 'blocked') as blocked_at,
        min(occurred_at) filter (where kind = 'complaint') as complained_at,
        (array_agg(diagnostic order by occurred_at desc, diagnostic)
          filter (where kind in ('soft_bounce', 'hard_bounce', 'blocked') and diagnostic is not null))[1] as diagnostic,
        max(occurred_at)
          filter (where kind in ('soft_bounce', 'hard_bounce', 'blocked') and diagnostic is not null) as diagnosed_at
      from fresh
      where matched
      group by campaign_id, subscriber_id
    ),
    recipients as (
      insert into recipient_feedback as r (
        campaign_id, subscriber_id, delivered, soft_bounces, hard_bounces, blocks, complaints, accepted_at,
        delivered_at, soft_bounced_at, hard_bounced_at, blocked_at, complained_at, diagnostic, diagnosed_at
      )
      select campaign_id, subscriber_id, delivered, soft_bounces, hard_bounces, blocks, complaints, accepted_at,
        delivered_at, soft_bounced_at, hard_bounced_at, blocked_at, complained_at, diagnostic, diagnosed_at
      from added
      order by campaign_id, subscriber_id
      on conflict (campaign_id, subscriber_id) do update set
        delivered = r.delivered + excluded.delivered,
        soft_bounces = r.soft_bounces + excluded.soft_bounces,
        hard_bounces = r.hard_bounces + excluded.hard_bounces,
        blocks = r.blocks + excluded.blocks,
        complaints = r.complaints + excluded.complaints,
        accepted_at = least(r.accepted_at, excluded.accepted_at),
        delivered_at = least(r.delivered_at, excluded.delivered_at),
        soft_bounced_at = least(r.soft_bounced_at, excluded.soft_bounced_at),
        hard_bounced_at = least(r.hard_bounced_at, excluded.hard_bounced_at),
        blocked_at = least(r.blocked_at, excluded.blocked_at),
        complained_at = least(r.complained_at, excluded.complained_at),
        diagnostic = case when (excluded.diagnosed_at, r.diagnostic) > (r.diagnosed_at, excluded.diagnostic)
            or r.diagnosed_at is null
          then excluded.diagnostic else r.diagnostic end,
        diagnosed_at = greatest(r.diagnosed_at, excluded.diagnosed_at)
      returning campaign_id, subscriber_id, delivered, soft_bounces, hard_bounces, blocks, complaints
    ),
    -- A recipient's first: the count after this statement is what this statement added.
    totals as (
      insert into campaign_stats as s (campaign_id, delivered, soft_bounces, hard_bounces, blocks, complaints)
      select a.campaign_id,
        count(*) filter (where a.delivered > 0 and r.delivered = a.delivered),
        count(*) filter (where a.soft_bounces > 0 and r.soft_bounces = a.soft_bounces),
        count(*) filter (where a.hard_bounces > 0 and r.hard_bounces = a.hard_bounces),
        count(*) filter (where a.blocks > 0 and r.blocks = a.blocks),
        count(*) filter (where a.complaints > 0 and r.complaints = a.complaints)
      from added a
      join recipients r using (campaign_id, subscriber_id)
      group by a.campaign_id
      order by a.campaign_id
      on conflict (campaign_id) do update set
        delivered = s.delivered + excluded.delivered,
        soft_bounces = s.soft_bounces + excluded.soft_bounces,
        hard_bounces = s.hard_bounces + excluded.hard_bounces,
        blocks = s.blocks + excluded.blocks,
        complaints = s.complaints + excluded.complaints
      returning 1
    ),
    -- The lock yields the address and status that hold: a parallel write may have changed them since this statement began.
    people as (
      select s.id, lower(s.email) as address, s.status, n.complained
      from (
        select subscriber_id, bool_or(kind = 'complaint') as complained
        from fresh where matched and kind in ('hard_bounce', 'complaint')
        group by subscriber_id
      ) n
      join subscribers s on s.id = n.subscriber_id
      order by s.id
      for no key update of s
    ),
    refusals as (
      select f.subscriber_id, f.campaign_id, f.source, f.occurred_at, f.kind = 'complaint' as complained, p.address as own,
        coalesce(f.recipient, p.address) as named
      from fresh f join people p on p.id = f.subscriber_id
      where f.matched and f.kind in ('hard_bounce', 'complaint')
    ),
    -- A complaint says more than a bounce; any other reason was somebody's decision and stays.
    suppressed as (
      insert into suppressions as x (kind, value, reason, source, subscriber_id)
      select distinct on (value) 'address', value, case when complained then 'complaint' else 'bounce' end,
        case when complained then 'complaint' else 'hard bounce' end || ', campaign ' || campaign_id || ' (' || source || ')',
        other_of
      from (
        select named as value, complained, campaign_id, source, occurred_at,
          case when named <> own then subscriber_id end as other_of
        from refusals
        union all
        select own, complained, campaign_id, source, occurred_at, null from refusals where complained
      ) a
      order by value, complained desc, occurred_at, campaign_id
      on conflict (kind, value) do update set reason = excluded.reason, source = excluded.source
      where x.reason = 'bounce' and excluded.reason = 'complaint'
      returning 1
    ),
    -- A status only ever moves to the right.
    ended as (
      update subscribers s set
        status = case when p.complained then 'complained' else 'bounced' end, updated_at = now()
      from people p
      where s.id = p.id
        and ((p.complained and p.status <> 'complained')
          or (p.status in ('active', 'unsubscribed')
            and exists (select from refusals r where r.subscriber_id = p.id and not r.complained and r.named = r.own)))
      returning 1
    ),
    members as (
      insert into list_members as m (list_id, subscriber_id, status, unsubscribed_at)
      select l.id, r.subscriber_id, 'unsubscribed', min(r.occurred_at)
      from refusals r
      join campaigns c on c.id = r.campaign_id
      cross join jsonb_array_elements_text(c.audience -> 'include') as i (list_id)
      join mailing_lists l on l.id = i.list_id::bigint
      where r.complained
      group by l.id, r.subscriber_id
      order by l.id, r.subscriber_id
      on conflict (list_id, subscriber_id) do update set
        status = 'unsubscribed', unsubscribed_at = excluded.unsubscribed_at, updated_at = now()
      where m.status = 'subscribed'
      returning 1
    ),
    proof as (
      insert into consents (subscriber_id, list_id, action, source, occurred_at)
      select subscriber_id, null, 'unsubscribed', 'complaint, campaign ' || campaign_id || ' (' || min(source) || ')',
        min(occurred_at)
      from refusals where complained
      group by subscriber_id, campaign_id
      returning 1
    )
    select (select count(*)::int from fresh) as recorded,
      (select count(*)::int from fresh where not matched) as unmatched,
      (select coalesce(array_agg(distinct campaign_id::float8), '{}') from known where matched) as campaigns`
  const [, { rows }] = await retryDeadlocks(() =>
    db.batch([db.execute(writeBesideErasures()), db.execute<Recorded & Record<string, unknown>>(statement)]),
  )
  const [row] = rows
  if (!row) throw new Error('the statement that records feedback gave no row')
  return row
}
