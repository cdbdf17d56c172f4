import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { log } from '../log.ts'
import { GIVEN_UP, type Settling, settleSignup } from './settle.ts'

/** Sign-ups that were received and left lying. @returns their ids, the oldest first */
async function leftLying(db: Database, limit: number): Promise<number[]> {
  const { rows } = await db.execute<{ id: number }>(sql`
    select id::float8 as id from signups
    where status = 'received' and created_at < now() - make_interval(secs => ${GIVEN_UP})
      and (mailed_at is null or mailed_at < now() - make_interval(secs => ${GIVEN_UP})) and expires_at > now()
    order by created_at limit ${limit}`)
  return rows.map(({ id }) => id)
}

/**
 * Settles what was left lying. For cron.
 *
 * @param until - ms after which no further one is begun
 */
export async function healSignups(s: Settling & { now: () => Date }, until: number, limit = 100): Promise<void> {
  for (const id of await leftLying(s.db, limit)) {
    if (s.now().getTime() > until) return
    try {
      await settleSignup(s, id)
    } catch (error) {
      log('signup_not_settled', { signup_id: id, error: error instanceof Error ? error.name : 'unknown' })
    }
  }
}

/** Forgets sign-ups that have expired, at most `limit` at once. For cron. @returns how many */
export async function forgetSignups(db: Database, limit = 1000): Promise<number> {
  const { rowCount } = await db.execute(sql`
    delete from signups where id in (select id from signups where expires_at < now() order by expires_at limit ${limit})`)
  return rowCount
}
