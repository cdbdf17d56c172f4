// Finding people by part of their address or name, and by tag: what no index keeps in the order of the pages.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso, toTheMicrosecond } from '../db/iso.ts'
import { asciiHost } from './email.ts'
import type { SubscriberStatus } from './status.ts'
import type { Place, SubscriberFilters } from './store.ts'

/**
 * `near`: rows that are looked at one by one, in the order of the pages, before the index over all is asked. `far`: the same
 * where no index can tell; a page ends there, however few it has found.
 */
const STRETCH = { near: 5_000, far: 50_000 }

/** Of a row `s` of subscribers, the text that is searched: what the index `subscribers_search` is on, letter by letter. */
export const searchText = sql`lower(s.email || ' ' || coalesce(s.first_name, '') || ' ' || coalesce(s.last_name, ''))`

/** A subscriber as it reaches the wire. */
export interface FoundSubscriber {
  id: number
  email: string
  first_name: string | null
  last_name: string | null
  status: SubscriberStatus
  attributes: Record<string, unknown>
  timezone: string | null
  locale: string | null
  tags: string[]
  paused_until: string | null
  created_at: string
  updated_at: string
}

/** A page, and where the next one begins: after its last row, or further on where there is none for a long stretch. */
export interface Found {
  rows: FoundSubscriber[]
  next: Place | null
}

/**
 * A page of those who match `search`, `tag`, or both, beside the other filters.
 *
 * What is common is soon met by walking along the pages' own index; what is rare is found by the index of all parts of
 * texts (or of tags), which gives it without order. So the first rows are walked, and only where they do not fill the
 * page the other index is asked, about the rows beyond: each of the two ways is fast where the other is slow. A search
 * that is too short for that (`an`, `%`) can only walk: it stops after 50,000 rows, and its page may be short, or
 * even empty, without being the last.
 */
export async function searchSubscribers(
  db: Database,
  filters: SubscriberFilters,
  after: Place | null,
  limit: number,
  { near, far } = STRETCH,
): Promise<Found> {
  const { search, tag, created_after } = filters
  const by_time = created_after !== undefined
  const is_indexed = tag !== undefined ? sql`true` : hasTrigram(search ?? '')
  const { from, where, row } = walk(filters, after)
  const order = by_time ? sql`created_at, id` : sql`id`
  const matches = allOf(
    search !== undefined && matchesText(search),
    tag !== undefined && sql`s.tags @> array[${tag}]::text[]`,
  )
  const stretch = sql`case when ${is_indexed} then ${near}::int else ${far}::int end`
  const { rows } = await db.execute<{ rows: (FoundSubscriber & { created_key: string })[]; edge: Place | null }>(sql`
    with near as materialized (
      select id, created_at from (
        select ${row} ${from} where ${where} order by ${order} limit ${stretch}
      ) s
      where ${matches} order by ${order} limit ${limit + 1}
    ),
    edge as materialized (
      select id, created_at from (select ${row} ${from} where ${where}) s
      where (select count(*) from near) <= ${limit}
      order by ${order} limit 1 offset ${stretch} - 1
    ),
    beyond as materialized (
      select s.id, s.created_at from (
        select s.id, s.created_at from subscribers s
        where ${is_indexed} and (select count(*) from edge) = 1 and ${ofPerson(filters)} and ${matches} offset 0
      ) s ${membership(filters)}
      where ${ofMember(filters)}
        and ${by_time ? sql`(s.created_at, s.id) > (select created_at, id from edge)` : sql`s.id > (select id from edge)`}
      order by ${by_time ? sql`s.created_at, s.id` : sql`s.id`} limit ${limit + 1}
    ),
    found as (
      select s.id, s.email, s.first_name, s.last_name, s.status, s.attributes, s.timezone, s.locale, s.tags,
        ${iso(sql`s.paused_until`)} as paused_until, ${iso(sql`s.created_at`)} as created_at,
        ${iso(sql`s.updated_at`)} as updated_at, ${toTheMicrosecond(sql`s.created_at`)} as created_key
      from (select id from near union all select id from beyond) f join subscribers s using (id)
      order by ${by_time ? sql`s.created_at, s.id` : sql`s.id`} limit ${limit + 1}
    )
    select coalesce((select json_agg(found) from found), '[]') as rows,
      (select json_build_object('id', id, 'created_key', ${toTheMicrosecond(sql`created_at`)})
        from edge where not ${is_indexed}) as edge`)
  const [{ rows: found, edge } = { rows: [], edge: null }] = rows
  const data = found.slice(0, limit)
  const last = found.length > limit ? (data.at(-1) ?? null) : edge
  return {
    rows: data.map(({ created_key, ...subscriber }) => subscriber),
    next: last && { id: last.id, created_key: by_time ? last.created_key : null },
  }
}

