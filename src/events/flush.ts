// Edge events into SQL: one statement, which therefore happens whole or not at all. It stays in one piece.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { UNSUBSCRIBE_LINK } from '../subscribers/table.ts'
import type { TrackingEvent } from '../tracking/event.ts'
import { flushBeside } from './alone.ts'
import { findSuspects, judgeNeighbours, type Suspects } from './rejudge.ts'
import { RULES_VERSION, SWEEP_SPEED, TOO_FAST } from './rules.ts'

/** One recipient of one campaign who did something: proof that the mail arrived. */
export interface Touched {
  campaign_id: number
  subscriber_id: number
}

export interface Flushed {
  /** How many of the events were new. */
  inserted: number
  /** The recipients of all events given, also of those that were known: whoever settles them may have died after a first flush. */
  touched: Touched[]
}

/**
 * Writes events and moves everything that depends on them, then judges them by what else their recipients and networks
 * did. Calling it again with the same events, also with some of them or from several sides at once, changes nothing.
 */
export async function flushEvents(db: Database, events: readonly TrackingEvent[]): Promise<Flushed> {
  if (events.length === 0) return { inserted: 0, touched: [] }
  const given = inOrder(events)
  const [, { rows }] = await retryDeadlocks(() =>
    db.batch([db.execute(flushBeside()), db.execute<Written>(flushStatement(given))]),
  )
  const { inserted, ...fresh } = rows[0] ?? { inserted: 0, recipients: [], networks: [] }
  // Of what was known already it is not said whether its first writer came to judge it.
  const suspects = inserted === given.length ? fresh : await findSuspects(db, given)
  await judgeNeighbours(db, given, suspects)
  return { inserted, touched: distinct(events) }
}

type Written = { inserted: number } & Suspects & Record<string, unknown>

/**
 * In seconds: how far before the moment it was sent a mail may seem to have been opened. It is recorded as sent with its
 * group, a little late; what lies further apart says nothing of either.
 */
const EARLY = 5

/** The rules that look at one event and the moment of sending, as a condition on it. */
const tooFast = sql.join(
  TOO_FAST.map(({ kind, seconds, verdict, agent }) => {
    const conditions = [sql`kind = ${kind} and since_sent < ${seconds}::int`]
    if (verdict) conditions.push(sql`verdict = ${verdict}`)
    if (agent) conditions.push(sql`agent = ${agent}`)
    return sql`(${sql.join(conditions, sql` and `)})`
  }),
  sql` or `,
)

/**
 * An event counts when its row is new and never again, however often and by however many it is written at once: every
 * counter moves by the rows that this statement inserted.
 *
 * Events of an unknown campaign are kept as any other: only a token that we signed can name it, so it existed, and
 * nobody reads its counters. An opt-out yields only to a later `resubscribed` consent for the same.
 *
 * Each insert goes in the order of its key, so that two flushes lock in the same order.
 *
 * @param events - each once, ordered by id and time
 */
