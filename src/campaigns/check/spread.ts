import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import type { Audience } from '../audience.ts'

/** How the members of an audience's lists lie: rows of list_members, and between which subscribers. */
export interface Spread {
  members: number
  first: number
  last: number
}

export async function readSpread(db: Database, { include }: Audience): Promise<Spread> {
  const { rows } = await db.execute<{ members: number; first: number; last: number }>(sql`
    select count(*)::float8 as members, coalesce(min(subscriber_id), 0)::float8 as first,
      coalesce(max(subscriber_id), 0)::float8 as last
    from list_members where list_id = any(${sql.param(include)}::bigint[])`)
  return rows[0] ?? { members: 0, first: 0, last: 0 }
}

/** A large list is looked at in so many places: what was imported together is alike. */
const STRETCHES = 1_000

/**
 * Members of the audience's lists as a relation of `subscriber_id` and on how many of the lists they are: all of them where
 * they are at most `size`, else about as many from a thousand stretches between the oldest member and the newest. Each lies
 * somewhere in its thousandth, so that no rhythm in the ids is met or missed; the same ones each time.
 */
export function membersOf({ include }: Audience, { members, first, last }: Spread, size: number): SQL {
  const all = members <= size
  const step = all ? last - first + 1 : Math.max(1, Math.floor((last - first + 1) / STRETCHES))
  const width = all ? step : Math.max(1, Math.ceil((step * size) / members))
  return sql`(
    select m.subscriber_id, count(*) as memberships
    from unnest(${sql.param(include)}::bigint[]) as l (id)
    cross join generate_series(${first}::bigint, ${last}::bigint, ${step}::bigint) as slice (at)
    cross join lateral (
      select at + (hashint8extended(at, 0) & 9223372036854775807) % ${step - width + 1}::bigint as start
    ) stretch
    cross join lateral (
      select subscriber_id from list_members
      where list_id = l.id and subscriber_id >= stretch.start and subscriber_id < stretch.start + ${width}::bigint
      offset 0
    ) m
    group by 1
  )`
}
