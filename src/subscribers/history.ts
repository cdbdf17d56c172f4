// All that is known to have happened to one subscriber, newest first. One SQL statement, kept whole.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso, toTheMicrosecond } from '../db/iso.ts'
import { addressesOf } from '../exports/addresses.ts'
import { attemptInWords, TIMELINE_KINDS, type TimelineKind } from '../feedback/timeline.ts'
import type { Purpose } from '../transactional/status.ts'

/** What a history tells beside what can happen to a mail, in the order in which it does when two have the same moment. */
export const HISTORY_KINDS = ['created', 'signed_up', 'joined', 'left', 'subscribed', 'resubscribed'] as const
export type HistoryKind = (typeof HISTORY_KINDS)[number] | TimelineKind

export interface HistoryEntry {
  at: string
  what: HistoryKind
  detail: string | null
  /** Of a mail, an open or a click. `name` is null once the campaign is gone. */
  campaign: { id: number; name: string | null } | null
  /** Of a consent, or of coming and going. */
  list: { id: number; name: string | null } | null
  /** Why a single mail was sent. */
  purpose: Purpose | null
  source: string | null
  country: string | null
  wording: string | null
  reason: string | null
  url: string | null
  verdict: 'human' | 'machine' | 'unsure' | null
}

/** Where a page begins: the moment to the microsecond, and what tells entries of one moment apart. */
export interface HistoryPlace {
  at: string
  key: string
}

/** What a source tells of an entry; the statement adds names. */
interface Facts {
  detail?: string | null
  purpose?: Purpose
  source?: string | null
  country?: string | null
  wording?: string | null
  reason?: string | null
  verdict?: HistoryEntry['verdict']
  /** Of an attempt to send. */
  account?: string | null
  attempts?: number
  answer?: string | null
}

interface Row {
  at: string
  place: string
  key: string
  what: HistoryKind
  campaign_id: number | null
  campaign: string | null
  list_id: number | null
  list: string | null
  url: string | null
  facts: Facts
}

const ORDER = sql.raw(`array[${[...HISTORY_KINDS, ...TIMELINE_KINDS].map((kind) => `'${kind}'`).join(', ')}]`)

/** So many consents, the latest, are compared with what else tells of the same moment. */
const LATEST = 1_000

/**
 * A page of a subscriber's history, one entry more than `limit`; null when there is no such subscriber.
 *
 * Whatever there can be much of is read along an index in the order of time, and no further than the page needs: consents,
 * opens and clicks. Of lists, mails of campaigns, sign-ups and single mails one person has no more than are read at once.
 * What is known twice is told once: coming, going and opting out by the consent, a first open by its event while that is
 * kept.
 */
