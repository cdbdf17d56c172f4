import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** How much a claim would find: rows to be sent now, and rows to be settled after a sender that died. At most a batch. */
export async function dueRows(db: Database, campaign_id: number, batch: number): Promise<number> {
  const { rows } = await db.execute<{ due: number }>(sql`
    select count(*)::int as due from deliveries
    where campaign_id = ${campaign_id} and batch = ${batch}
      and (state in ('pending', 'sending') or (state = 'deferred' and next_attempt_at <= now()))`)
  return rows[0]?.due ?? 0
}
