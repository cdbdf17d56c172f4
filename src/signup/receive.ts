import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { SignupFields } from './schema.ts'

/** A list as the public sees it. */
export interface PublicList {
  id: number
  name: string
  description: string | null
  opt_in: 'single' | 'double'
  consent_wording: string
  success_url: string | null
}

/** How long a sign-up can be confirmed, in days. */
export const CONFIRM_DAYS = 7

export interface NewSignup extends SignupFields {
  source: string
  /** ISO 3166-1 alpha-2. */
  country: string | null
}

/** `wanted`: the lists asked for that are public, in that order. */
const wantedLists = (list_ids: readonly number[]) => sql`
  wanted as materialized (
    select l.id, l.name, l.description, l.opt_in, l.consent_wording, l.success_url, w.n
    from unnest(${sql.param([...list_ids])}::bigint[]) with ordinality as w (id, n)
    join mailing_lists l on l.id = w.id
    where l.visibility = 'public' and l.consent_wording is not null
  )`

const listsAsJson = sql`
  coalesce((select jsonb_agg(jsonb_build_object('id', w.id, 'name', w.name, 'description', w.description,
    'opt_in', w.opt_in, 'consent_wording', w.consent_wording, 'success_url', w.success_url) order by w.n)
    from wanted w), '[]') as lists`

/**
 * Writes a sign-up down. It looks at the lists only, never at who has that address: the answer, and the time that it takes,
 * are the same for everybody.
 *
 * @returns null when one of the lists is private or not there
 */
export async function receiveSignup(
  db: Database,
  { email, first_name, last_name, locale, list_ids, source, country }: NewSignup,
): Promise<{ id: number; lists: PublicList[] } | null> {
  const { rows } = await db.execute<{ id: number; lists: PublicList[] }>(sql`
    with ${wantedLists(list_ids)},
    written as (
      insert into signups (email, first_name, last_name, locale, list_ids, wording, source, country, expires_at)
      select ${email}, ${first_name}, ${last_name}, ${locale}, array_agg(id order by n),
        (select string_agg(d.consent_wording, E'\n\n' order by d.n)
          from (select consent_wording, min(n) as n from wanted group by consent_wording) d),
        ${source}, ${country}, now() + make_interval(days => ${CONFIRM_DAYS})
      from wanted having count(*) = ${list_ids.length}
      returning id
    )
    select id::float8 as id, ${listsAsJson} from written`)
  return rows[0] ?? null
}

/** The lists asked for, if all of them are public. */
export async function findPublicLists(db: Database, list_ids: readonly number[]): Promise<PublicList[] | null> {
  const { rows } = await db.execute<{ lists: PublicList[] }>(sql`with ${wantedLists(list_ids)} select ${listsAsJson}`)
  const lists = rows[0]?.lists ?? []
  return lists.length > 0 && lists.length === list_ids.length ? lists : null
}
