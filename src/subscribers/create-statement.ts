import { sql } from 'drizzle-orm'
import type { ImportPolicy } from '../imports/options.ts'
import { CREATED_HERE, judgeRows, type WriteMode } from './judge.ts'

/**
 * Creates the subscribers that are not there yet, in order of address (the order every writer locks in), and answers
 * their row numbers. Whoever loses a race against a parallel call does nothing here and is updated by the next statement.
 */
export const createRows = (mode: WriteMode, rows: string, policy: ImportPolicy) => sql`
  with ${judgeRows(mode, rows, policy)},
  created as (
    insert into subscribers (email, first_name, last_name, status, attributes, timezone, locale, tags)
    select new_email, new_first_name, new_last_name, new_status, new_attributes, new_timezone, new_locale, new_tags
    from judged
    where subscriber_id is null and refusal is null
    order by lower(new_email)
    on conflict (lower(email)) do nothing
    returning id, email, status
  ),
  opted_out as (
    insert into consents (subscriber_id, list_id, action, source, country)
    select c.id, null, 'unsubscribed', coalesce(j.consent_source, 'created as ' || c.status), j.consent_country
    from created c join judged j on lower(j.new_email) = lower(c.email)
    where c.status <> 'active'
  ),
  numbers as (
    select coalesce(array_agg(j.n), '{}') as ns from created c join judged j on lower(j.new_email) = lower(c.email)
  )
  ${
    policy === 'skip'
      ? sql`select unnest(set_config(${CREATED_HERE}, ns::text, true)::int[]) as n from numbers`
      : sql`select unnest(ns) as n from numbers`
  }`
