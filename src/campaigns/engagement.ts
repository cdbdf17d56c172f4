import { type SQL, sql } from 'drizzle-orm'

// Of a person and one campaign. Who did something is whoever may have been a person: what is known as a machine's does not
// count, what cannot be told apart does (Apple's Mail Privacy Protection loads the picture of every mail, also of those that
// are read). That shows in the events one by one, so it is forgotten with them (EVENT_RETENTION_DAYS); what is known as a
// person's is kept.
//
// `offset 0` has each looked up by its key: Postgres would rather read all rows of the campaign for each page of people.

/** Of a row `s` of subscribers. */
const SUBSCRIBER = sql`s.id`

/** Of a row `r` of recipient_stats: some event may be a person's. Nothing lies before the first; so months are left out. */
const perhaps = (kind: 'open' | 'click', since: SQL) => sql`
  exists (
    select 1 from campaign_events e
    where e.campaign_id = r.campaign_id and e.kind = ${kind} and e.subscriber_id = r.subscriber_id
      and e.occurred_at >= ${since} and e.verdict <> 'machine'
  )`

/** Of a row `r` of recipient_stats: they followed a link of it. */
export const CLICKED = sql`(r.human_clicks > 0 or (r.clicks > 0 and ${perhaps('click', sql`r.first_clicked_at`)}))`

/** Of a row `r` of recipient_stats: they opened it; whoever followed a link has, though pictures may be off. */
export const OPENED = sql`(
  r.human_opens > 0 or r.human_clicks > 0
  or (r.opens > 0 and ${perhaps('open', sql`r.first_opened_at`)})
  or (r.clicks > 0 and ${perhaps('click', sql`r.first_clicked_at`)})
)`

export const hasClicked = (campaign_id: number, person: SQL = SUBSCRIBER): SQL => sql`
  exists (
    select 1 from recipient_stats r
    where r.campaign_id = ${campaign_id} and r.subscriber_id = ${person} and ${CLICKED}
    offset 0
  )`

export const hasOpened = (campaign_id: number, person: SQL = SUBSCRIBER): SQL => sql`
  exists (
    select 1 from recipient_stats r
    where r.campaign_id = ${campaign_id} and r.subscriber_id = ${person} and ${OPENED}
    offset 0
  )`

/** Was sent it: whoever got no mail is not one who did not open it. */
export const wasSent = (campaign_id: number): SQL => sql`
  exists (
    select 1 from deliveries d where d.campaign_id = ${campaign_id} and d.subscriber_id = s.id and d.state = 'sent'
    offset 0
  )`
