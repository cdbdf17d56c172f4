import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'

interface Holders {
  templates: { id: number; name: string; version: number }[]
  partials: { id: number; name: string }[]
}

/** Names that are told of those who need a partial. */
const MOST_HOLDERS = 200

/** Who holds a partial: templates in their newest version, and the partials that call it. */
export async function holdersOf(db: Database, id: number): Promise<Holders> {
  const [templates, partials] = await db.batch([selectTemplates(db, id), selectPartials(db, id)])
  return { templates: templates.rows, partials: partials.rows }
}

/**
 * Hides a partial that nobody needs. Old versions of templates have it in them.
 *
 * @returns who needs it, if anybody does
 */
export async function deletePartial(db: Database, id: number): Promise<'deleted' | 'unknown' | Holders> {
  const [, templates, partials, deleted, left] = await db.batch([
    // A statement of its own, so that the next ones see whoever was saved with it while this waited.
    db.execute(sql`select from partials where id = ${id} for update`),
    selectTemplates(db, id),
    selectPartials(db, id),
    db.execute(sql`
      update partials set deleted_at = now()
      where id = ${id} and deleted_at is null
        and not exists (${templatesWith(id)}) and not exists (${partialsThatCall(id)})
      returning id`),
    db.execute(sql`select from partials where id = ${id} and deleted_at is null`),
  ])
  if (deleted.rows.length > 0) return 'deleted'
  return left.rows.length > 0 ? { templates: templates.rows, partials: partials.rows } : 'unknown'
}

const selectTemplates = (db: Database, id: number) =>
  db.execute<Holders['templates'][number]>(sql`${templatesWith(id)} order by t.id limit ${MOST_HOLDERS}`)

const selectPartials = (db: Database, id: number) =>
  db.execute<Holders['partials'][number]>(sql`${partialsThatCall(id)} order by p.id limit ${MOST_HOLDERS}`)

const templatesWith = (id: number) => sql`
  select t.id::float8 as id, t.name, h.partial_version as version
  from template_partials h join templates t on t.id = h.template_id and t.version = h.template_version
  where h.partial_id = ${id} and t.deleted_at is null`

const partialsThatCall = (id: number) => sql`
  select p.id::float8 as id, p.name from partials p
  join partial_versions v on v.partial_id = p.id and v.version = p.version
  where p.deleted_at is null and (select name from partials where id = ${id}) = any(v.uses)`
