// Edge events into SQL: one statement, which therefore happens whole or not at all. It stays in one piece.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { UNSUBSCRIBE_LINK } from '../subscribers/table.ts'
import type { TrackingEvent } from '../tracking/event.ts'

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
 * Writes events and moves everything that depends on them. An event counts when its row is new and never again, however
 * often and by however many it is written at once: every counter moves by the rows that this statement inserted.
 *
 * Events of an unknown campaign are kept as any other: only a token that we signed can name it, so it existed, and
 * nobody reads its counters. An opt-out yields only to a later `resubscribed` consent for the same.
 *
 * Each insert goes in the order of its key, so that two flushes lock in the same order.
 */
export async function flushEvents(db: Database, events: TrackingEvent[]): Promise<Flushed> {
  if (events.length === 0) return { inserted: 0, touched: [] }
  const column = <Key extends keyof TrackingEvent>(key: Key) => sql.param(events.map((event) => event[key] ?? null))
  const statement = sql`
    with given as (
      select distinct on (event_id, occurred_at) *
      from unnest(
        ${column('event_id')}::text[], ${column('occurred_at')}::timestamptz[], ${column('kind')}::text[],
        ${column('campaign_id')}::bigint[], ${column('subscriber_id')}::bigint[], ${column('link')}::int[],
        ${column('country')}::text[], ${column('scope')}::text[]
      ) as e (event_id, occurred_at, kind, campaign_id, subscriber_id, link, country, scope)
      order by event_id, occurred_at
    ),
    fresh as (
      insert into campaign_events (event_id, occurred_at, kind, campaign_id, subscriber_id, link, country)
      select event_id, occurred_at, kind, campaign_id, subscriber_id, link, country
      from given
      order by event_id, occurred_at
      on conflict do nothing
      returning event_id, occurred_at, kind, campaign_id, subscriber_id, link
    ),
    added as (
      select campaign_id, subscriber_id,
        (count(*) filter (where kind = 'open'))::int as opens,
        (count(*) filter (where kind = 'click'))::int as clicks,
        (count(*) filter (where kind = 'unsubscribe'))::int as unsubscribes,
        min(occurred_at) filter (where kind = 'open') as first_opened_at,
        min(occurred_at) filter (where kind = 'click') as first_clicked_at,
        min(occurred_at) filter (where kind = 'unsubscribe') as unsubscribed_at
      from fresh
      group by campaign_id, subscriber_id
    ),
    recipients as (
      insert into recipient_stats as s (
        campaign_id, subscriber_id, opens, clicks, unsubscribes, first_opened_at, first_clicked_at, unsubscribed_at
      )
      select campaign_id, subscriber_id, opens, clicks, unsubscribes, first_opened_at, first_clicked_at, unsubscribed_at
      from added
      order by campaign_id, subscriber_id
      on conflict (campaign_id, subscriber_id) do update set
        opens = s.opens + excluded.opens,
        clicks = s.clicks + excluded.clicks,
        unsubscribes = s.unsubscribes + excluded.unsubscribes,
        first_opened_at = least(s.first_opened_at, excluded.first_opened_at),
        first_clicked_at = least(s.first_clicked_at, excluded.first_clicked_at),
        unsubscribed_at = least(s.unsubscribed_at, excluded.unsubscribed_at)
      returning campaign_id, subscriber_id, opens, clicks, unsubscribes
    ),
    -- A recipient's first: the count after this flush is what this flush added.
    totals as (
      insert into campaign_stats as s (
        campaign_id, opens, unique_opens, clicks, unique_clicks, unsubscribes, unique_unsubscribes
      )
      select a.campaign_id,
        sum(a.opens), count(*) filter (where a.opens > 0 and r.opens = a.opens),
        sum(a.clicks), count(*) filter (where a.clicks > 0 and r.clicks = a.clicks),
        sum(a.unsubscribes), count(*) filter (where a.unsubscribes > 0 and r.unsubscribes = a.unsubscribes)
      from added a
      join recipients r using (campaign_id, subscriber_id)
      group by a.campaign_id
      order by a.campaign_id
      on conflict (campaign_id) do update set
        opens = s.opens + excluded.opens,
        unique_opens = s.unique_opens + excluded.unique_opens,
        clicks = s.clicks + excluded.clicks,
        unique_clicks = s.unique_clicks + excluded.unique_clicks,
        unsubscribes = s.unsubscribes + excluded.unsubscribes,
        unique_unsubscribes = s.unique_unsubscribes + excluded.unique_unsubscribes
      returning 1
    ),
    hours as (
      insert into campaign_hourly as h (campaign_id, hour, link, opens, clicks, unsubscribes)
      select campaign_id, date_trunc('hour', occurred_at, 'UTC'), link,
        count(*) filter (where kind = 'open'),
        count(*) filter (where kind = 'click'),
        count(*) filter (where kind = 'unsubscribe')
      from fresh
      group by 1, 2, 3
      order by 1, 2, 3
      on conflict (campaign_id, hour, link) do update set
        opens = h.opens + excluded.opens,
        clicks = h.clicks + excluded.clicks,
        unsubscribes = h.unsubscribes + excluded.unsubscribes
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
    select count(*)::int as inserted from fresh`
  const { rows } = await retryDeadlocks(() => db.execute<{ inserted: number }>(statement))
  return { inserted: rows[0]?.inserted ?? 0, touched: distinct(events) }
}

function distinct(events: TrackingEvent[]): Touched[] {
  const touched = new Map<string, Touched>()
  for (const { campaign_id, subscriber_id } of events) {
    touched.set(`${campaign_id}:${subscriber_id}`, { campaign_id, subscriber_id })
  }
  return [...touched.values()]
}
