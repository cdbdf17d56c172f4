// Every counter that is kept, and what it must equal: rows of the ledger, events, and news of delivery. One campaign at a time.
import { type SQL, sql } from 'drizzle-orm'
import { flushAlone } from '../events/alone.ts'

export interface Counter {
  campaign_id: number
  table: string
  /** Columns of its primary key, `campaign_id` first. */
  key: readonly string[]
  counts: readonly string[]
  /** Moments that something first happened. */
  firsts?: readonly string[]
  /** Rows of `key`, `counts` and `firsts` as they must be. */
  counted: SQL
  /** A condition on the rows of the table that can be held against them. */
  comparable?: SQL
  /** Some of what was counted is forgotten: the counters may be higher, and the moments earlier. */
  at_least?: boolean
  /** Run first in a transaction that repairs: afterwards nothing that moves these counters is on its way unseen. */
  alone: SQL
  /** What an inserted row holds besides. */
  filled?: Record<string, SQL>
}

/** How far back the events of a campaign reach. */
export interface Reach {
  campaign_id: number
  /** ISO 8601: events before are forgotten; null when none are. */
  since: string | null
  /** Whether all of this campaign's are there. */
  complete: boolean
}

const ofKind = (kind: 'open' | 'click' | 'unsubscribe') => sql`count(*) filter (where kind = ${kind})`
const ofPeople = (kind: 'open' | 'click') => sql`count(*) filter (where kind = ${kind} and verdict = 'human')`
const first = (kind: 'open' | 'click' | 'unsubscribe') => sql`min(occurred_at) filter (where kind = ${kind})`

/** In an order in which each is repaired from what was repaired before it. */
export const countersOf = (reach: Reach): Counter[] => [
  batches(reach),
  recipients(reach),
  hours(reach),
  breakdown(reach),
  totals(reach),
  feedback(reach),
]

/** Whoever changes rows of the ledger moves their batch in the same statement, and waits for its lock. */
const batches = ({ campaign_id }: Reach): Counter => ({
  campaign_id,
  table: 'batches',
  key: ['campaign_id', 'n'],
  counts: ['size', 'open', 'sent', 'failed', 'skipped', 'unconfirmed'],
  counted: sql`
    select campaign_id, batch as n, count(*) as size,
      count(*) filter (where state in ('pending', 'sending', 'deferred')) as open,
      count(*) filter (where state = 'sent') as sent, count(*) filter (where state = 'failed') as failed,
      count(*) filter (where state = 'skipped') as skipped, count(*) filter (where state = 'unconfirmed') as unconfirmed
    from deliveries where campaign_id = ${campaign_id} group by 1, 2`,
  alone: sql`select from batches where campaign_id = ${campaign_id} order by n for update`,
  filled: { due_at: sql`now()` },
})

const recipients = ({ campaign_id, complete }: Reach): Counter => ({
  campaign_id,
  table: 'recipient_stats',
  key: ['campaign_id', 'subscriber_id'],
  counts: ['opens', 'clicks', 'unsubscribes', 'human_opens', 'human_clicks'],
  firsts: ['first_opened_at', 'first_clicked_at', 'unsubscribed_at'],
  counted: sql`
    select campaign_id, subscriber_id, ${ofKind('open')} as opens, ${ofKind('click')} as clicks,
      ${ofKind('unsubscribe')} as unsubscribes, ${ofPeople('open')} as human_opens, ${ofPeople('click')} as human_clicks,
      ${first('open')} as first_opened_at, ${first('click')} as first_clicked_at, ${first('unsubscribe')} as unsubscribed_at
    from campaign_events where campaign_id = ${campaign_id} and subscriber_id is not null group by 1, 2`,
  at_least: !complete,
  alone: flushAlone(),
})

const hours = ({ campaign_id, since }: Reach): Counter => ({
  campaign_id,
  table: 'campaign_hourly',
  key: ['campaign_id', 'hour', 'link'],
  counts: ['opens', 'clicks', 'unsubscribes', 'human_opens', 'human_clicks'],
  counted: sql`
    select campaign_id, date_trunc('hour', occurred_at, 'UTC') as hour, link, ${ofKind('open')} as opens,
      ${ofKind('click')} as clicks, ${ofKind('unsubscribe')} as unsubscribes,
      ${ofPeople('open')} as human_opens, ${ofPeople('click')} as human_clicks
    from campaign_events where campaign_id = ${campaign_id} and ${from(sql`occurred_at`, since)} group by 1, 2, 3`,
  comparable: from(sql`hour`, since),
  alone: flushAlone(),
})

