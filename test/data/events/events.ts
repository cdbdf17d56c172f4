// Events to write, and a second opinion on the counters.
import type { EventKind, TrackingEvent } from '../../../src/tracking/event.ts'
import type { TestDatabase } from '../../support/database.ts'

export const AT = '2026-11-24T10:15:00.123Z'

export function event(
  kind: EventKind,
  campaign_id: number,
  subscriber_id: number | null,
  more: Partial<TrackingEvent> = {},
) {
  const event: TrackingEvent = {
    event_id: crypto.randomUUID(),
    kind,
    campaign_id,
    subscriber_id,
    link: kind === 'click' ? 1 : 0,
    occurred_at: AT,
    method: kind === 'unsubscribe' ? 'POST' : 'GET',
    asn: null,
    agent: 'chrome',
    country: null,
    region: null,
    device: null,
    client: null,
    verdict: 'human',
    reason: null,
    rules: 1,
    ...(kind === 'unsubscribe' ? { scope: 'lists' } : {}),
    ...more,
  }
  return event
}

/** `count` opens and clicks by `people` readers of two campaigns, in an order that no two calls share. */
export function crowd(count: number, people = 500): TrackingEvent[] {
  return Array.from({ length: count }, () => {
    const kind = Math.random() < 0.7 ? 'open' : 'click'
    const minute = Math.floor(Math.random() * 300)
    return event(kind, 1 + Math.floor(Math.random() * 2), 1 + Math.floor(Math.random() * people), {
      link: kind === 'click' ? 1 + Math.floor(Math.random() * 5) : 0,
      occurred_at: new Date(Date.parse(AT) + minute * 60_000).toISOString(),
    })
  })
}

/** Every counter of raw events that differs from a recount of them; an empty list is what all tests want. */
export async function differences(t: Pick<TestDatabase, 'sql'>): Promise<unknown[]> {
  return await t.sql(`
    with raw_recipients as (
      select campaign_id, subscriber_id,
        count(*) filter (where kind = 'open') as opens, count(*) filter (where kind = 'click') as clicks,
        count(*) filter (where kind = 'unsubscribe') as unsubscribes,
        count(*) filter (where kind = 'open' and verdict = 'human') as human_opens,
        count(*) filter (where kind = 'click' and verdict = 'human') as human_clicks,
        min(occurred_at) filter (where kind = 'open') as first_opened_at,
        min(occurred_at) filter (where kind = 'click') as first_clicked_at,
        min(occurred_at) filter (where kind = 'unsubscribe') as unsubscribed_at
      from campaign_events where subscriber_id is not null group by 1, 2
    ), raw_totals as (
      select campaign_id,
        count(*) filter (where kind = 'open') as opens,
        count(distinct subscriber_id) filter (where kind = 'open') as unique_opens,
        count(*) filter (where kind = 'click') as clicks,
        count(distinct subscriber_id) filter (where kind = 'click') as unique_clicks,
        count(*) filter (where kind = 'open' and verdict = 'human') as human_opens,
        count(distinct subscriber_id) filter (where kind = 'open' and verdict = 'human') as human_unique_opens,
        count(*) filter (where kind = 'click' and verdict = 'human') as human_clicks,
        count(distinct subscriber_id) filter (where kind = 'click' and verdict = 'human') as human_unique_clicks,
        count(*) filter (where kind = 'unsubscribe') as unsubscribes,
        count(distinct subscriber_id) filter (where kind = 'unsubscribe') as unique_unsubscribes
      from campaign_events group by 1
    ), raw_hours as (
      select campaign_id, date_trunc('hour', occurred_at at time zone 'utc') at time zone 'utc' as hour, link,
        count(*) filter (where kind = 'open') as opens, count(*) filter (where kind = 'click') as clicks,
        count(*) filter (where kind = 'unsubscribe') as unsubscribes,
        count(*) filter (where kind = 'open' and verdict = 'human') as human_opens,
        count(*) filter (where kind = 'click' and verdict = 'human') as human_clicks
      from campaign_events group by 1, 2, 3
    ), raw_kinds as (
      select campaign_id, dimension, value,
        count(*) filter (where kind = 'open') as opens, count(*) filter (where kind = 'click') as clicks,
        count(*) filter (where kind = 'open' and verdict = 'human') as human_opens,
        count(*) filter (where kind = 'click' and verdict = 'human') as human_clicks
      from (
        select *, 'country' as dimension, coalesce(country, '') as value from campaign_events
        union all select *, 'client', coalesce(client, '') from campaign_events
        union all select *, 'device', coalesce(device, '') from campaign_events
      ) e
      where kind <> 'unsubscribe' group by 1, 2, 3
    ), lively as (
      select e.* from campaign_events e join subscribers s on s.id = e.subscriber_id
      where kind <> 'unsubscribe' and verdict <> 'machine'
    ), raw_activity as (
      select subscriber_id, max(occurred_at) filter (where kind = 'open') as last_opened_at,
        max(occurred_at) filter (where kind = 'click') as last_clicked_at, max(occurred_at) as last_active_at
      from lively group by 1
    ), raw_days as (
      select subscriber_id, (occurred_at at time zone 'utc')::date as day,
        count(*) filter (where kind = 'open') as opens, count(*) filter (where kind = 'click') as clicks
      from lively group by 1, 2
    )
    select 'recipient' as what, to_jsonb(r) as raw, to_jsonb(s) as kept
      from raw_recipients r full join recipient_stats s using (campaign_id, subscriber_id)
      where (to_jsonb(s) @> to_jsonb(r)) is not true
    union all select 'total', to_jsonb(r), to_jsonb(s)
      from raw_totals r
      full join (
        select campaign_id, opens, unique_opens, clicks, unique_clicks, unsubscribes, unique_unsubscribes,
          human_opens, human_unique_opens, human_clicks, human_unique_clicks
        from campaign_stats
      ) s using (campaign_id)
      where (to_jsonb(s) @> to_jsonb(r)) is not true
    union all select 'hour', to_jsonb(r), to_jsonb(s)
      from raw_hours r full join campaign_hourly s using (campaign_id, hour, link)
      where (to_jsonb(s) @> to_jsonb(r)) is not true
    union all select 'kind', to_jsonb(r), to_jsonb(s)
      from raw_kinds r full join campaign_breakdown s using (campaign_id, dimension, value)
      where to_jsonb(r) is distinct from to_jsonb(s)
    union all select 'activity', to_jsonb(r), to_jsonb(s)
      from raw_activity r full join subscriber_activity s using (subscriber_id)
      where to_jsonb(r) is distinct from to_jsonb(s)
    union all select 'day', to_jsonb(r), to_jsonb(s)
      from raw_days r full join subscriber_days s using (subscriber_id, day)
      where to_jsonb(r) is distinct from to_jsonb(s)
    limit 20`)
}

/** Empties what a flush writes. */
export const forgetEvents = (t: Pick<TestDatabase, 'sql'>) =>
  t.sql(`truncate campaign_events, recipient_stats, campaign_stats, campaign_hourly, campaign_breakdown,
    subscriber_activity, subscriber_days`)

export const countEvents = async (t: Pick<TestDatabase, 'sql'>) =>
  Number((await t.sql('select count(*) as n from campaign_events'))[0]?.n)
