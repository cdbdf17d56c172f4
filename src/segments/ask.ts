// Who is in a segment now. A filter comes from outside and may ask for more than can be told in time: it is given up then.
import { asc, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { sqlState } from '../db/retry.ts'
import { subscriberColumns } from '../subscribers/store.ts'
import { subscribers } from '../subscribers/table.ts'
import { segmentCondition, wholeSegment } from './compile.ts'
import type { Filter } from './filter.ts'
import { tooSlow } from './too-slow.ts'

/** How long Postgres may look, in ms. */
export const PATIENCE = 5_000

export interface SegmentCount {
  count: number
  /** Of those, subscribers who are active: whom campaigns may mail. */
  active: number
}

/** @throws {Problem} segment_too_slow */
export async function countSegment(db: Database, filter: Filter, patience = PATIENCE): Promise<SegmentCount> {
  const { joins, condition } = wholeSegment(filter)
  const counted = db.execute<{ count: number; active: number }>(sql`
    select count(*)::float8 as count, count(*) filter (where s.status = 'active')::float8 as active
    from subscribers s ${joins} where ${condition}`)
  const [, { rows }] = await db.batch([limits(db, patience), counted]).catch(givenUp(db, filter))
  return rows[0] ?? { count: 0, active: 0 }
}

/** Subscribers that are looked at one by one before indexes are asked: of a segment of one in a hundred, a page is among them. */
const WALK = 5_000

/**
 * A page by id, one row more than `limit`. The next few thousand subscribers are looked at one by one, which fills the page
 * of most segments. Only of one with few people there, Postgres finds the rest by whatever it thinks best for few.
 *
 * @param after_id - of the subscriber before the page
 * @throws {Problem} segment_too_slow
 */
export async function pageOfSegment(
  db: Database,
  filter: Filter,
  after_id: number,
  limit: number,
  patience = PATIENCE,
) {
  const wanted = limit + 1
  const next = (columns: SQL) =>
    sql`select ${columns} from subscribers where id > ${after_id}::bigint order by id limit ${WALK}::int`
  const { joins, condition } = wholeSegment(filter)
  const ids = sql`
    with found as materialized (
      select s.id from (${next(sql`*`)}) s where ${segmentCondition(filter)} order by s.id limit ${wanted}::int
    ), rest as materialized (
      select s.id from subscribers s ${joins}
      where (select count(*) from found) < ${wanted}::int
        and s.id > (select max(id) from (${next(sql`id`)}) walked)
        and ${condition}
      -- Not along the key: whoever is in it may be at its other end.
      order by s.id + 0 limit ${wanted}::int
    )
    select id from found union all select id from rest`
  const page = db
    .select(subscriberColumns)
    .from(subscribers)
    .where(sql`${subscribers.id} in (${ids})`)
    .orderBy(asc(subscribers.id))
    .limit(wanted)
  const [, rows] = await db.batch([limits(db, patience), page]).catch(givenUp(db, filter))
  return rows
}

/** For the rest of the transaction. Compiling such a statement takes Postgres longer than it gains; sets of people need memory. */
const limits = (db: Database, patience: number) =>
  db.execute(sql`
    select set_config('statement_timeout', ${String(patience)}, true), set_config('jit', 'off', true),
      set_config('work_mem', '32MB', true)`)

/** SQLSTATE query_canceled. */
const CANCELLED = '57014'

const givenUp = (db: Database, filter: Filter) => async (error: unknown) => {
  throw sqlState(error) === CANCELLED ? await tooSlow(db, filter) : error
}