const breakdown = ({ campaign_id, complete }: Reach): Counter => ({
  campaign_id,
  table: 'campaign_breakdown',
  key: ['campaign_id', 'dimension', 'value'],
  counts: ['opens', 'clicks', 'human_opens', 'human_clicks'],
  counted: sql`
    select e.campaign_id, d.dimension, d.value, ${ofKind('open')} as opens, ${ofKind('click')} as clicks,
      ${ofPeople('open')} as human_opens, ${ofPeople('click')} as human_clicks
    from campaign_events e
    cross join lateral (
      values ('country', coalesce(e.country, '')), ('client', coalesce(e.client, '')), ('device', coalesce(e.device, ''))
    ) as d (dimension, value)
    where e.campaign_id = ${campaign_id} and e.kind <> 'unsubscribe'
    group by 1, 2, 3`,
  at_least: !complete,
  alone: flushAlone(),
})

/** Where events are forgotten, hours and recipients still add up to the totals. */
const totals = ({ campaign_id, complete }: Reach): Counter => ({
  campaign_id,
  table: 'campaign_stats',
  key: ['campaign_id'],
  counts: [
    ...['opens', 'clicks', 'unsubscribes', 'human_opens', 'human_clicks'],
    ...['unique_opens', 'unique_clicks', 'unique_unsubscribes', 'human_unique_opens', 'human_unique_clicks'],
  ],
  counted: sql`
    select ${campaign_id}::bigint as campaign_id, a.*, u.*
    from (
      ${
        complete
          ? sql`
            select ${ofKind('open')} as opens, ${ofKind('click')} as clicks, ${ofKind('unsubscribe')} as unsubscribes,
              ${ofPeople('open')} as human_opens, ${ofPeople('click')} as human_clicks
            from campaign_events where campaign_id = ${campaign_id}`
          : sql`
            select sum(opens) as opens, sum(clicks) as clicks, sum(unsubscribes) as unsubscribes,
              sum(human_opens) as human_opens, sum(human_clicks) as human_clicks
            from campaign_hourly where campaign_id = ${campaign_id}`
      }
    ) a, (
      select count(*) filter (where opens > 0) as unique_opens, count(*) filter (where clicks > 0) as unique_clicks,
        count(*) filter (where unsubscribes > 0) as unique_unsubscribes,
        count(*) filter (where human_opens > 0) as human_unique_opens,
        count(*) filter (where human_clicks > 0) as human_unique_clicks
      from (
        ${
          complete
            ? sql`
              select ${ofKind('open')} as opens, ${ofKind('click')} as clicks, ${ofKind('unsubscribe')} as unsubscribes,
                ${ofPeople('open')} as human_opens, ${ofPeople('click')} as human_clicks
              from campaign_events where campaign_id = ${campaign_id} and subscriber_id is not null group by subscriber_id`
            : sql`select * from recipient_stats where campaign_id = ${campaign_id}`
        }
      ) r
    ) u`,
  alone: flushAlone(),
})

/** News of delivery locks the row that it moves; the row is made first where there is none. */
const feedback = ({ campaign_id }: Reach): Counter => ({
  campaign_id,
  table: 'campaign_stats',
  key: ['campaign_id'],
  counts: ['delivered', 'soft_bounces', 'hard_bounces', 'blocks', 'complaints'],
  counted: sql`
    select ${campaign_id}::bigint as campaign_id, count(*) filter (where delivered > 0) as delivered,
      count(*) filter (where soft_bounces > 0) as soft_bounces, count(*) filter (where hard_bounces > 0) as hard_bounces,
      count(*) filter (where blocks > 0) as blocks, count(*) filter (where complaints > 0) as complaints
    from recipient_feedback where campaign_id = ${campaign_id}`,
  alone: sql`
    insert into campaign_stats (campaign_id) values (${campaign_id})
    on conflict (campaign_id) do update set delivered = campaign_stats.delivered`,
})

const from = (at: SQL, since: string | null) => (since === null ? sql`true` : sql`${at} >= ${since}::timestamptz`)
