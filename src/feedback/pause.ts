import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { log } from '../log.ts'
import type { FeedbackEvent, FeedbackKind } from './event.ts'

/**
 * Recipients that must have complained, bounced or been blocked at the least: fewer are no share of anything. Of complaints
 * three, since at the usual limit of one in a thousand they are already those of 3,000 mails.
 */
const LEAST_COMPLAINTS = 3
const LEAST_BOUNCES = 20
const LEAST_BLOCKS = 20
/** Characters of a far server's words that are quoted. */
const QUOTED = 200

const GRAVE: ReadonlySet<FeedbackKind> = new Set(['complaint', 'hard_bounce', 'blocked'])

/**
 * Pauses sending campaigns that harm the sender's name: too many of their recipients complained, do not exist, or have a
 * server that refuses us. The limits are the settings' shares.
 *
 * - Complaints are measured by the mails delivered, bounces and blocks by those and themselves. Where news of deliveries
 *   comes for less than half of the mails (not at all over SMTP, late at the start) it is by the mails sent, or tried.
 * - Each time its owner resumes it, it has the same allowance again: what was told before does not count, but all its mails
 *   do, since news of earlier ones still comes in.
 *
 * @param campaigns - ids of those that the events are about
 * @param events - what was told just now; nothing is looked at unless one of them is grave
 * @returns the campaigns that this call paused
 */
export async function pauseByFeedback(
  db: Database,
  campaigns: readonly number[],
  events: readonly Pick<FeedbackEvent, 'campaign_id' | 'kind' | 'diagnostic'>[],
): Promise<number[]> {
  const grave = events.filter(({ kind }) => GRAVE.has(kind))
  const about = campaigns.filter((id) => grave.some(({ campaign_id }) => campaign_id === id))
  const paused: number[] = []
  for (const campaign_id of about) {
    const words = (kind: FeedbackKind) => {
      const said = grave.find((event) => event.campaign_id === campaign_id && event.kind === kind && event.diagnostic)
      return said?.diagnostic ? ` (such as: ${said.diagnostic.slice(0, QUOTED).toWellFormed()})` : ''
    }
    const over = await pause(db, campaign_id, words('complaint'), words('hard_bounce'), words('blocked'))
    if (!over) continue
    log('campaign_paused_by_feedback', { campaign_id })
    paused.push(campaign_id)
  }
  return paused
}

/** Of several limits that are passed the first is told. The batches are summed only when so many have complained at all. */
async function pause(
  db: Database,
  campaign_id: number,
  complaint_words: string,
  bounce_words: string,
  block_words: string,
): Promise<boolean> {
  // The numbers at the last resume are read of the very row that is updated: a resume that came in between counts.
  const complaints = sql`(n.complaints - c.complaints_at_resume)`
  const bounces = sql`(n.hard_bounces - c.bounces_at_resume)`
  const blocks = sql`(n.blocks - c.blocks_at_resume)`
  const since = sql`case when c.tried_at_resume = 0 then 'it was started' else 'it was last resumed' end`
  const told = (
    count: typeof complaints,
    what: string,
    of: typeof complaints,
    limit: typeof complaints,
    words: string,
  ) =>
    sql`format(${`%s recipients ${what} since %s, of %s mails: %s %%, and the limit is %s %%`}, ${count}, ${since}, ${of},
      round((100.0 * ${count} / greatest(${of}, 1))::numeric, 2), round((100 * ${limit})::numeric, 2)) || ${words}::text`
  const { rows } = await db.execute(sql`
    update campaigns c set
      status = 'paused', updated_at = now(),
      status_reason = case
        when ${complaints} >= ${LEAST_COMPLAINTS} and ${complaints} > n.complaint_share * n.heard
          then ${told(complaints, 'complained', sql`n.heard`, sql`n.complaint_share`, complaint_words)}
        when ${bounces} >= ${LEAST_BOUNCES} and ${bounces} > n.bounce_share * n.tried
          then ${told(bounces, 'do not exist', sql`n.tried`, sql`n.bounce_share`, bounce_words)}
        else ${told(blocks, 'have a server that refused the mail', sql`n.tried`, sql`n.block_share`, block_words)}
        end || '. See its deliveries for whose. Resume it to go on.'
    from (
      select s.complaints, s.hard_bounces, s.blocks,
        greatest(case when s.delivered * 2 >= b.sent then s.delivered else b.sent end, s.complaints) as heard,
        s.hard_bounces + s.blocks
          + case when s.delivered * 2 >= b.sent then s.delivered else greatest(b.sent + b.failed - s.hard_bounces - s.blocks, 0) end as tried,
        t.pause_complaint_share as complaint_share, t.pause_bounce_share as bounce_share, t.pause_block_share as block_share
      from campaign_stats s
      cross join settings t
      cross join lateral (
        select coalesce(sum(sent), 0) as sent, coalesce(sum(failed), 0) as failed
        from batches where campaign_id = s.campaign_id
      ) b
      where s.campaign_id = ${campaign_id}
        and (s.complaints >= ${LEAST_COMPLAINTS} or s.hard_bounces >= ${LEAST_BOUNCES} or s.blocks >= ${LEAST_BLOCKS})
    ) n
    where c.id = ${campaign_id} and c.status = 'sending'
      and ((${complaints} >= ${LEAST_COMPLAINTS} and ${complaints} > n.complaint_share * n.heard)
        or (${bounces} >= ${LEAST_BOUNCES} and ${bounces} > n.bounce_share * n.tried)
        or (${blocks} >= ${LEAST_BLOCKS} and ${blocks} > n.block_share * n.tried))
    returning c.id`)
  return rows.length > 0
}
