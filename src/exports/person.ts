// Everything that is kept of one person, as one document: what they may ask for (GDPR, article 15).
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { addressesOf } from './addresses.ts'

type Facts = Record<string, unknown>

/** Named as in the API; moments are ISO 8601 in UTC. */
export interface PersonalData {
  exported_at: string
  profile: Facts & { id: number; email: string }
  /** Addresses that were theirs before and are kept because they opted out. */
  former_addresses: string[]
  lists: Facts[]
  consents: Facts[]
  /** Mails of campaigns, with what became of each. */
  mails: Facts[]
  /** Opens, clicks and opt-outs by link, the newest first. */
  events: Facts[]
  /** Events beyond those above. */
  events_left_out: number
  activity: Facts | null
  /** What mail services told of their mails in the last 30 days. */
  feedback: Facts[]
  sign_ups: Facts[]
  /** Confirmations, tests and mails about one's data. */
  single_mails: Facts[]
  suppressions: Facts[]
  /** When they asked for their data or to be erased, in the last day. */
  data_requests: string[]
}

/** A person has a few hundred; a program that fetches a picture in a loop leaves millions. */
const EVENTS = 10_000

/**
 * Reads what is kept of a subscriber, in one transaction. What is theirs by address only (sign-ups, single mails,
 * suppressions) is found by the address that they have now and those that are known from before.
 *
 * @returns null when there is no such subscriber
 */
