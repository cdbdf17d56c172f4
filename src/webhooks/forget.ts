import { sql } from 'drizzle-orm'

/**
 * Drops what was told, or waits to be told, of a subscriber who is being deleted: a receiver's answers may quote the address.
 * What stays is that they were deleted, which names their id only. Runs in the transaction that deletes the subscriber, after
 * the deletion.
 */
export const forgetMessages = (subscriber_id: number) => sql`
  delete from webhook_messages where id in (
    select id from webhook_messages
    where subscriber_id = ${subscriber_id} and type <> 'subscriber.deleted'
    order by id
    for update)`
