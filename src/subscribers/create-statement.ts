// One statement, kept whole: people who are not there yet, with their lists and the proof of consent.
import { type SQL, sql } from 'drizzle-orm'
import type { ImportPolicy } from '../imports/options.ts'
import { CREATED_HERE, judgeRows, type WriteMode } from './judge.ts'

/**
 * Creates the subscribers that are not there yet, in order of address (the order every writer locks in). Whoever loses a
 * race against a parallel call does nothing here and is updated by the next statement.
 *
 * Nobody else sees a subscriber of this transaction, so what is known of them is all there is: they join their lists here,
 * and the next statement leaves them out. Rows with `resubscribe` it sees to all the same, with what they overrule.
 *
 * @param all - creates either so many, which is every row, or nobody; null creates whom it can
 * @param end - the query at the end, over `fresh` (one line per created subscriber) and `noted`, which it must read
 */
export const createRows = (
  mode: WriteMode,
  rows: string,
  policy: ImportPolicy,
  all: number | null,
  end: SQL = FRESH,
) => sql`
  with ${judgeRows(mode, rows, policy)},
  created as (
    insert into subscribers (email, first_name, last_name, status, attributes, timezone, locale, tags)
    select new_email, new_first_name, new_last_name, new_status, new_attributes, new_timezone, new_locale, new_tags
    from judged
    where subscriber_id is null and refusal is null
      ${all === null ? sql`` : sql`and (select count(*) from judged where subscriber_id is null and refusal is null) = ${all}`}
    order by lower(new_email)
    on conflict (lower(email)) do nothing
    returning id, email, status
  ),
  fresh as materialized (
    select c.id, c.status, j.n, j.list_ids, j.consented_at, j.consent_source, j.consent_wording, j.consent_country,
      j.resubscribe,
      j.consented_at is not null or j.consent_source is not null or j.consent_wording is not null as has_consent
    from created c join judged j on lower(j.new_email) = lower(c.email)
  ),
  joined as (
    insert into list_members (list_id, subscriber_id, status, consented_at, consent_source, unsubscribed_at)
    select l.list_id, f.id, case f.status when 'active' then 'subscribed' else 'unsubscribed' end,
      f.consented_at, f.consent_source, case when f.status <> 'active' then now() end
    from fresh f cross join lateral unnest(f.list_ids) as l(list_id)
    where not f.resubscribe
    order by l.list_id, f.id
  ),
  proof as (
    insert into consents (subscriber_id, list_id, action, source, wording, country, occurred_at)
    select f.id, l.list_id, 'subscribed', f.consent_source, f.consent_wording, f.consent_country,
      coalesce(f.consented_at, now())
    from fresh f
    cross join lateral unnest(case f.list_ids when '{}' then array[null::bigint] else f.list_ids end) as l(list_id)
    where f.status = 'active' and f.has_consent and not f.resubscribe
    union all
    select f.id, null, 'unsubscribed', coalesce(f.consent_source, 'created as ' || f.status), null, f.consent_country,
      now()
    from fresh f
    where f.status <> 'active'
  ),
  noted as materialized (
    select count(*)::int as created, set_config(${CREATED_HERE}, coalesce(array_agg(n), '{}')::text, true) from fresh
  )
  ${end}`

/** Their row numbers and ids. */
const FRESH = sql`select f.n, f.id::float8 as id from noted join fresh f on true`