function flushStatement(events: readonly TrackingEvent[]): SQL {
  const column = <Key extends keyof TrackingEvent>(key: Key) => sql.param(events.map((event) => event[key] ?? null))
  return sql`
    with given as (
      select *
      from unnest(
        ${column('event_id')}::text[], ${column('occurred_at')}::timestamptz[], ${column('kind')}::text[],
        ${column('campaign_id')}::bigint[], ${column('subscriber_id')}::bigint[], ${column('link')}::int[],
        ${column('scope')}::text[], ${column('verdict')}::text[], ${column('reason')}::text[], ${column('rules')}::smallint[],
        ${column('method')}::text[], ${column('asn')}::bigint[], ${column('agent')}::text[],
        ${column('country')}::text[], ${column('region')}::text[], ${column('device')}::text[], ${column('client')}::text[]
      ) as e (
        event_id, occurred_at, kind, campaign_id, subscriber_id, link, scope, verdict, reason, rules, method, asn, agent,
        country, region, device, client
      )
    ),
    -- A row of the ledger that waits for its answer was sent after it was marked. The subselect keeps Postgres from
    -- reading the whole ledger for it; kept as a list, it does not run again for each use.
    timed as materialized (
      select *, (
        select case when s.seconds >= ${-EARLY}::int then least(greatest(floor(s.seconds), 0), 2147483647)::int end
        from (
          select extract(epoch from
            g.occurred_at - coalesce(d.sent_at, case when d.state = 'sending' then d.updated_at end))::float8 as seconds
          from deliveries d where d.campaign_id = g.campaign_id and d.subscriber_id = g.subscriber_id
        ) s
      ) as since_sent
      from given g
    ),
    judged as materialized (
      select *, verdict <> 'machine' and kind <> 'unsubscribe' and coalesce(${tooFast}, false) as too_fast from timed
    ),
    fresh as (
      insert into campaign_events (
        event_id, occurred_at, kind, campaign_id, subscriber_id, link, verdict, reason, rules, method, asn, agent,
        since_sent, country, region, device, client
      )
      select event_id, occurred_at, kind, campaign_id, subscriber_id, link,
        case when too_fast then 'machine' else verdict end, case when too_fast then 'too_fast' else reason end,
        case when too_fast then ${RULES_VERSION}::smallint else rules end, method, asn, agent,
        since_sent, country, region, device, client
      from judged
      on conflict do nothing
      returning event_id, occurred_at, kind, campaign_id, subscriber_id, link, verdict, asn, agent, since_sent, country,
        device, client
    ),
    -- One row for each recipient, and one for those of a campaign who are not told apart.
    added as (
      select campaign_id, subscriber_id,
        (count(*) filter (where kind = 'open'))::int as opens,
        (count(*) filter (where kind = 'click'))::int as clicks,
        (count(*) filter (where kind = 'unsubscribe'))::int as unsubscribes,
        (count(*) filter (where kind = 'open' and verdict = 'human'))::int as human_opens,
        (count(*) filter (where kind = 'click' and verdict = 'human'))::int as human_clicks,
        min(occurred_at) filter (where kind = 'open') as first_opened_at,
        min(occurred_at) filter (where kind = 'click') as first_clicked_at,
        min(occurred_at) filter (where kind = 'unsubscribe') as unsubscribed_at
      from fresh
      group by campaign_id, subscriber_id
    ),
    recipients as (
      insert into recipient_stats as s (
        campaign_id, subscriber_id, opens, clicks, unsubscribes, human_opens, human_clicks,
        first_opened_at, first_clicked_at, unsubscribed_at
      )
      select campaign_id, subscriber_id, opens, clicks, unsubscribes, human_opens, human_clicks,
        first_opened_at, first_clicked_at, unsubscribed_at
      from added
      where subscriber_id is not null
      order by campaign_id, subscriber_id
      on conflict (campaign_id, subscriber_id) do update set
        opens = s.opens + excluded.opens,
        clicks = s.clicks + excluded.clicks,
        unsubscribes = s.unsubscribes + excluded.unsubscribes,
        human_opens = s.human_opens + excluded.human_opens,
        human_clicks = s.human_clicks + excluded.human_clicks,
        first_opened_at = least(s.first_opened_at, excluded.first_opened_at),
        first_clicked_at = least(s.first_clicked_at, excluded.first_clicked_at),
        unsubscribed_at = least(s.unsubscribed_at, excluded.unsubscribed_at)
      returning campaign_id, subscriber_id, opens, clicks, unsubscribes, human_opens, human_clicks
    ),
    -- What was added beside what there is now: a recipient's first is where both are the same.
    beside as materialized (
      select a.campaign_id, a.subscriber_id, a.opens, a.clicks, a.unsubscribes, a.human_opens, a.human_clicks,
        r.opens as all_opens, r.clicks as all_clicks, r.unsubscribes as all_unsubscribes,
        r.human_opens as all_human_opens, r.human_clicks as all_human_clicks
      from added a
      left join recipients r using (campaign_id, subscriber_id)
    ),
    -- Parts that no other part reads are run last to first: the rows that every flush of a campaign wants are locked at the
    -- very end.
    totals as (
      insert into campaign_stats as s (
        campaign_id, opens, unique_opens, clicks, unique_clicks, unsubscribes, unique_unsubscribes,
        human_opens, human_unique_opens, human_clicks, human_unique_clicks
      )
      select campaign_id,
        sum(opens), count(*) filter (where opens > 0 and all_opens = opens),
        sum(clicks), count(*) filter (where clicks > 0 and all_clicks = clicks),
        sum(unsubscribes), count(*) filter (where unsubscribes > 0 and all_unsubscribes = unsubscribes),
        sum(human_opens), count(*) filter (where human_opens > 0 and all_human_opens = human_opens),
        sum(human_clicks), count(*) filter (where human_clicks > 0 and all_human_clicks = human_clicks)
      from beside
      group by campaign_id
      order by campaign_id
      on conflict (campaign_id) do update set
        opens = s.opens + excluded.opens,
        unique_opens = s.unique_opens + excluded.unique_opens,
        clicks = s.clicks + excluded.clicks,
        unique_clicks = s.unique_clicks + excluded.unique_clicks,
        unsubscribes = s.unsubscribes + excluded.unsubscribes,
        unique_unsubscribes = s.unique_unsubscribes + excluded.unique_unsubscribes,
        human_opens = s.human_opens + excluded.human_opens,
        human_unique_opens = s.human_unique_opens + excluded.human_unique_opens,
        human_clicks = s.human_clicks + excluded.human_clicks,
        human_unique_clicks = s.human_unique_clicks + excluded.human_unique_clicks
      returning 1
    ),
    hours as (
      insert into campaign_hourly as h (
        campaign_id, hour, link, opens, clicks, unsubscribes, human_opens, human_clicks
      )
      select campaign_id, date_trunc('hour', occurred_at, 'UTC'), link,
        count(*) filter (where kind = 'open'),
        count(*) filter (where kind = 'click'),
        count(*) filter (where kind = 'unsubscribe'),
        count(*) filter (where kind = 'open' and verdict = 'human'),
        count(*) filter (where kind = 'click' and verdict = 'human')
      from fresh
      group by 1, 2, 3
      order by 1, 2, 3
      on conflict (campaign_id, hour, link) do update set
        opens = h.opens + excluded.opens,
        clicks = h.clicks + excluded.clicks,
        unsubscribes = h.unsubscribes + excluded.unsubscribes,
        human_opens = h.human_opens + excluded.human_opens,
        human_clicks = h.human_clicks + excluded.human_clicks
      returning 1
    ),
    kinds as (
      insert into campaign_breakdown as b (campaign_id, dimension, value, opens, clicks, human_opens, human_clicks)
      select f.campaign_id, d.dimension, d.value,
        sum(f.opens), sum(f.clicks), sum(f.human_opens), sum(f.human_clicks)
      from (
        select campaign_id, country, client, device,
          count(*) filter (where kind = 'open') as opens,
          count(*) filter (where kind = 'click') as clicks,
          count(*) filter (where kind = 'open' and verdict = 'human') as human_opens,
          count(*) filter (where kind = 'click' and verdict = 'human') as human_clicks
        from fresh
        where kind <> 'unsubscribe'
        group by campaign_id, country, client, device
      ) f
      cross join lateral (
        values ('country', coalesce(f.country, '')), ('client', coalesce(f.client, '')), ('device', coalesce(f.device, ''))
      ) as d (dimension, value)
      group by 1, 2, 3
      order by 1, 2, 3
      on conflict (campaign_id, dimension, value) do update set
        opens = b.opens + excluded.opens,
        clicks = b.clicks + excluded.clicks,
        human_opens = b.human_opens + excluded.human_opens,
        human_clicks = b.human_clicks + excluded.human_clicks
      returning 1
    ),
    -- What a person may have done. Who was deleted is not watched any more.
    alive as (
      select subscriber_id, (occurred_at at time zone 'UTC')::date as day,
        (count(*) filter (where kind = 'open'))::int as opens,
        (count(*) filter (where kind = 'click'))::int as clicks,
        max(occurred_at) filter (where kind = 'open') as last_opened_at,
        max(occurred_at) filter (where kind = 'click') as last_clicked_at
      from fresh
      where kind <> 'unsubscribe' and verdict <> 'machine' and subscriber_id is not null
        and (select true from subscribers s where s.id = fresh.subscriber_id)
      group by 1, 2
    ),
    activity as (
      insert into subscriber_activity as a (subscriber_id, last_opened_at, last_clicked_at, last_active_at)
      select subscriber_id, max(last_opened_at), max(last_clicked_at), max(greatest(last_opened_at, last_clicked_at))
      from alive
      group by subscriber_id
      order by subscriber_id
      on conflict (subscriber_id) do update set
        last_opened_at = greatest(a.last_opened_at, excluded.last_opened_at),
        last_clicked_at = greatest(a.last_clicked_at, excluded.last_clicked_at),
        last_active_at = greatest(a.last_active_at, excluded.last_active_at)
      returning 1
    ),
    days as (
      insert into subscriber_days as d (subscriber_id, day, opens, clicks)
      select subscriber_id, day, opens, clicks from alive
      order by subscriber_id, day
      on conflict (subscriber_id, day) do update set opens = d.opens + excluded.opens, clicks = d.clicks + excluded.clicks
      returning 1
    ),
    -- Which opt-outs are new, and their scope. Grouped, because a join of two such lists, whose length Postgres cannot
    -- guess, compares each with each.
    opted as (
      select event_id, occurred_at, min(campaign_id) as campaign_id, min(subscriber_id) as subscriber_id, min(scope) as scope
      from (
        select event_id, occurred_at, campaign_id, subscriber_id, scope, false as is_new from given where kind = 'unsubscribe'
        union all
        select event_id, occurred_at, campaign_id, subscriber_id, null, true from fresh where kind = 'unsubscribe'
      ) both_sides
      group by event_id, occurred_at
      having bool_or(is_new)
    ),
    -- The lock keeps a subscriber from being deleted between here and the rows that refer to it, and yields the status
    -- that holds: a parallel write may have changed it since this statement began.
    people as (
      select o.campaign_id, o.subscriber_id, o.occurred_at, o.scope, s.status
      from opted o
      join subscribers s on s.id = o.subscriber_id
      order by s.id
      for no key update of s
    ),
    -- One row per list that was left, or one with list_id null for all mail.
    left_lists as (
      select p.subscriber_id, p.campaign_id, p.occurred_at, p.status, l.list_id,
        not exists (
          select from consents c
          where c.subscriber_id = p.subscriber_id and c.action = 'resubscribed' and c.occurred_at > p.occurred_at
            and c.list_id is not distinct from l.list_id
        ) as holds
      from people p
      cross join lateral (
        select null::bigint as list_id where p.scope = 'all'
        union
        select i.list_id::bigint
        from campaigns c, jsonb_array_elements_text(c.audience -> 'include') as i (list_id)
        where c.id = p.campaign_id and p.scope = 'lists'
      ) l
    ),
    -- Remembered also where there is no membership (any more): an import must not bring the person back.
    members as (
      insert into list_members as m (list_id, subscriber_id, status, unsubscribed_at)
      select l.id, e.subscriber_id, 'unsubscribed', min(e.occurred_at)
      from left_lists e
      join mailing_lists l on l.id = e.list_id
      where e.holds
      group by l.id, e.subscriber_id
      order by l.id, e.subscriber_id
      on conflict (list_id, subscriber_id) do update set
        status = 'unsubscribed', unsubscribed_at = excluded.unsubscribed_at, updated_at = now()
      where m.status = 'subscribed'
      returning 1
    ),
    -- A bounce or a complaint says more than an opt-out and stays.
    quit as (
      update subscribers s set status = 'unsubscribed', updated_at = now()
      where s.id in (
        select subscriber_id from left_lists where list_id is null and holds and left_lists.status = 'active'
      )
      returning 1
    ),
    proof as (
      insert into consents (subscriber_id, list_id, action, source, occurred_at)
      select subscriber_id, list_id, 'unsubscribed', ${UNSUBSCRIBE_LINK} || ', campaign ' || campaign_id, occurred_at
      from left_lists
      returning 1
    )
    select
      (select count(*)::int from fresh) as inserted,
      (
        select coalesce(json_agg(json_build_object('campaign_id', campaign_id, 'subscriber_id', subscriber_id)), '[]')
        from beside where all_clicks > 1 and opens + clicks > 0
      ) as recipients,
      (
        select coalesce(json_agg(n), '[]') from (
          select distinct campaign_id, asn, agent from fresh
          where kind = 'click' and since_sent <= ${SWEEP_SPEED}::int and asn is not null and agent is not null
            and subscriber_id is not null
        ) n
      ) as networks`
}

/** Ordered here, where text is compared by its bytes: Postgres would take a dictionary's rules to it. */
function inOrder(events: readonly TrackingEvent[]): TrackingEvent[] {
  const keyed = new Map(events.map((event) => [`${event.event_id} ${event.occurred_at}`, event]))
  return [...keyed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, event]) => event)
}

function distinct(events: readonly TrackingEvent[]): Touched[] {
  const touched = new Map<string, Touched>()
  for (const { campaign_id, subscriber_id } of events) {
    if (subscriber_id !== null) touched.set(`${campaign_id}:${subscriber_id}`, { campaign_id, subscriber_id })
  }
  return [...touched.values()]
}
