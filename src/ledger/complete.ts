import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/**
 * Ends a campaign as `sent` if, and only if, its audience is frozen to the end and no batch has open rows. May be tried at
 * any time by anyone.
 *
 * Two statements in one transaction: the second takes its view of the batches after the first has locked the campaign, so
 * that rows put back meanwhile (by `resend`, or a record that came late; both touch the campaign) are seen. A single
 * UPDATE that waited for them would look again at the campaign, but not at the batches.
 *
 * @returns true when this call ended it
 */
export async function completeCampaign(db: Database, campaign_id: number): Promise<boolean> {
  const over = sql`c.id = ${campaign_id} and c.status = 'sending' and c.frozen_at is not null
    and not exists (select 1 from batches b where b.campaign_id = c.id and b.open > 0)`
  const [, ended] = await db.batch([
    db.execute(sql`select 1 from campaigns c where ${over} for update`),
    db.execute(sql`
      update campaigns c set status = 'sent', status_reason = null, finished_at = now(), updated_at = now()
      where ${over} returning c.id`),
  ])
  return ended.rows.length > 0
}
