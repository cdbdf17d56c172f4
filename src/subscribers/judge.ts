// What every write of subscribers shares in SQL: the rows that came in, beside what is stored, with the verdict on each.
import { type SQL, sql } from 'drizzle-orm'
import { ATTRIBUTE_KEYS_LIMIT, ATTRIBUTES_LIMIT } from './row.ts'
import { SUBSCRIBER_STATUSES } from './status.ts'

/** `upsert` and `create` find a subscriber by address, `update` by id. */
export type WriteMode = 'upsert' | 'create' | 'update'

const RANKS = sql.raw(`array[${SUBSCRIBER_STATUSES.map((status) => `'${status}'`).join(', ')}]`)

/**
 * How far a caller's clock may be ahead of ours. A consent from within it counts as given now: kept as it came, it would
 * outrank every opt-out of the next minutes.
 */
const CLOCK_SKEW = sql.raw(`interval '5 minutes'`)

/** How bad a status is: 1 is `active`. */
export const rank = (status: SQL) => sql`array_position(${RANKS}, ${status})`

/**
 * CTEs `input` and `judged`. `judged` holds one line per row: the stored values (`old_*`, null for an unknown address),
 * the values after the write (`new_*`), and `refusal`, the reason why nothing of this row may be written, or null.
 *
 * `new_status` is where an opt-out is defended: without `resubscribe` it is the worse of the stored and the given
 * status; with it, the row is refused unless its consent is newer than every opt-out it would undo, also one by someone
 * who had left before (a membership keeps the first time, the consents keep all). When no record says
 * when a status got worse, the subscriber's last change counts: later than the truth, so never too lenient.
 *
 * @param rows - JSON array of rows as `rowsAsJson` makes it
 */
export const judgeRows = (mode: WriteMode, rows: string) => sql`
  input as materialized (
    select e.row, r.*
    from jsonb_array_elements(${rows}::jsonb) as e(row)
    cross join lateral jsonb_to_record(e.row) as r(
      n int, id bigint, email text, hash text, first_name text, last_name text, status text, attributes jsonb,
      attributes_gone text[], timezone text, locale text, consented_at timestamptz, consent_source text,
      list_ids bigint[], resubscribe boolean)
  ),
  beside as materialized (
    select
      i.n, i.hash, i.consent_source,
      case when i.consented_at between now() and now() + ${CLOCK_SKEW} then now() else i.consented_at end as consented_at, coalesce(i.list_ids, '{}') as list_ids,
      coalesce(i.resubscribe, false) as resubscribe, coalesce(i.status, 'active') as asked_status,
      s.id as subscriber_id, s.xmin = pg_current_xact_id()::xid as written_here,
      s.email as old_email, s.first_name as old_first_name, s.last_name as old_last_name, s.status as old_status,
      s.attributes as old_attributes, s.timezone as old_timezone, s.locale as old_locale,
      ${mode === 'update' ? sql`coalesce(i.email, s.email)` : sql`coalesce(s.email, i.email)`} as new_email,
      case when i.row ? 'first_name' then i.first_name else s.first_name end as new_first_name,
      case when i.row ? 'last_name' then i.last_name else s.last_name end as new_last_name,
      case when i.row ? 'timezone' then i.timezone else s.timezone end as new_timezone,
      case when i.row ? 'locale' then i.locale else s.locale end as new_locale,
      (coalesce(s.attributes, '{}') || coalesce(i.attributes, '{}')) - coalesce(i.attributes_gone, '{}') as new_attributes,
      case
        when s.id is null or i.resubscribe then coalesce(i.status, 'active')
        when ${rank(sql`i.status`)} > ${rank(sql`s.status`)} then i.status
        else s.status
      end as new_status,
      h.created_at as deleted_at,
      case when s.status <> 'active' then coalesce(
        (select max(c.occurred_at) from consents c
          where c.subscriber_id = s.id and c.action = 'unsubscribed' and c.list_id is null),
        s.updated_at)
      end as opted_out_at,
      (select max(m.unsubscribed_at) from list_members m
        where m.subscriber_id = s.id and m.list_id = any(i.list_ids)) as left_list_at,
      case when i.resubscribe then
        (select max(c.occurred_at) from consents c
          where c.subscriber_id = s.id and c.action = 'unsubscribed' and c.list_id = any(i.list_ids))
      end as left_again_at
    from input i
    left join subscribers s on ${mode === 'update' ? sql`s.id = i.id` : sql`lower(s.email) = lower(i.email)`}
    left join suppressions h on h.kind = 'hash' and h.value = i.hash
      and (s.id is null or s.xmin = pg_current_xact_id()::xid or lower(s.email) <> lower(i.email))
  ),
  judged as materialized (
    select b.*, case
      ${mode === 'create' ? sql`when subscriber_id is not null and not written_here then 'exists'` : sql``}
      ${mode === 'update' ? sql`when subscriber_id is null then 'unknown_subscriber'` : sql``}
      when exists (
        select from unnest(list_ids) as l(id) where not exists (select from mailing_lists where mailing_lists.id = l.id)
      ) then 'unknown_list'
      when consented_at > now() + ${CLOCK_SKEW} then 'consent_in_future'
      when deleted_at is not null and not resubscribe then 'deleted_before'
      when resubscribe and consented_at <= greatest(deleted_at, opted_out_at, left_list_at, left_again_at) then 'consent_too_old'
      when octet_length(new_attributes::text) > ${ATTRIBUTES_LIMIT}
        or (select count(*) from jsonb_object_keys(new_attributes)) > ${ATTRIBUTE_KEYS_LIMIT}
        then 'attributes_too_large'
    end as refusal
    from beside b
  )`
