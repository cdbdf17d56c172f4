// Another verdict for events that are counted already. It stays in one piece.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import type { Verdict } from '../tracking/verdict.ts'
import { countActivity } from './activity.ts'
import { flushAlone } from './alone.ts'

/** What an event is judged to be now. */
export interface Judged {
  event_id: string
  occurred_at: string
  subscriber_id: number | null
  verdict: Verdict
  reason: string | null
  rules: number
}

/**
 * Writes verdicts and moves every counter of people by what changed, and says anew what those subscribers did. Calling it
 * again changes nothing.
 *
 * @param judged - opens and clicks, at most some thousands; those that are not there (any more) are left out
 * @returns how many are people's or machines' now that were not
 */
export async function changeVerdicts(db: Database, judged: readonly Judged[]): Promise<number> {
  if (judged.length === 0) return 0
  const column = <Key extends keyof Judged>(key: Key) => sql.param(judged.map((event) => event[key]))
  const change = sql`
    with given as (
      select * from unnest(
        ${column('event_id')}::text[], ${column('occurred_at')}::timestamptz[], ${column('verdict')}::text[],
        ${column('reason')}::text[], ${column('rules')}::smallint[]
      ) as g (event_id, occurred_at, verdict, reason, rules)
    ),
    found as materialized (
      select e.event_id, e.occurred_at, e.kind, e.campaign_id, e.subscriber_id, e.link, e.country, e.client, e.device,
        e.verdict as old_verdict, g.verdict, g.reason, g.rules
      from given g
      join campaign_events e on e.event_id = g.event_id and e.occurred_at = g.occurred_at
      where e.kind <> 'unsubscribe' and (e.verdict, e.reason, e.rules) is distinct from (g.verdict, g.reason, g.rules)
    ),
    changed as (
      update campaign_events e set verdict = f.verdict, reason = f.reason, rules = f.rules
      from found f where e.event_id = f.event_id and e.occurred_at = f.occurred_at
      returning 1
    ),
    -- By how many people's events each row moves.
    moved as materialized (
      select *,
        case when kind = 'open' then (verdict = 'human')::int - (old_verdict = 'human')::int else 0 end as opens,
        case when kind = 'click' then (verdict = 'human')::int - (old_verdict = 'human')::int else 0 end as clicks
      from found where verdict <> old_verdict
    ),
    recipients as (
      update recipient_stats s set human_opens = s.human_opens + m.opens, human_clicks = s.human_clicks + m.clicks
      from (
        select campaign_id, subscriber_id, sum(opens)::int as opens, sum(clicks)::int as clicks
        from moved where subscriber_id is not null group by 1, 2
      ) m
      where s.campaign_id = m.campaign_id and s.subscriber_id = m.subscriber_id
      returning s.campaign_id,
        (s.human_opens > 0)::int - (s.human_opens - m.opens > 0)::int as unique_opens,
        (s.human_clicks > 0)::int - (s.human_clicks - m.clicks > 0)::int as unique_clicks
    ),
    totals as (
      update campaign_stats s set
        human_opens = s.human_opens + m.opens,
        human_clicks = s.human_clicks + m.clicks,
        human_unique_opens = s.human_unique_opens + m.unique_opens,
        human_unique_clicks = s.human_unique_clicks + m.unique_clicks
      from (
        select campaign_id, sum(opens)::int as opens, sum(clicks)::int as clicks,
          sum(unique_opens)::int as unique_opens, sum(unique_clicks)::int as unique_clicks
        from (
          select campaign_id, opens, clicks, 0 as unique_opens, 0 as unique_clicks from moved
          union all
          select campaign_id, 0, 0, unique_opens, unique_clicks from recipients
        ) both_sides
        group by 1
      ) m
      where s.campaign_id = m.campaign_id
      returning 1
    ),
    hours as (
      update campaign_hourly h set human_opens = h.human_opens + m.opens, human_clicks = h.human_clicks + m.clicks
      from (
        select campaign_id, date_trunc('hour', occurred_at, 'UTC') as hour, link,
          sum(opens)::int as opens, sum(clicks)::int as clicks
        from moved group by 1, 2, 3
      ) m
      where h.campaign_id = m.campaign_id and h.hour = m.hour and h.link = m.link
      returning 1
    ),
    kinds as (
      update campaign_breakdown b set human_opens = b.human_opens + m.opens, human_clicks = b.human_clicks + m.clicks
      from (
        select f.campaign_id, d.dimension, d.value, sum(f.opens)::int as opens, sum(f.clicks)::int as clicks
        from moved f
        cross join lateral (
          values ('country', coalesce(f.country, '')), ('client', coalesce(f.client, '')), ('device', coalesce(f.device, ''))
        ) as d (dimension, value)
        group by 1, 2, 3
      ) m
      where b.campaign_id = m.campaign_id and b.dimension = m.dimension and b.value = m.value
      returning 1
    )
    select count(*)::int as moved from moved`
  const subscriber_ids = [...new Set(judged.flatMap(({ subscriber_id }) => subscriber_id ?? []))]
  const [, { rows }] = await retryDeadlocks(() =>
    db.batch([
      db.execute(flushAlone()),
      db.execute<{ moved: number }>(change),
      // The next statements of the transaction see what the first has written.
      ...countActivity(subscriber_ids).map((statement) => db.execute(statement)),
    ]),
  )
  return rows[0]?.moved ?? 0
}
