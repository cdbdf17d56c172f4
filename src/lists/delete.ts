import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/**
 * Deletes a list with its memberships, opt-outs included (`consents` keeps the record of them). Refused while a campaign
 * that is scheduled or on its way includes or excludes it, or a segment asks for it: who they are for would change unseen.
 */
export async function deleteList(db: Database, id: number): Promise<'deleted' | 'in_use' | 'unknown'> {
  const [, deleted, left] = await db.batch([
    // A statement of its own, so that the next one sees a campaign whose start was waited for here.
    db.execute(sql`select from mailing_lists where id = ${id} for update`),
    db.execute(sql`
      delete from mailing_lists l
      where l.id = ${id} and not exists (
        select from campaigns c
        where c.status in ('scheduled', 'sending', 'paused')
          and (c.audience -> 'include' @> to_jsonb(l.id) or c.audience -> 'exclude' @> to_jsonb(l.id) or ${asksFor(sql`c.segments`)}))
        and not exists (select from segments g where ${asksFor(sql`g.filter`)})
      returning l.id`),
    db.execute(sql`select from mailing_lists where id = ${id}`),
  ])
  if (deleted.rows.length > 0) return 'deleted'
  return left.rows.length > 0 ? 'in_use' : 'unknown'
}

/** Of filters as JSON: that some condition in them, however deep, names list `l`. */
const asksFor = (filters: SQL) =>
  sql`jsonb_path_exists(${filters}, '$.**.list ? (@ == $id)', jsonb_build_object('id', l.id))`
