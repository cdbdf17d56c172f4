import { sql } from 'drizzle-orm'
import { judgeRows, type WriteMode } from './judge.ts'

/**
 * Creates the subscribers that are not there yet, in order of address (the order every writer locks in), and answers
 * their row numbers. Whoever loses a race against a parallel call does nothing here and is updated by the next statement.
 */
export const createRows = (mode: WriteMode, rows: string) => sql`
  with ${judgeRows(mode, rows)},
  created as (
    insert into subscribers (email, first_name, last_name, status, attributes, timezone, locale)
    select new_email, new_first_name, new_last_name, new_status, new_attributes, new_timezone, new_locale
    from judged
    where subscriber_id is null and refusal is null
    order by lower(new_email)
    on conflict (lower(email)) do nothing
    returning id, email, status
  ),
  opted_out as (
    insert into consents (subscriber_id, list_id, action, source)
    select c.id, null, 'unsubscribed', coalesce(j.consent_source, 'created as ' || c.status)
    from created c join judged j on lower(j.new_email) = lower(c.email)
    where c.status <> 'active'
  )
  select j.n from created c join judged j on lower(j.new_email) = lower(c.email)`
