import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/**
 * Ends a campaign as `sent` if, and only if, its audience is frozen to the end and no batch has open rows: one statement
 * with all its conditions, so it may be tried at any time by anyone.
 *
 * @returns true when this call ended it
 */
export async function completeCampaign(db: Database, campaign_id: number): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update campaigns c set status = 'sent', status_reason = null, finished_at = now(), updated_at = now()
    where c.id = ${campaign_id} and c.status = 'sending' and c.frozen_at is not null
      and not exists (select 1 from batches b where b.campaign_id = c.id and b.open > 0)
    returning c.id`)
  return rows.length > 0
}
