// Conditions that other tables know: each a relation of `subscriber_id`, which is looked up for one person or read as a whole.
import { type SQL, sql } from 'drizzle-orm'
import { CLICKED, OPENED } from '../campaigns/engagement.ts'
import type { EngagementCondition, ListCondition } from './filter.ts'

export interface People {
  rows: SQL
  /** The same people, each once, where there is a quicker way to read all of them. */
  all?: SQL
  /** A person may be in it several times. */
  repeats?: boolean
}

const since = (days: number) => sql`now() - make_interval(days => ${days}::int)`

/** Of `ever` and those that are more than it. */
export function peopleOfList(list_id: number, op: Exclude<ListCondition['op'], 'never'>, days: number): People {
  const standing = {
    ever: sql``,
    subscribed: sql`and m.status = 'subscribed'`,
    unsubscribed: sql`and m.status = 'unsubscribed'`,
    // Whoever comes back has a consent newer than their row.
    joined_in_last_days: sql`and m.status = 'subscribed' and greatest(m.created_at, m.consented_at) >= ${since(days)}`,
  }[op]
  return { rows: sql`select m.subscriber_id from list_members m where m.list_id = ${list_id}::bigint ${standing}` }
}

export function peopleOfCampaign(campaign_id: number, what: 'sent' | 'opened' | 'clicked'): People {
  if (what === 'sent') {
    return {
      rows: sql`select d.subscriber_id from deliveries d where d.campaign_id = ${campaign_id}::bigint and d.state = 'sent'`,
    }
  }
  const of = sql`from recipient_stats r where r.campaign_id = ${campaign_id}::bigint`
  const [did, human, kinds] =
    what === 'opened'
      ? [OPENED, sql`r.human_opens > 0 or r.human_clicks > 0`, sql`('open', 'click')`]
      : [CLICKED, sql`r.human_clicks > 0`, sql`('click')`]
  return {
    rows: sql`select r.subscriber_id ${of} and ${did}`,
    // Who did it for certain has it in the counters; the events of all others are read in one go.
    all: sql`
      select r.subscriber_id ${of} and (${human})
      union
      select e.subscriber_id from campaign_events e
      where e.campaign_id = ${campaign_id}::bigint and e.kind in ${kinds} and e.verdict = 'unsure' and e.subscriber_id is not null
        and e.occurred_at >= (select started_at from campaigns where id = ${campaign_id}::bigint)`,
  }
}

/** Which link it was is known for as long as events are kept. */
export const peopleOfLink = (campaign_id: number, link: number): People => ({
  rows: sql`
    select e.subscriber_id from campaign_events e
    where e.campaign_id = ${campaign_id}::bigint and e.kind = 'click' and e.link = ${link}::int and e.verdict <> 'machine'
      and e.subscriber_id is not null`,
  repeats: true,
})

/** Of the last so many days, or ever (null). */
export function engagedPeople(what: EngagementCondition['engagement'], days: number | null): People {
  if (what === 'sent') {
    const lately = days === null ? sql`` : sql`and d.sent_at >= ${since(days)}`
    return { rows: sql`select d.subscriber_id from deliveries d where d.state = 'sent' ${lately}`, repeats: true }
  }
  const last = what === 'opened' ? sql`a.last_active_at` : sql`a.last_clicked_at`
  const when = days === null ? sql`${last} is not null` : sql`${last} >= ${since(days)}`
  return { rows: sql`select a.subscriber_id from subscriber_activity a where ${when}` }
}

/** Who was sent at least so many mails, and opened (or followed a link of) none of the last so many. */
export function silentPeople(what: 'opened' | 'clicked', mails: number): People {
  return {
    rows: sql`
      select l.subscriber_id
      from (
        select d.subscriber_id, d.campaign_id,
          row_number() over (partition by d.subscriber_id order by d.sent_at desc, d.campaign_id desc) as n
        from deliveries d where d.state = 'sent'
      ) l
      left join recipient_stats r on r.campaign_id = l.campaign_id and r.subscriber_id = l.subscriber_id
      where l.n <= ${mails}::int
      group by l.subscriber_id
      having count(*) = ${mails}::int and not coalesce(bool_or(${what === 'opened' ? OPENED : CLICKED}), false)`,
  }
}
