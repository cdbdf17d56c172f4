// One statement, kept whole: a page of the people of an export, in the order of their ids.
import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { segmentCondition } from '../segments/compile.ts'
import type { Filter } from '../segments/filter.ts'
import type { SubscriberStatus } from '../subscribers/status.ts'

export const STANDINGS = ['subscribed', 'unsubscribed', 'any'] as const

/** Whom an export is of: who fits all that is given. */
export interface People {
  status?: SubscriberStatus | undefined
  /** Who has this standing on the list. */
  list?: { id: number; standing: (typeof STANDINGS)[number] } | undefined
  tag?: string | undefined
  segment?: Filter | undefined
  /** ISO 8601. */
  created_after?: string | undefined
}

export interface PersonRow {
  id: number
  email: string
  first_name: string | null
  last_name: string | null
  status: SubscriberStatus
  timezone: string | null
  locale: string | null
  tags: string[]
  paused_until: string | null
  created_at: string
  updated_at: string
  /** Of the list that was asked for, else of the latest consent of any kind. */
  consented_at: string | null
  consent_source: string | null
  list_status: 'subscribed' | 'unsubscribed' | null
  lists: {
    list_id: number
    name: string
    status: 'subscribed' | 'unsubscribed'
    consented_at: string | null
    consent_source: string | null
    unsubscribed_at: string | null
  }[]
  attributes: Record<string, unknown>
}

export interface PageSize {
  /** People. */
  rows: number
  /** Of attributes, tags and lists, together: the page ends with the person who goes beyond. */
  bytes: number
  /** How many people are looked at for those who fit. */
  looked_at: number
}

/** Some 1 MB of ordinary people, at most 5 MB. */
export const PAGE: PageSize = { rows: 2000, bytes: 4_000_000, looked_at: 50_000 }

/**
 * Whoever follows `after`, at most a page of them. What each statement looks at is bounded, however few fit: `next` is the
 * last one looked at, also where nobody is returned, and null when there is nobody after.
 *
 * What belongs to each person is looked up by its key, whatever statistics say of these tables.
 */
export async function readPeople(
  db: Database,
  people: People,
  after: number,
  size: PageSize,
): Promise<{ rows: PersonRow[]; next: number | null }> {
  const { list } = people
  const { rows } = await db.execute<Answer>(sql`
    with page as materialized (
      select s.id, s.email, s.first_name, s.last_name, s.status, s.timezone, s.locale, s.tags, s.paused_until, s.created_at,
        s.updated_at, s.attributes, s.list_status, ${list ? sql`s.list_consented_at` : sql`c.occurred_at`} as consented_at,
        ${list ? sql`s.list_consent_source` : sql`c.source`} as consent_source, m.lists,
        octet_length(s.attributes::text) + octet_length(s.tags::text) + octet_length(m.lists::text) as bytes
      from (${lookedAt(list, after, size.looked_at, sql`s.*`)}) s
      left join lateral (
        select coalesce(json_agg(json_build_object(
          'list_id', m.list_id, 'name', l.name, 'status', m.status, 'consented_at', ${iso(sql`m.consented_at`)},
          'consent_source', m.consent_source, 'unsubscribed_at', ${iso(sql`m.unsubscribed_at`)}) order by m.list_id), '[]') as lists
        from list_members m join mailing_lists l on l.id = m.list_id
        where m.subscriber_id = s.id
      ) m on true
      left join lateral (
        select c.occurred_at, c.source from consents c
        where ${list ? sql`false` : sql`c.subscriber_id = s.id and c.action <> 'unsubscribed'`}
        order by c.occurred_at desc limit 1
      ) c on true
      where ${fits(people)}
      order by s.id limit ${size.rows}
    ), sized as materialized (
      select p.*, sum(p.bytes) over (order by p.id) - p.bytes as before from page p
    ), bounds as materialized (
      select case
        when taken.n < (select count(*) from sized) or taken.n = ${size.rows} then taken.last
        else (
          select case when count(*) = ${size.looked_at} then max(l.id) end
          from (${lookedAt(list, after, size.looked_at, sql`s.id`)}) l)
      end as next
      from (select count(*) as n, max(id) as last from sized where before < ${size.bytes}) taken
    )
    select b.next::float8 as next, t.id::float8 as id, t.email, t.first_name, t.last_name, t.status, t.timezone, t.locale,
      t.tags, ${iso(sql`t.paused_until`)} as paused_until, ${iso(sql`t.created_at`)} as created_at,
      ${iso(sql`t.updated_at`)} as updated_at, ${iso(sql`t.consented_at`)} as consented_at, t.consent_source, t.list_status,
      t.lists, t.attributes
    from bounds b left join sized t on t.before < ${size.bytes}
    order by t.id`)
  const next = rows[0]?.next ?? null
  return { rows: rows.filter((row): row is Answer & PersonRow => row.id !== null), next }
}

type Answer = (PersonRow | { id: null }) & { next: number | null } & Record<string, unknown>

/** The people after one, by the index of subscribers or of the list's members, with their standing on the list. */
function lookedAt(list: People['list'], after: number, limit: number, columns: SQL): SQL {
  if (!list) {
    return sql`
      select ${columns}, null as list_status, null::timestamptz as list_consented_at, null as list_consent_source
      from subscribers s where s.id > ${after} order by s.id limit ${limit}`
  }
  // Said of both, for either index: a merge of the two would walk the one without it from its beginning.
  return sql`
    select ${columns}, m.status as list_status, m.consented_at as list_consented_at, m.consent_source as list_consent_source
    from list_members m join subscribers s on s.id = m.subscriber_id
    where m.list_id = ${list.id} and m.subscriber_id > ${after} and s.id > ${after}
    order by m.subscriber_id limit ${limit}`
}

function fits({ status, list, tag, segment, created_after }: People): SQL {
  const conditions = [sql`true`]
  if (status !== undefined) conditions.push(sql`s.status = ${status}`)
  if (list && list.standing !== 'any') conditions.push(sql`s.list_status = ${list.standing}`)
  if (tag !== undefined) conditions.push(sql`s.tags @> array[${tag}::text]`)
  if (created_after !== undefined) conditions.push(sql`s.created_at > ${created_after}::timestamptz`)
  if (segment) conditions.push(segmentCondition(segment))
  return sql.join(conditions, sql` and `)
}
