import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** How long an import and the rows it refused are kept after its last sign of life. */
const DAYS = 30
/** Refusals a statement: well under a second. */
const SLICE = 5000

/**
 * Forgets imports that are older than {@link DAYS} days, with the rows they refused: these hold personal data. Stops when
 * the time is over: the next run goes on.
 *
 * @param until - ms since 1970; no slice is begun later
 * @returns how many imports were forgotten
 */
export async function forgetImports(db: Database, until: number, now: () => Date): Promise<number> {
  let sum = 0
  while (now().getTime() <= until) {
    const { rows } = await db.execute<{ refusals: number; forgotten: number }>(sql`
      with old as materialized (
        select id from imports
        where created_at < now() - make_interval(days => ${DAYS}) and updated_at < now() - make_interval(days => ${DAYS})
        order by created_at limit 100
      ),
      refusals as (
        delete from import_refusals where ctid = any (array(
          select r.ctid from import_refusals r where r.import_id in (select id from old) limit ${SLICE}))
        returning import_id
      ),
      -- Those that may have more of them are left to the next slice.
      gone as (
        delete from imports where id in (select id from old) and (select count(*) from refusals) < ${SLICE} returning 1
      )
      select (select count(*) from refusals)::int as refusals, (select count(*) from gone)::int as forgotten`)
    const { refusals = 0, forgotten = 0 } = rows[0] ?? {}
    sum += forgotten
    if (refusals < SLICE && forgotten < 100) break
  }
  return sum
}
