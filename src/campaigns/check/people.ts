import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import type { TemplatePerson } from '../../render/data.ts'
import { wholeSegment } from '../../segments/compile.ts'
import type { ResolvedAudience } from '../audience.ts'
import { inAudience, segmentsOf } from '../in-audience.ts'
import { membersOf, type Spread } from './spread.ts'

/** Somebody a mail is rendered for. */
export interface Person extends TemplatePerson {
  subscriber_id: number
}

/** Somebody about whom only the address is known: what a template's empty variables look like. */
export const STRANGER: Person = {
  subscriber_id: Number.MAX_SAFE_INTEGER,
  email: 'reader@example.com',
  first_name: null,
  last_name: null,
  attributes: {},
  timezone: null,
  locale: null,
}

/** Real recipients a campaign is rendered for before it may start. */
const RENDERED = 100
/** Members among whom they are looked for first. */
const AMONG = 1_000

/**
 * Up to a hundred people of an audience, from all over its lists: old and new members have different data. Empty only if the
 * audience is.
 */
export async function somePeople(db: Database, audience: ResolvedAudience, spread: Spread): Promise<Person[]> {
  const { rows } = await db.execute<Person & Record<string, unknown>>(sql`
    select ${PERSON} from ${membersOf(audience, spread, AMONG)} m
    cross join lateral (
      select * from subscribers s where s.id = m.subscriber_id and ${inAudience(audience)} offset 0
    ) s
    order by hashint8extended(s.id, 0) limit ${RENDERED}`)
  if (rows.length === RENDERED || spread.members <= AMONG) return rows
  // The rest of the definition leaves few of them.
  const all = await db.execute<Person & Record<string, unknown>>(
    sql`select ${PERSON} from ${peopleOf(audience)} where ${inAudience(audience)} limit ${RENDERED}`,
  )
  return all.rows
}

/** Subscribers `s`; of an audience with segments those in them, found all at once: one by one takes long where they are few. */
function peopleOf(audience: ResolvedAudience): SQL {
  const filter = segmentsOf(audience)
  if (!filter) return sql`subscribers s`
  const { joins, condition } = wholeSegment(filter)
  return sql`(select s.* from subscribers s ${joins} where ${condition} offset 0) s`
}

const PERSON = sql`s.id::float8 as subscriber_id, s.email, s.first_name, s.last_name, s.attributes, s.timezone, s.locale`