export async function subscriberHistory(
  db: Database,
  id: number,
  after: HistoryPlace | null,
  limit: number,
): Promise<(HistoryEntry & { place: HistoryPlace })[] | null> {
  const { rows } = await db.execute<{ known: boolean; entries: Row[] }>(sql`
    with person as materialized (select s.id, s.created_at from subscribers s where s.id = ${id}),
    addresses as materialized (${addressesOf(id)}),
    told_by_consent as materialized (
      select list_id, action, occurred_at, recorded_at from consents where subscriber_id = ${id}
      order by occurred_at desc limit ${LATEST}
    ),
    kept as materialized (
      select coalesce(min(occurred_at), 'infinity') as since from campaign_events where subscriber_id = ${id}
    ),
    mails as materialized (
      select d.*, f.accepted_at, f.delivered_at, f.soft_bounced_at, f.hard_bounced_at, f.blocked_at, f.complained_at,
        f.diagnostic
      from (select * from deliveries where subscriber_id = ${id} offset 0) d
      left join (select * from recipient_feedback where subscriber_id = ${id} offset 0) f using (campaign_id)
    ),
    entries as (
      ${slice(sql`
        select created_at, ${keyed(sql`'created'`)}, 'created', null, null, null, null, null from person`)}
      union all ${slice(sql`
        select c.occurred_at, ${keyed(sql`c.action`, padded(sql`c.id`))}, c.action, null, c.list_id, null, null,
          jsonb_build_object('source', c.source, 'country', c.country, 'wording', c.wording, 'reason', c.reason)
        from consents c where c.subscriber_id = ${id} and ${before(sql`c.occurred_at`)}`)}
      union all ${slice(sql`
        select v.at, ${keyed(sql`v.what`, sql`'list'`, padded(sql`m.list_id`))}, v.what, null, m.list_id, null, null,
          case v.what when 'joined' then jsonb_build_object('source', m.consent_source) end
        from list_members m cross join lateral (values ('joined', m.created_at), ('left', m.unsubscribed_at)) v(what, at)
        where m.subscriber_id = ${id} and v.at is not null and not exists (
          select from told_by_consent c where c.list_id = m.list_id
            and (c.action = 'unsubscribed') = (v.what = 'left') and v.at in (c.occurred_at, c.recorded_at))`)}
      union all ${slice(sql`
        select v.at, ${keyed(sql`v.what`, padded(sql`m.campaign_id`), sql`v.part`)}, v.what, m.campaign_id, null, null,
          v.part, null
        from mails m cross join lateral (values
          (1, case m.state when 'pending' then 'queued' else m.state end,
            case m.state when 'sent' then least(coalesce(m.sent_at, m.updated_at), m.accepted_at) else m.updated_at end),
          (2, 'delivered', m.delivered_at), (3, 'bounced', m.soft_bounced_at), (4, 'bounced', m.hard_bounced_at),
          (5, 'blocked', m.blocked_at), (6, 'complained', m.complained_at)
        ) v(part, what, at)
        where v.at is not null`)}
      union all ${slice(sql`
        select v.at, ${keyed(sql`v.what`, padded(sql`m.campaign_id`))}, v.what, m.campaign_id, null, null, null, null
        from mails m
        cross join kept
        cross join lateral (
          select * from recipient_stats r where r.campaign_id = m.campaign_id and r.subscriber_id = ${id}
          -- Nobody opens a mail before it is sent.
          and coalesce(m.sent_at < kept.since, true) limit 1
        ) r
        cross join lateral (values ('opened', r.first_opened_at), ('clicked', r.first_clicked_at)) v(what, at)
        where v.at < kept.since`)}
      union all ${slice(sql`
        select e.occurred_at, ${keyed(EVENT_WORDS, sql`'event'`, sql`e.event_id`)}, ${EVENT_WORDS}, e.campaign_id, null,
          nullif(e.link, 0), null,
          jsonb_build_object('verdict', e.verdict, 'detail', e.reason, 'country', e.country)
        from campaign_events e
        where e.subscriber_id = ${id} and ${before(sql`e.occurred_at`)} and (e.kind <> 'unsubscribe' or not exists (
          select from told_by_consent c where c.action = 'unsubscribed' and c.occurred_at = e.occurred_at))`)}
      union all ${slice(sql`
        select coalesce(m.sent_at, m.updated_at), ${keyed(sql`m.state`, sql`'mail'`, padded(sql`m.id`))}, m.state,
          o.campaign_id, null, null, null, jsonb_build_object('purpose', o.purpose, 'account', m.account,
            'attempts', m.attempts, 'reason', m.reason, 'answer', m.answer)
        from transactional_mails m join transactional_sends o on o.id = m.send_id
        where lower(m.email) = any(array(select * from addresses))`)}
      union all ${slice(sql`
        select g.created_at, ${keyed(sql`'signed_up'`, padded(sql`g.id`), padded(sql`l.id`))}, 'signed_up', null, l.id,
          null, null, jsonb_build_object('detail', concat_ws(': ', g.status, g.reason), 'source', g.source,
            'country', g.country, 'wording', g.wording)
        from signups g cross join lateral unnest(g.list_ids) as l(id)
        where lower(g.email) = any(array(select * from addresses))`)}
    ),
    newest as (
      select * from entries order by at desc, key collate "C" desc limit ${limit + 1}
    ),
    told as (
      select ${iso(sql`n.at`)} as at, ${toTheMicrosecond(sql`n.at`)} as place, n.key, n.what, n.campaign_id,
        c.name as campaign, n.list_id, l.name as list, k.url,
        case n.part
          when 1 then jsonb_build_object('account', m.account, 'attempts', m.attempts, 'answer', m.answer, 'reason',
            concat_ws(', again at ', m.reason, case m.state when 'deferred' then ${iso(sql`m.next_attempt_at`)} end))
          when 3 then jsonb_build_object('detail', concat_ws(': ', 'soft', m.diagnostic))
          when 4 then jsonb_build_object('detail', concat_ws(': ', 'hard', m.diagnostic))
          when 5 then jsonb_build_object('detail', m.diagnostic)
          else coalesce(n.facts, '{}')
        end as facts
      from newest n
      left join mails m on n.part is not null and m.campaign_id = n.campaign_id
      left join campaigns c on c.id = n.campaign_id
      left join mailing_lists l on l.id = n.list_id
      left join campaign_links k on k.campaign_id = n.campaign_id and k.n = n.link
      order by n.at desc, n.key collate "C" desc
    )
    select exists (select from person) as known, coalesce((select json_agg(told) from told), '[]') as entries`)
  const [found] = rows
  return found?.known ? found.entries.map(toEntry) : null

  /** The newest of a source, as many as a page may need. */
  function slice(source: SQL): SQL {
    return sql`(
      select at, key, what::text, campaign_id::bigint, list_id::bigint, link::int, part::int, facts::jsonb
      from (${source}) as e(at, key, what, campaign_id, list_id, link, part, facts)
      where ${after === null ? sql`true` : sql`(at < ${after.at}::timestamptz or (at = ${after.at}::timestamptz and key collate "C" < ${after.key}))`}
      order by at desc, key collate "C" desc limit ${limit + 1}
    )`
  }

  /** For sources with an index: where in it to begin. */
  function before(at: SQL): SQL {
    return after === null ? sql`true` : sql`${at} <= ${after.at}::timestamptz`
  }
}

const EVENT_WORDS = sql`case e.kind when 'open' then 'opened' when 'click' then 'clicked' else 'unsubscribed' end`

/** Orders entries of one moment: by what happened, then by id. */
const keyed = (what: SQL, ...ids: SQL[]): SQL =>
  sql.join([sql`lpad(array_position(${ORDER}, ${what})::text, 2, '0')`, ...ids], sql` || ':' || `)

/** A number as text that sorts like it. */
const padded = (id: SQL) => sql`lpad((${id})::text, 19, '0')`

function toEntry({ at, place, key, what, campaign_id, campaign, list_id, list, url, facts }: Row) {
  const { account = null, attempts, reason = null, answer = null } = facts
  const is_attempt = attempts !== undefined
  return {
    at,
    what,
    detail: is_attempt ? attemptInWords({ account, attempts, reason, answer }) : (facts.detail ?? null),
    campaign: campaign_id === null ? null : { id: campaign_id, name: campaign },
    list: list_id === null ? null : { id: list_id, name: list },
    purpose: facts.purpose ?? null,
    source: facts.source ?? null,
    country: facts.country ?? null,
    wording: facts.wording ?? null,
    reason: is_attempt ? null : reason,
    url,
    verdict: facts.verdict ?? null,
    place: { at: place, key },
  }
}
