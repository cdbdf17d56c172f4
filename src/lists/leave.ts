import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/**
 * Takes a member off a list. The membership stays, as unsubscribed: it is what keeps later imports from undoing it. Who had
 * left already has said so again: no consent from in between brings them back.
 *
 * @returns whether there is such a membership
 */
export async function leaveList(db: Database, list_id: number, subscriber_id: number): Promise<boolean> {
  const { rows } = await db.execute(sql`
    with left_now as (
      update list_members set status = 'unsubscribed', unsubscribed_at = now(), updated_at = now()
      where list_id = ${list_id} and subscriber_id = ${subscriber_id} and status = 'subscribed'
    ),
    proof as (
      insert into consents (subscriber_id, list_id, action, source)
      select subscriber_id, list_id, 'unsubscribed', 'api' from list_members
      where list_id = ${list_id} and subscriber_id = ${subscriber_id}
    )
    select from list_members where list_id = ${list_id} and subscriber_id = ${subscriber_id}`)
  return rows.length > 0
}
