// One statement, kept whole: what a call changes about subscribers that exist, their lists and the proof of consent.
import { type SQL, sql } from 'drizzle-orm'
import type { ImportPolicy } from '../imports/options.ts'
import { createdHere, judgeRows, rank, type WriteMode } from './judge.ts'

/** The rows of one pass. */
export interface Pass {
  /** As `rowsAsJson` (write.ts) makes them. */
  json: string
  count: number
  /** Whether any of them has `resubscribe`. */
  resubscribes: boolean
}

/** Rows that `createRows` is done with are left out: when it is done with all, nothing is looked at again. */
const notDone = ({ count, resubscribes }: Pass) =>
  resubscribes
    ? sql`((e.row -> 'n')::int <> all (${createdHere}) or e.row -> 'resubscribe' = 'true')`
    : sql`cardinality(${createdHere}) < ${count}
        and not exists (select from unnest(${createdHere}) as d(n) where d.n = (e.row -> 'n')::int)`

/**
 * Runs after the rows' subscribers were created and locked in the same transaction, so that `judged` reads what nobody
 * else can change until the end. Only memberships can still move beneath it (a reader's opt-out): their own conditions
 * are therefore tested on the updated row.
 *
 * - A membership that was left stays left (`joined` updates subscribed ones only); only `rejoined` turns it, for rows
 *   with `resubscribe`, and only when its consent is newer than the opt-out.
 * - Whoever comes back to lists comes back to those alone: the others they were still on when they got nothing any more they
 *   leave as of that moment, so that another consent of theirs can still bring them back to one of these.
 * - Whoever is not active joins lists as unsubscribed, so that a later revival covers only the lists it names.
 * - When an address changes of someone who opted out somewhere, the old address is suppressed: importing it again must
 *   not make a new, mailable person of it.
 * - Every `resubscribe` is recorded as one, for its lists and for the person, even where nobody seems to have opted out:
 *   an opt-out may still be on its way from the edge, and only a newer `resubscribed` may overrule it there.
 * - What was read is the proof of an agreement only: no record of an opt-out carries the wording.
 * - A new consent lifts suppressions that older feedback set; one set by hand stays until it is removed by hand, also where
 *   only its hash had outlived an earlier deletion.
 *
 * @param end - the query at the end, over `answers`: one line per row that `createRows` was not done with
 */
