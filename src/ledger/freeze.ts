import { sql } from 'drizzle-orm'
import type { ResolvedAudience } from '../campaigns/audience.ts'
import { inAudience } from '../campaigns/in-audience.ts'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { BATCH_SIZE } from './status.ts'

/** List members looked at by one page: bounds the time of the statement, whatever share of them is in the audience. */
export const PAGE_SIZE = 10_000

/** A new batch's pointer must have run after this many seconds; later the sweep sends another. */
const FIRST_DUE = 900

export interface Frozen {
  /** The audience is frozen up to this subscriber id. */
  frozen_to: number
  /** True when the whole audience is frozen. */
  complete: boolean
  /** Batches so far, over all pages. */
  batch_count: number
}

/**
 * Freezes one page of a campaign's audience: the next list members by subscriber id become `deliveries`, numbered into
 * `batches`. One statement, all or nothing; it moves `campaigns.frozen_to` on from `from` only, so two runs of the same
 * page cannot both happen. The row of the campaign is locked first: a second run waits, finds `frozen_to` moved, and
 * does nothing.
 *
 * Candidates come from the list's own index, list by list, so a list of a thousand among millions of subscribers is as
 * quick as it is small. Someone with any standing on an excluded list stays out, also after leaving that list; and whoever
 * has a row already, when a campaign is frozen once more for those who joined since.
 *
 * @returns null when the campaign is not sending, already frozen, or `from` is no longer where it stands
 */
export async function freezePage(
  db: Database,
  campaign_id: number,
  from: number,
  audience: ResolvedAudience,
  page_size = PAGE_SIZE,
): Promise<Frozen | null> {
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ frozen_to: number; complete: boolean; batch_count: number }>(sql`
      with campaign as materialized (
        select id, audience_max_id, batch_count from campaigns
        where id = ${campaign_id} and status = 'sending' and frozen_at is null and frozen_to = ${from}
        for update
      ), candidates as materialized (
        select distinct m.subscriber_id
        from campaign c, unnest(${sql.param(audience.include)}::bigint[]) as l (list_id), lateral (
          select subscriber_id from list_members
          where list_id = l.list_id and subscriber_id > ${from} and subscriber_id <= c.audience_max_id
          order by subscriber_id limit ${page_size}
        ) m
        order by 1 limit ${page_size}
      ), page as materialized (
        select s.id, (row_number() over (order by s.id) - 1)::int as position
        from candidates x
        -- One by one, by their key: an index that finds whom the audience asks for may find a million of them for each page.
        cross join lateral (
          select s.id from subscribers s where s.id = x.subscriber_id and ${inAudience(audience)} offset 0
        ) s
        -- Only rows of this page are looked at, whichever way Postgres takes: in a first freeze there are none yet.
        where not exists (
          select 1 from deliveries d
          where d.campaign_id = ${campaign_id} and d.subscriber_id = s.id
            and d.subscriber_id > ${from} and d.subscriber_id <= (select max(subscriber_id) from candidates)
        )
      ), moved as (
        update campaigns c set
          frozen_to = case when b.seen < ${page_size} then c.audience_max_id else b.last end,
          frozen_at = case when b.seen < ${page_size} then now() end,
          batch_count = c.batch_count + ceil(b.taken / ${BATCH_SIZE}::numeric)::int,
          updated_at = now()
        from campaign, (
          select count(*) as seen, max(subscriber_id) as last, (select count(*) from page) as taken from candidates
        ) b
        where c.id = campaign.id
        returning c.frozen_to::float8 as frozen_to, c.frozen_at is not null as complete, c.batch_count
      ), new_batches as (
        insert into batches (campaign_id, n, size, open, due_at)
        select c.id, c.batch_count + p.position / ${BATCH_SIZE}, count(*), count(*), now() + make_interval(secs => ${FIRST_DUE})
        from campaign c, page p group by 1, 2
      ), new_deliveries as (
        insert into deliveries (campaign_id, subscriber_id, batch)
        select c.id, p.id, c.batch_count + p.position / ${BATCH_SIZE} from campaign c, page p
      )
      select frozen_to, complete, batch_count from moved`),
  )
  return rows[0] ?? null
}
