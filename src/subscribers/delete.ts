import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { forgetActivity } from '../events/activity.ts'
import { flushAlone } from '../events/alone.ts'
import { forgetSubscriber } from '../ledger/forget.ts'
import { eraseAlone, hashEmail } from './erasure.ts'

/**
 * Deletes a subscriber with memberships and consents. What stays is a keyed hash of the address (so that importing an
 * old file does not mail the person again) and rows that hold only ids (so that every sum stays as it was).
 *
 * @returns whether there was such a subscriber
 */
export async function deleteSubscriber(db: Database, hash_key: string, id: number): Promise<boolean> {
  for (;;) {
    const found = await db.execute<{ email: string }>(sql`select email from subscribers where id = ${id}`)
    const email = found.rows[0]?.email
    if (email === undefined) return false
    const hash = await hashEmail(hash_key, email)
    const [, , deleted] = await retryDeadlocks(() =>
      db.batch([
        db.execute(eraseAlone()),
        // No flush that still saw the subscriber may write what they did after it is gone.
        db.execute(flushAlone()),
        db.execute(sql`
          with gone as (delete from subscribers where id = ${id} and email = ${email} returning id)
          insert into suppressions (kind, value, reason, source)
          select 'hash', ${hash}, 'deleted', 'subscriber deleted' from gone
          on conflict (kind, value) do update set created_at = now()
          returning id`),
        db.execute(forgetSubscriber(id)),
        ...forgetActivity(id).map((statement) => db.execute(statement)),
      ]),
    )
    // Nothing deleted: the address changed since it was read (hash again), or someone else deleted it (look again).
    if (deleted.rows.length > 0) return true
  }
}