export const updateRows = (mode: WriteMode, pass: Pass, policy: ImportPolicy, end: SQL = ANSWERS) => sql`
  with ${judgeRows(mode, pass.json, policy, notDone(pass))},
  accepted as materialized (
    select * from judged where refusal is null and subscriber_id is not null and not skipped
  ),
  changed as (
    update subscribers s
    set email = a.new_email, first_name = a.new_first_name, last_name = a.new_last_name, status = a.new_status,
        attributes = a.new_attributes, timezone = a.new_timezone, locale = a.new_locale, tags = a.new_tags,
        updated_at = now()
    from accepted a
    where s.id = a.subscriber_id and
      (a.old_email, a.old_first_name, a.old_last_name, a.old_status, a.old_attributes, a.old_timezone, a.old_locale,
       a.old_tags)
      is distinct from
      (a.new_email, a.new_first_name, a.new_last_name, a.new_status, a.new_attributes, a.new_timezone, a.new_locale,
       a.new_tags)
    returning s.id
  ),
  wanted as materialized (
    select a.subscriber_id, l.list_id, a.asked_status, a.new_status, a.resubscribe, a.consented_at, a.consent_source,
      a.consent_wording, a.consent_country, m.status as old_status,
      case when a.resubscribe then 'resubscribed' else 'subscribed' end as action
    from accepted a
    cross join lateral unnest(a.list_ids) as l(list_id)
    left join list_members m on m.list_id = l.list_id and m.subscriber_id = a.subscriber_id
  ),
  joined as (
    insert into list_members as m (list_id, subscriber_id, status, consented_at, consent_source, unsubscribed_at)
    select list_id, subscriber_id, case when new_status = 'active' then 'subscribed' else 'unsubscribed' end,
      consented_at, consent_source, case when new_status <> 'active' then now() end
    from wanted
    where not resubscribe
    order by list_id, subscriber_id
    on conflict (list_id, subscriber_id) do update
    set consented_at = excluded.consented_at, consent_source = coalesce(excluded.consent_source, m.consent_source),
        updated_at = now()
    where m.status = 'subscribed' and excluded.status = 'subscribed' and excluded.consented_at is not null
      and (m.consented_at is null or m.consented_at < excluded.consented_at)
    returning m.list_id, m.subscriber_id, m.status
  ),
  rejoined as (
    insert into list_members as m (list_id, subscriber_id, status, consented_at, consent_source, unsubscribed_at)
    select list_id, subscriber_id, case when new_status = 'active' then 'subscribed' else 'unsubscribed' end,
      consented_at, consent_source, case when new_status <> 'active' then now() end
    from wanted
    where resubscribe
    order by list_id, subscriber_id
    on conflict (list_id, subscriber_id) do update
    set status = 'subscribed', consented_at = excluded.consented_at, consent_source = excluded.consent_source,
        unsubscribed_at = null, updated_at = now()
    where excluded.status = 'subscribed' and (
      (m.status = 'unsubscribed' and m.unsubscribed_at < excluded.consented_at)
      or (m.status = 'subscribed' and (m.consented_at is null or m.consented_at < excluded.consented_at)))
    returning m.list_id, m.subscriber_id, m.status
  ),
  others as (
    update list_members m set status = 'unsubscribed', unsubscribed_at = a.opted_out_at, updated_at = now()
    from accepted a
    where m.subscriber_id = a.subscriber_id and m.status = 'subscribed' and m.list_id <> all(a.list_ids)
      and a.resubscribe and a.list_ids <> '{}' and a.old_status <> 'active' and a.new_status = 'active'
    returning m.subscriber_id, m.list_id, a.opted_out_at, a.consent_country
  ),
  moved as (select * from joined union all select * from rejoined),
  proof as (
    insert into consents (subscriber_id, list_id, action, source, wording, country, occurred_at)
    select w.subscriber_id, w.list_id, w.action, w.consent_source, w.consent_wording, w.consent_country,
      coalesce(w.consented_at, now())
    from wanted w join moved m using (list_id, subscriber_id)
    where m.status = 'subscribed'
      and (w.consented_at is not null or w.consent_source is not null or w.consent_wording is not null)
    union all
    select a.subscriber_id, null, 'resubscribed', a.consent_source, a.consent_wording, a.consent_country, a.consented_at
    from accepted a
    where a.resubscribe and a.new_status = 'active' and not exists (
      select from consents c
      where c.subscriber_id = a.subscriber_id and c.list_id is null and c.action = 'resubscribed'
        and c.occurred_at >= a.consented_at)
    union all
    select a.subscriber_id, null, 'subscribed', a.consent_source, a.consent_wording, a.consent_country,
      coalesce(a.consented_at, now())
    from accepted a
    where a.list_ids = '{}' and a.new_status = 'active' and not a.resubscribe
      and (a.consented_at is not null or a.consent_source is not null or a.consent_wording is not null)
      and not exists (
        select from consents c
        where c.subscriber_id = a.subscriber_id and c.list_id is null and c.action <> 'unsubscribed'
          and (a.consented_at is null or c.occurred_at >= a.consented_at))
    union all
    select a.subscriber_id, null, 'unsubscribed', coalesce(a.consent_source, 'set to ' || a.new_status),
      null, a.consent_country, now()
    from accepted a
    where ${rank(sql`a.new_status`)} > ${rank(sql`a.old_status`)}
    union all
    select o.subscriber_id, o.list_id, 'unsubscribed', 'came back to other lists', null, o.consent_country, o.opted_out_at
    from others o
    returning subscriber_id
  ),
  left_behind as (
    insert into suppressions (kind, value, reason, source, subscriber_id)
    select 'address', lower(a.old_email),
      case a.old_status when 'bounced' then 'bounce' when 'complained' then 'complaint' else 'unsubscribe' end,
      'address changed', a.subscriber_id
    from accepted a
    where lower(a.new_email) <> lower(a.old_email) and (
      a.old_status <> 'active'
      or exists (select from list_members m where m.subscriber_id = a.subscriber_id and m.status = 'unsubscribed'))
    on conflict (kind, value) do nothing
  ),
  ${mode === 'update' ? keptOfOld : sql``}
  lifted as (
    delete from suppressions where id in (
      select h.id from accepted a join suppressions h on h.kind = 'hash' and h.value = a.hash
      where a.resubscribe
      union all
      select x.id from accepted a join suppressions x on x.kind = 'address' and x.value = lower(a.new_email)
      where a.resubscribe and a.new_status = 'active' and x.reason in ('unsubscribe', 'bounce', 'complaint')
        and x.created_at < a.consented_at)
    returning kind, value, reason, source, created_at
  ),
  by_hand as (
    insert into suppressions (kind, value, reason, source, created_at)
    select 'address', lower(a.new_email), l.reason, l.source, l.created_at
    from lifted l join accepted a on a.hash = l.value
    where l.kind = 'hash' and l.reason = 'manual'
    on conflict (kind, value) do nothing
  ),
  answers as materialized (
    select j.n, j.subscriber_id::float8 as id, j.refusal, j.attribute, j.attribute_type, j.skipped,
      j.subscriber_id in (
        select id from changed union all select subscriber_id from moved union all select subscriber_id from proof
      ) as changed,
      case when not j.skipped and ${rank(sql`j.new_status`)} > ${rank(sql`j.asked_status`)} then j.new_status end as kept,
      coalesce(k.list_ids, '{}') as kept_lists
    from judged j
    left join (
      select subscriber_id, array_agg(list_id::float8 order by list_id) as list_ids
      from wanted
      where not resubscribe and asked_status = 'active' and old_status = 'unsubscribed'
      group by subscriber_id
    ) k using (subscriber_id)
  )
  ${end}`

const ANSWERS = sql`select * from answers`

/** An old address that was suppressed for itself goes with its person when they are deleted. */
const keptOfOld = sql`
  kept_of_old as (
    update suppressions set subscriber_id = o.subscriber_id
    from (
      select x.id, a.subscriber_id from accepted a
      cross join lateral (
        select x.id from suppressions x where x.kind = 'address' and x.value = lower(a.old_email) limit 1
      ) x
      where lower(a.new_email) <> lower(a.old_email)
    ) o
    where suppressions.id = o.id and suppressions.subscriber_id is null
  ),`
