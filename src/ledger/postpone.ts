import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** Has the sweep look at a batch that could not be claimed for want of a permit. In seconds from now. */
export async function postponeBatch(db: Database, campaign_id: number, batch: number, seconds: number): Promise<void> {
  await db.execute(sql`
    update batches set due_at = now() + make_interval(secs => ${seconds})
    where campaign_id = ${campaign_id} and n = ${batch} and open > 0
      and (lease_token is null or lease_until < now())`)
}
