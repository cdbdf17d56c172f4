import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** How much a claim would find: rows to be sent now, and rows to be settled after a sender that died. At most a batch. */
export async function dueRows(db: Database, campaign_id: number, batch: number): Promise<number> {
  const { rows } = await db.execute<{ due: number }>(sql`
    -- As constants the two would be looked up in statistics that may be older than the campaign, and say it has no rows.
    with batch as materialized (select ${campaign_id}::bigint as campaign_id, ${batch}::int as n)
    select count(*)::int as due from batch b join deliveries d on d.campaign_id = b.campaign_id and d.batch = b.n
    where (state in ('pending', 'sending') or (state = 'deferred' and next_attempt_at <= now()))`)
  return rows[0]?.due ?? 0
}
