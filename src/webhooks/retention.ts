import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** How long messages and their tries are kept. */
const LOG_DAYS = 30
/** Messages a statement. */
const SLICE = 5000

/**
 * Deletes messages that are older than {@link LOG_DAYS} days, and secrets that no longer sign. Ids follow the time, so the
 * oldest messages are those with the lowest.
 *
 * @param until - ms since 1970; no slice is begun later
 */
export async function forgetWebhooks(db: Database, until: number, now: () => Date): Promise<void> {
  await db.execute(sql`
    update webhook_endpoints set previous_secret = null, previous_until = null where previous_until <= now()`)
  while (now().getTime() <= until) {
    const { rows } = await db.execute<{ deleted: number }>(sql`
      with old as (
        delete from webhook_messages where id in (select id from webhook_messages order by id limit ${SLICE})
          and created_at < now() - make_interval(days => ${LOG_DAYS})
        returning 1
      )
      select count(*)::int as deleted from old`)
    if ((rows[0]?.deleted ?? 0) < SLICE) break
  }
}
