import { sql } from 'drizzle-orm'

/**
 * Blanks what providers and servers said about a subscriber who is being deleted (it may quote the address), the numbers by
 * which they know the mails, and the region that a reader was in, by which nothing is counted. Everything else in the ledger,
 * in the news and among the events is ids, and every sum stays as it is. Runs in the transaction that deletes the subscriber,
 * which no flush runs beside.
 */
export const forgetSubscriber = (subscriber_id: number) => sql`
  with answered as (
    select campaign_id, subscriber_id from deliveries
    where subscriber_id = ${subscriber_id} and (answer is not null or provider_message_id is not null)
    order by campaign_id, subscriber_id
    for update
  ), told as (
    select event_id from feedback_events
    where subscriber_id = ${subscriber_id} and (recipient is not null or diagnostic is not null or raw is not null)
    order by event_id
    for update
  ), silenced as (
    update feedback_events f set recipient = null, diagnostic = null, raw = null
    from told t where f.event_id = t.event_id
  ), diagnosed as (
    select campaign_id, subscriber_id from recipient_feedback
    where subscriber_id = ${subscriber_id} and diagnostic is not null
    order by campaign_id, subscriber_id
    for update
  ), unsaid as (
    update recipient_feedback r set diagnostic = null
    from diagnosed d where r.campaign_id = d.campaign_id and r.subscriber_id = d.subscriber_id
  ), nowhere as (
    update campaign_events set region = null where subscriber_id = ${subscriber_id} and region is not null
  )
  update deliveries d set answer = null, provider_message_id = null
  from answered a
  where d.campaign_id = a.campaign_id and d.subscriber_id = a.subscriber_id`
