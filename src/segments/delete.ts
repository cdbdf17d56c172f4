import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

/** Deletes a segment. Refused while a campaign that is not sent yet names it: its audience would change under it. */
export async function deleteSegment(db: Database, id: number): Promise<'deleted' | 'in_use' | 'unknown'> {
  const [deleted, left] = await db.batch([
    db.execute(sql`
      delete from segments g
      where g.id = ${id} and not exists (
        select from campaigns c
        where c.status in ('draft', 'scheduled', 'sending', 'paused')
          and (c.audience -> 'include_segments' @> to_jsonb(g.id) or c.audience -> 'exclude_segments' @> to_jsonb(g.id)))
      returning g.id`),
    db.execute(sql`select from segments where id = ${id}`),
  ])
  if (deleted.rows.length > 0) return 'deleted'
  return left.rows.length > 0 ? 'in_use' : 'unknown'
}
