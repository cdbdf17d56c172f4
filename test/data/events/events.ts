// Events to write, and a second opinion on the counters.
import type { EventKind, TrackingEvent } from '../../../src/tracking/event.ts'
import type { TestDatabase } from '../../support/database.ts'

export const AT = '2026-11-24T10:15:00.123Z'

export function event(kind: EventKind, campaign_id: number, subscriber_id: number, more: Partial<TrackingEvent> = {}) {
  const event: TrackingEvent = {
    event_id: crypto.randomUUID(),
    kind,
    campaign_id,
    subscriber_id,
    link: kind === 'click' ? 1 : 0,
    occurred_at: AT,
    country: null,
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
    limit 20`)
}

export const countEvents = async (t: Pick<TestDatabase, 'sql'>) =>
  Number((await t.sql('select count(*) as n from campaign_events'))[0]?.n)
