// What every write of subscribers shares in SQL: the rows that came in, beside what is stored, with the verdict on each.
import { type SQL, sql } from 'drizzle-orm'
import { mismatches } from '../attributes/mismatch.ts'
import type { ImportPolicy } from '../imports/options.ts'
import { ATTRIBUTE_KEYS_LIMIT, ATTRIBUTES_LIMIT } from './row.ts'
import { SUBSCRIBER_STATUSES } from './status.ts'
import { TAGS_LIMIT } from './tags.ts'

/** `upsert` and `create` find a subscriber by address, `update` by id. */
export type WriteMode = 'upsert' | 'create' | 'update'

const RANKS = sql.raw(`array[${SUBSCRIBER_STATUSES.map((status) => `'${status}'`).join(', ')}]`)

/**
 * How far a caller's clock may be ahead of ours. A consent from within it counts as given now: kept as it came, it would
 * outrank every opt-out of the next minutes.
 */
const CLOCK_SKEW = sql.raw(`interval '5 minutes'`)

/**
 * Rows of this pass that created their subscriber, as `createRows` noted them for the rest of the transaction: nothing more
 * is to be done about them, and to the policy `skip` everyone else who is there is left alone, even if the same file brought
 * them.
 */
export const CREATED_HERE = 'emk.created_here'

/** The numbers in CREATED_HERE, asked for once a statement; what an earlier transaction set reads as the empty text. */
export const createdHere = sql`(select coalesce(nullif(current_setting(${CREATED_HERE}, true), ''), '{}'))::int[]`

/**
 * Bytes of jsonb that cannot be over any limit, so that counting is spared: a key takes 8 at the least, and a number, the
 * value that grows the most as text, becomes 309 digits at the most from 8.
 */
const SURELY_SMALL = 400

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
 * The policy says what a row may change of someone who is there; `skipped` marks those it leaves alone. An opt-out counts
 * under every policy: under `skip` it is then all that is written of the row. Attributes are
 * held to their definitions as they come in: what is stored was, when the definition was made.
 *
 * @param rows - JSON array of rows as `asJson` (write.ts) makes them
 * @param only - a condition on `e.row`, one of them
 */
