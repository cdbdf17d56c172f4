import { sql } from 'drizzle-orm'

/**
 * Blanks what providers answered about a subscriber who is being deleted: it may quote the address. Everything else in
 * the ledger is ids, and every sum stays as it is. Runs in the transaction that deletes the subscriber.
 */
export const forgetSubscriber = (subscriber_id: number) => sql`
  with answered as (
    select campaign_id, subscriber_id from deliveries
    where subscriber_id = ${subscriber_id} and answer is not null
    order by campaign_id, subscriber_id
    for update
  )
  update deliveries d set answer = null
  from answered a
  where d.campaign_id = a.campaign_id and d.subscriber_id = a.subscriber_id`
