// Every change of a campaign's status that needs no check of its content: one conditional UPDATE each.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** A scheduled campaign that was paused before it started: it has its schedule, and neither snapshot nor audience. */
export const PAUSED_BEFORE_START = sql`(status = 'paused' and started_at is null)`

/**
 * sending or scheduled -> paused. Of one that is sending, at most one group per open connection still goes out; one that is
 * scheduled keeps its time and its template's version.
 *
 * @returns false from any other state
 */
export async function pauseCampaign(db: Database, id: number, reason: string): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update campaigns set status = 'paused', status_reason = ${reason}, updated_at = now()
    where id = ${id} and status in ('sending', 'scheduled') returning id`)
  return rows.length > 0
}

/**
 * paused -> sending, or -> scheduled if it had not started; cron starts it then, unless its time is too long past. What has
 * failed, complained or bounced so far is its owner's decision from here on: it pauses again for failures to come only.
 *
 * The open batches of one that is sending need new pointers: dispatch it afterwards.
 *
 * @returns false from any other state
 */
export async function resumeCampaign(db: Database, id: number): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update campaigns c set
      status = case when c.started_at is null then 'scheduled' else 'sending' end,
      failed_at_resume = b.failed, tried_at_resume = b.tried, complaints_at_resume = coalesce(s.complaints, 0),
      bounces_at_resume = coalesce(s.hard_bounces, 0), blocks_at_resume = coalesce(s.blocks, 0),
      status_reason = null, updated_at = now()
    from (
      select coalesce(sum(failed), 0) as failed, coalesce(sum(sent + failed), 0) as tried
      from batches where campaign_id = ${id}
    ) b
    left join campaign_stats s on s.campaign_id = ${id}
    where c.id = ${id} and c.status = 'paused' returning c.id`)
  return rows.length > 0
}

/** sending, paused or scheduled -> cancelled. Rows not yet sent stay open in the ledger and are never sent. */
export async function cancelCampaign(db: Database, id: number): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update campaigns set status = 'cancelled', finished_at = now(), updated_at = now()
    where id = ${id} and status in ('sending', 'paused', 'scheduled') returning id`)
  return rows.length > 0
}

/** Says on a sending campaign what holds it up, or that nothing does any more (null). */
export async function noteCampaign(db: Database, id: number, reason: string | null): Promise<void> {
  await db.execute(sql`
    update campaigns set status_reason = ${reason}
    where id = ${id} and status = 'sending' and status_reason is distinct from ${reason}`)
}