const membership = ({ list_id }: SubscriberFilters) =>
  list_id === undefined ? sql`` : sql`join list_members m on m.subscriber_id = s.id`

/** The filters that have an index in the order of the pages, of a row `s` of subscribers. */
const ofPerson = ({ status, email, domain, created_after }: SubscriberFilters) =>
  allOf(
    status !== undefined && sql`s.status = ${status}`,
    email !== undefined && sql`lower(s.email) = lower(${email})`,
    domain !== undefined && sql`lower(split_part(s.email, '@', 2)) = ${domain}`,
    created_after !== undefined && sql`s.created_at > ${created_after}::timestamptz`,
  )

/** The same of a row `m` of list_members. */
const ofMember = ({ list_id }: SubscriberFilters) =>
  allOf(list_id !== undefined && sql`m.list_id = ${list_id} and m.status = 'subscribed'`)

const allOf = (...conditions: (SQL | false)[]) =>
  sql.join([sql`true`, ...conditions.filter((one) => one !== false)], sql` and `)

/** The rows of the pages in their order, without what is searched for. */
function walk(filters: SubscriberFilters, after: Place | null) {
  const { list_id, created_after } = filters
  const id = list_id === undefined ? sql`s.id` : sql`m.subscriber_id`
  const start = (place: Place) =>
    created_after === undefined
      ? // Said of both sides of the join: a merge of the two would walk the other from its beginning.
        sql`${id} > ${place.id} and s.id > ${place.id}`
      : sql`(s.created_at, s.id) > (${place.created_key}::timestamptz, ${place.id})`
  return {
    row: sql`${id} as id, s.created_at, s.email, s.first_name, s.last_name, s.tags`,
    from: sql`from subscribers s ${membership(filters)}`,
    where: sql`${ofPerson(filters)} and ${ofMember(filters)} and ${after === null ? sql`true` : start(after)}`,
  }
}

const matchesText = (search: string) =>
  sql`(${sql.join(
    patterns(search).map((pattern) => sql`${searchText} like lower(${pattern}::text)`),
    sql` or `,
  )})`

/**
 * LIKE patterns for a search: as it was typed, without the difference between full and half width, and with a whole
 * international domain or label in the punycode it is stored in.
 */
export function patterns(search: string): string[] {
  const text = search.trim().normalize('NFC')
  const at = text.lastIndexOf('@') + 1
  const host = asciiHost(text.slice(at))
  const texts = [text, text.normalize('NFKC'), ...(host === null ? [] : [text.slice(0, at) + host])]
  return [...new Set(texts)].map((one) => `%${one.replace(/[\\%_]/g, '\\$&')}%`)
}

/**
 * Whether the index can narrow a search down: it knows texts by three letters or digits in a row, or by two at the end or the
 * beginning of a word; those that are not ASCII only where the database's LC_CTYPE does.
 */
function hasTrigram(search: string): SQL {
  if (/[a-z0-9]{3}|[a-z0-9]{2}[!-/:-@[-`{-~]|[!-/:-@[-`{-~][a-z0-9]{2}/i.test(search)) return sql`true`
  return /[\p{L}\p{N}]{3}/u.test(search) ? sql`(select cardinality(show_trgm('ж')) > 0)` : sql`false`
}
