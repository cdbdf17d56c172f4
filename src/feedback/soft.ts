import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import type { FeedbackEvent } from './event.ts'

/** So many soft bounces within so many days are one hard one. */
const SOFT_BOUNCES = 3
const DAYS = 3
/** Those of one campaign that follow each other within so many minutes are retries of one mail and count once. */
const RETRY_MINUTES = 60

/**
 * Suppresses whose mail was turned away for now once too often: {@link SOFT_BOUNCES} times within {@link DAYS} days with
 * nothing delivered in between, the retries of one mail counted once. Bounces of an address that the subscriber has left say
 * nothing about the one they have.
 *
 * Call it after the events are in SQL: of two calls at once the later one sees what both wrote. Calling it again changes
 * nothing. Only what the given events are part of is looked at, so that an address which its owner has freed is not
 * suppressed again for what was before.
 */
export async function suppressRepeatedly(
  db: Database,
  events: readonly Pick<FeedbackEvent, 'event_id' | 'kind'>[],
): Promise<void> {
  const ids = events.filter(({ kind }) => kind === 'soft_bounce').map(({ event_id }) => event_id)
  if (ids.length === 0) return
  await retryDeadlocks(() =>
    db.execute(sql`
      with told as materialized (
        select subscriber_id, min(occurred_at) as first, max(occurred_at) as last
        from feedback_events where event_id = any(${sql.param(ids)}::text[]) and matched
        group by subscriber_id
      ), bounces as (
        select f.subscriber_id, f.campaign_id, f.occurred_at,
          lag(f.occurred_at) over (partition by f.subscriber_id, f.campaign_id order by f.occurred_at) as before
        from told t
        join subscribers s on s.id = t.subscriber_id
        cross join lateral (
          select * from feedback_events f
          where f.subscriber_id = t.subscriber_id and f.kind = 'soft_bounce' and f.matched
            and (f.recipient is null or f.recipient = lower(s.email))
            and f.occurred_at between t.first - make_interval(days => ${DAYS}) and t.last + make_interval(days => ${DAYS})
          offset 0
        ) f
      ), counted as (
        select subscriber_id, campaign_id, occurred_at,
          lag(occurred_at, ${SOFT_BOUNCES - 1}::int) over (partition by subscriber_id order by occurred_at, campaign_id) as since
        from bounces
        where before is null or occurred_at - before >= make_interval(mins => ${RETRY_MINUTES})
      ), once_too_often as (
        select c.subscriber_id, min(c.campaign_id) as campaign_id
        from counted c
        join told t on t.subscriber_id = c.subscriber_id and t.first <= c.occurred_at and t.last >= c.since
        where c.occurred_at - c.since <= make_interval(days => ${DAYS})
          and not exists (
            select from feedback_events d
            where d.subscriber_id = c.subscriber_id and d.kind = 'delivered' and d.matched
              and d.occurred_at > c.since and d.occurred_at < c.occurred_at)
        group by c.subscriber_id
      ), people as (
        select s.id, lower(s.email) as address, s.status, o.campaign_id
        from once_too_often o join subscribers s on s.id = o.subscriber_id
        order by s.id
        for no key update of s
      ), suppressed as (
        insert into suppressions (kind, value, reason, source)
        select 'address', address, 'bounce', ${`${SOFT_BOUNCES} soft bounces in ${DAYS} days, campaign `} || campaign_id
        from people
        order by address
        on conflict (kind, value) do nothing
      )
      update subscribers s set status = 'bounced', updated_at = now()
      from people p
      where s.id = p.id and p.status in ('active', 'unsubscribed')`),
  )
}