export const judgeRows = (mode: WriteMode, rows: string, policy: ImportPolicy, only: SQL = sql`true`) => sql`
  input as materialized (
    select e.row, r.*
    from jsonb_array_elements(${rows}::jsonb) as e(row)
    cross join lateral jsonb_to_record(e.row) as r(
      n int, id bigint, email text, hash text, first_name text, last_name text, status text, attributes jsonb,
      attributes_gone text[], timezone text, locale text, tags text[], add_tags text[], remove_tags text[],
      consented_at timestamptz, consent_source text, consent_wording text, consent_country text,
      list_ids bigint[], resubscribe boolean)
    where ${only}
  ),
  beside as materialized (
    select
      i.n, i.hash, i.consent_source, i.consent_wording, i.consent_country,
      case when i.consented_at between now() and now() + ${CLOCK_SKEW} then now() else i.consented_at end as consented_at,
      ${policy === 'skip' ? sql`case when ${there} then '{}' else coalesce(i.list_ids, '{}') end` : sql`coalesce(i.list_ids, '{}')`} as list_ids,
      coalesce(i.resubscribe, false) as resubscribe, coalesce(i.status, 'active') as asked_status,
      s.id as subscriber_id, s.xmin = pg_current_xact_id()::xid as written_here,
      s.email as old_email, s.first_name as old_first_name, s.last_name as old_last_name, s.status as old_status,
      s.attributes as old_attributes, s.timezone as old_timezone, s.locale as old_locale,
      s.tags as old_tags,
      ${mode === 'update' ? sql`coalesce(i.email, s.email)` : sql`coalesce(s.email, i.email)`} as new_email,
      ${newText('first_name', policy)} as new_first_name, ${newText('last_name', policy)} as new_last_name,
      ${newText('timezone', policy)} as new_timezone, ${newText('locale', policy)} as new_locale,
      ${newAttributes(policy)} as new_attributes,
      ${newTags(policy)} as new_tags,
      ${policy === 'skip' ? sql`case when not ${there} then t.name end` : sql`t.name`} as attribute, t.type as attribute_type,
      ${policy === 'skip' ? sql`${there} and (${rank(sql`i.status`)} > ${rank(sql`s.status`)}) is not true` : sql`false`} as skipped,
      case
        when s.id is null or i.resubscribe then coalesce(i.status, 'active')
        when ${rank(sql`i.status`)} > ${rank(sql`s.status`)} then i.status
        else s.status
      end as new_status,
      h.created_at as deleted_at,
      case when i.resubscribe and s.status <> 'active' then coalesce(
        (select max(c.occurred_at) from consents c
          where c.subscriber_id = s.id and c.action = 'unsubscribed' and c.list_id is null),
        s.updated_at)
      end as opted_out_at,
      case when i.resubscribe then
        (select max(m.unsubscribed_at) from list_members m
          where m.subscriber_id = s.id and m.list_id = any(i.list_ids))
      end as left_list_at,
      case when i.resubscribe then
        (select max(c.occurred_at) from consents c
          where c.subscriber_id = s.id and c.action = 'unsubscribed' and c.list_id = any(i.list_ids))
      end as left_again_at
    from input i
    left join subscribers s on ${mode === 'update' ? sql`s.id = i.id` : sql`lower(s.email) = lower(i.email)`}
    left join lateral (
      select d.name, d.type from attribute_definitions d
      where i.attributes ? d.name and ${mismatches(sql`d.type`, sql`(i.attributes -> d.name)`)}
      order by d.name limit 1
    ) t on true
    -- By its key, whatever statistics say of how many hashes there are.
    left join lateral (
      select h.created_at from suppressions h where h.kind = 'hash' and h.value = i.hash limit 1
    ) h on (s.id is null or s.xmin = pg_current_xact_id()::xid or lower(s.email) <> lower(i.email))
  ),
  judged as materialized (
    select b.*, case
      when skipped then null
      ${mode === 'create' ? sql`when subscriber_id is not null and not written_here then 'exists'` : sql``}
      ${mode === 'update' ? sql`when subscriber_id is null then 'unknown_subscriber'` : sql``}
      when not list_ids <@ (
        select coalesce(array_agg(m.id), '{}') from mailing_lists m where m.id in (select unnest(i.list_ids) from input i)
      ) then 'unknown_list'
      when consented_at > now() + ${CLOCK_SKEW} then 'consent_in_future'
      when deleted_at is not null and not resubscribe then 'deleted_before'
      when resubscribe and consented_at <= greatest(deleted_at, opted_out_at, left_list_at, left_again_at) then 'consent_too_old'
      when pg_column_size(new_attributes) > ${SURELY_SMALL} and (
        octet_length(new_attributes::text) > ${ATTRIBUTES_LIMIT}
        or (select count(*) from jsonb_object_keys(new_attributes)) > ${ATTRIBUTE_KEYS_LIMIT}
      ) then 'attributes_too_large'
      when attribute is not null then 'attribute_type'
      when cardinality(new_tags) > ${TAGS_LIMIT} then 'too_many_tags'
    end as refusal
    from beside b
  )`

/** Somebody whom this row did not create. */
const there = sql`(s.id is not null and i.n <> all (${createdHere}))`

const newText = (field: 'first_name' | 'last_name' | 'timezone' | 'locale', policy: ImportPolicy) => {
  const [old, given] = [sql.raw(`s.${field}`), sql.raw(`i.${field}`)]
  if (policy === 'fill') return sql`coalesce(${old}, ${given})`
  if (policy === 'skip') return sql`case when s.id is null then ${given} else ${old} end`
  return sql`case when i.row ? ${sql.raw(`'${field}'`)} then ${given} else ${old} end`
}

const newAttributes = (policy: ImportPolicy) => {
  const [old, given] = [sql`coalesce(s.attributes, '{}')`, sql`coalesce(i.attributes, '{}')`]
  if (policy === 'fill') return sql`${given} || ${old}`
  const merged = sql`(${old} || ${given}) - coalesce(i.attributes_gone, '{}')`
  return policy === 'skip' ? sql`case when s.id is null then ${merged} else s.attributes end` : merged
}

const newTags = (policy: ImportPolicy) => {
  const stored = sql`coalesce(s.tags, '{}')`
  const kept = policy === 'fill' ? sql`${stored} || coalesce(i.tags, '{}')` : sql`coalesce(i.tags, ${stored})`
  const gone = policy === 'fill' ? sql`'{}'` : sql`coalesce(i.remove_tags, '{}')`
  return sql`
      case when i.row ?| '{tags,add_tags,remove_tags}' ${policy === 'skip' ? sql`and s.id is null` : sql``} then array(
        select tag from unnest(${kept} || coalesce(i.add_tags, '{}')) as g(tag)
        where tag <> all(${gone}) group by tag order by tag collate "C"
      ) else ${stored} end`
}
