import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** Failed rows that are looked at for the most frequent reason, from the newest batches that have any. */
const LOOKED_AT = 1000
const BATCHES_LOOKED_AT = 50
/** Characters of a provider's answer that are quoted. */
const QUOTED = 200

/**
 * Pauses a campaign that fails too often: something is wrong with its content, its account or its list, and each further
 * mail costs the sender's name. Only what came after its owner last resumed it, or had failed rows tried again, counts.
 *
 * It sums the counters of all batches (10,000 at a million recipients): call it after a batch in which something failed.
 *
 * @param share - more than this share of what was tried must have failed, 0 to 1
 * @param least - and at least so many mails
 * @returns whether this call paused it
 */
export async function pauseIfFailing(
  db: Database,
  campaign_id: number,
  { share, least }: { share: number; least: number },
): Promise<boolean> {
  // The baseline is read of the very row that is updated: a resume that came in between counts.
  const { rows } = await db.execute(sql`
    update campaigns c set
      status = 'paused', updated_at = now(),
      status_reason = format('%s of the %s mails tried since it was %s failed', b.failed - c.failed_at_resume,
          b.tried - c.tried_at_resume, case when c.tried_at_resume = 0 then 'started' else 'last resumed' end)
        || (${MOST_FREQUENT(campaign_id)})
        || '. See its deliveries with the state failed. Resume it to go on; retry-failed tries the failed ones again.'
    from (
      select coalesce(sum(failed), 0) as failed, coalesce(sum(sent + failed), 0) as tried
      from batches where campaign_id = ${campaign_id}
    ) b
    where c.id = ${campaign_id} and c.status = 'sending'
      and b.failed - c.failed_at_resume >= ${least}
      and b.failed - c.failed_at_resume > ${share}::float8 * (b.tried - c.tried_at_resume)
    returning c.id`)
  return rows.length > 0
}

/** ", most often as refused (such as: 550 ...)"; evaluated for a campaign that is being paused only. */
const MOST_FREQUENT = (campaign_id: number) => sql`
  select coalesce((
    select format(', most often as %s', reason) || coalesce(' (such as: ' || left(max(answer), ${QUOTED}::int) || ')', '')
    from (
      select d.reason, d.answer, d.updated_at
      from (
        select campaign_id, n from batches where campaign_id = ${campaign_id} and failed > 0
        order by n desc limit ${BATCHES_LOOKED_AT}
      ) newest
      -- By its batch, never by the campaign alone: statistics may be older than the campaign.
      cross join lateral (
        select reason, answer, updated_at from deliveries
        where campaign_id = newest.campaign_id and batch = newest.n and state = 'failed' limit 100
      ) d
      order by d.updated_at desc limit ${LOOKED_AT}
    ) failed
    group by reason order by count(*) desc, reason limit 1
  ), '')`