export async function exportPerson(db: Database, id: number): Promise<PersonalData | null> {
  const all = (statement: SQL) => db.execute<Facts>(statement)
  const addresses = sql`any(array(${addressesOf(id)}))`
  const [
    profile,
    former,
    lists,
    consents,
    mails,
    events,
    sum,
    activity,
    feedback,
    sign_ups,
    single,
    suppressions,
    requests,
  ] = await db.batch([
    all(sql`
        select s.id::float8 as id, s.email, s.first_name, s.last_name, s.status, s.attributes, s.tags, s.timezone, s.locale,
          ${iso(sql`s.paused_until`)} as paused_until, ${iso(sql`s.created_at`)} as created_at,
          ${iso(sql`s.updated_at`)} as updated_at, ${iso(sql`now()`)} as exported_at
        from subscribers s where s.id = ${id}`),
    all(sql`select x.value from suppressions x where x.subscriber_id = ${id} and x.kind = 'address' order by x.value`),
    all(sql`
        select m.list_id::float8 as list_id, l.name, m.status, ${iso(sql`m.consented_at`)} as consented_at, m.consent_source,
          ${iso(sql`m.unsubscribed_at`)} as unsubscribed_at, ${iso(sql`m.created_at`)} as created_at
        from list_members m join mailing_lists l on l.id = m.list_id
        where m.subscriber_id = ${id} order by m.list_id`),
    all(sql`
        select c.id::float8 as id, c.list_id::float8 as list_id, l.name as list_name, c.action, c.source, c.wording, c.country,
          c.reason, ${iso(sql`c.occurred_at`)} as occurred_at, ${iso(sql`c.recorded_at`)} as recorded_at
        from consents c left join mailing_lists l on l.id = c.list_id
        where c.subscriber_id = ${id} order by c.occurred_at, c.id`),
    all(sql`
        select d.campaign_id::float8 as campaign_id, c.name as campaign, c.subject, d.state, d.reason, d.answer,
          d.attempts::int as attempts, d.account, d.provider_message_id, ${iso(sql`d.sent_at`)} as sent_at,
          ${iso(sql`f.delivered_at`)} as delivered_at, ${iso(sql`f.soft_bounced_at`)} as soft_bounced_at,
          ${iso(sql`f.hard_bounced_at`)} as hard_bounced_at, ${iso(sql`f.blocked_at`)} as blocked_at,
          ${iso(sql`f.complained_at`)} as complained_at, f.diagnostic,
          coalesce(r.opens, 0) as opens, coalesce(r.clicks, 0) as clicks,
          ${iso(sql`r.first_opened_at`)} as first_opened_at, ${iso(sql`r.first_clicked_at`)} as first_clicked_at,
          ${iso(sql`r.unsubscribed_at`)} as unsubscribed_at
        from (select d.* from deliveries d where d.subscriber_id = ${id} offset 0) d
        left join campaigns c on c.id = d.campaign_id
        left join lateral (
          select r.* from recipient_stats r where r.campaign_id = d.campaign_id and r.subscriber_id = d.subscriber_id limit 1
        ) r on true
        left join lateral (
          select f.* from recipient_feedback f
          where f.campaign_id = d.campaign_id and f.subscriber_id = d.subscriber_id limit 1
        ) f on true
        order by d.campaign_id`),
    all(sql`
        select e.kind, e.campaign_id::float8 as campaign_id, l.url, ${iso(sql`e.occurred_at`)} as occurred_at, e.verdict,
          e.reason, e.method, e.asn::float8 as asn, e.agent, e.country, e.region, e.device, e.client
        from (
          select e.* from campaign_events e where e.subscriber_id = ${id} order by e.occurred_at desc limit ${EVENTS}
        ) e
        left join campaign_links l on l.campaign_id = e.campaign_id and l.n = e.link
        order by e.occurred_at desc, e.event_id`),
    all(sql`select count(*)::int as n from campaign_events where subscriber_id = ${id}`),
    all(sql`
        select ${iso(sql`a.last_opened_at`)} as last_opened_at, ${iso(sql`a.last_clicked_at`)} as last_clicked_at,
          (select coalesce(json_agg(json_build_object('day', d.day, 'opens', d.opens, 'clicks', d.clicks) order by d.day), '[]')
            from subscriber_days d where d.subscriber_id = a.subscriber_id) as days
        from subscriber_activity a where a.subscriber_id = ${id}`),
    all(sql`
        select f.campaign_id::float8 as campaign_id, f.source, f.kind, f.recipient, f.diagnostic, f.raw,
          ${iso(sql`f.occurred_at`)} as occurred_at, ${iso(sql`f.received_at`)} as received_at
        from feedback_events f where f.subscriber_id = ${id} order by f.occurred_at, f.event_id`),
    all(sql`
        select g.email, g.first_name, g.last_name, g.attributes, g.locale, g.list_ids::float8[] as list_ids, g.wording,
          g.source, g.country, g.status, ${iso(sql`g.created_at`)} as created_at, ${iso(sql`g.expires_at`)} as expires_at
        from signups g where lower(g.email) = ${addresses} order by g.id`),
    all(sql`
        select o.purpose, m.email, m.state, m.reason, m.answer, o.content ->> 'subject' as subject,
          ${iso(sql`o.created_at`)} as created_at, ${iso(sql`m.sent_at`)} as sent_at
        from transactional_mails m join transactional_sends o on o.id = m.send_id
        where lower(m.email) = ${addresses} order by m.id`),
    all(sql`
        select x.kind, x.value, x.reason, x.source, ${iso(sql`x.created_at`)} as created_at
        from suppressions x where x.kind = 'address' and x.value = ${addresses} order by x.id`),
    all(sql`
        select ${iso(sql`a.at`)} as at from data_requests d cross join lateral unnest(d.asked_at) as a (at)
        where d.subscriber_id = ${id} order by a.at`),
  ])
  const [person] = profile.rows
  if (!person) return null
  const { exported_at, ...fields } = person as PersonalData['profile'] & { exported_at: string }
  return {
    exported_at,
    profile: fields,
    former_addresses: former.rows.map(({ value }) => value as string),
    lists: lists.rows,
    consents: consents.rows,
    mails: mails.rows,
    events: events.rows,
    events_left_out: ((sum.rows[0]?.n as number | undefined) ?? 0) - events.rows.length,
    activity: activity.rows[0] ?? null,
    feedback: feedback.rows,
    sign_ups: sign_ups.rows,
    single_mails: single.rows,
    suppressions: suppressions.rows,
    data_requests: requests.rows.map(({ at }) => at as string),
  }
}
