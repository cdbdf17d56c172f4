import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm'
import { campaigns } from '../campaigns/table.ts'
import type { Database } from '../db/client.ts'
import type { TemplateSource } from './compile.ts'
import type { CompiledTemplate } from './compiled.ts'
import { template_versions, templates } from './table.ts'

interface Compiled extends TemplateSource {
  compiled: CompiledTemplate
}

const listed = {
  id: templates.id,
  name: templates.name,
  version: templates.version,
  format: template_versions.format,
  created_at: templates.created_at,
  updated_at: templates.updated_at,
}

const newest = and(eq(template_versions.template_id, templates.id), eq(template_versions.version, templates.version))

/** The newest version of a template that is not deleted. */
export async function findTemplate(db: Database, id: number) {
  const [row] = await db
    .select({
      ...listed,
      source: template_versions.source,
      text_source: template_versions.text_source,
      compiled: template_versions.compiled,
    })
    .from(templates)
    .innerJoin(template_versions, newest)
    .where(and(eq(templates.id, id), isNull(templates.deleted_at)))
  return row
}

/** Newest first, one more than `limit`. */
export async function listTemplates(db: Database, before_id: number | null, limit: number) {
  return db
    .select(listed)
    .from(templates)
    .innerJoin(template_versions, newest)
    .where(and(isNull(templates.deleted_at), before_id === null ? undefined : lt(templates.id, before_id)))
    .orderBy(desc(templates.id))
    .limit(limit + 1)
}

/** @returns the new template's id */
export async function insertTemplate(db: Database, name: string, content: Compiled): Promise<number> {
  const { rows } = await db.execute<{ id: number }>(sql`
    with made as (insert into templates (name) values (${name}) returning id, version)
    ${insertVersion(content)} returning template_id::int as id`)
  const [row] = rows
  if (!row) throw new Error('insert into templates returned nothing')
  return row.id
}

/** Adds a version, unless there is a newer one than the one it was made from. @returns whether it was added */
export async function addVersion(
  db: Database,
  id: number,
  from_version: number,
  name: string | undefined,
  content: Compiled,
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    with made as (
      update templates set name = coalesce(${name ?? null}, name), version = version + 1, updated_at = now()
      where id = ${id} and version = ${from_version} and deleted_at is null returning id, version)
    ${insertVersion(content)} returning 1`)
  return rows.length > 0
}

const insertVersion = ({ format, source, text_source, compiled }: Compiled) => sql`
  insert into template_versions (template_id, version, format, source, text_source, compiled)
  select id, version, ${format}, ${source}, ${text_source}, ${JSON.stringify(compiled)}::jsonb from made`

/** @returns whether the template still had that version */
export async function renameTemplate(db: Database, id: number, from_version: number, name: string): Promise<boolean> {
  const rows = await db
    .update(templates)
    .set({ name, updated_at: sql`now()` })
    .where(and(eq(templates.id, id), eq(templates.version, from_version), isNull(templates.deleted_at)))
    .returning({ id: templates.id })
  return rows.length > 0
}

/** Hides a template. Campaigns that were started keep their copy; one that is scheduled still needs it. */
export async function deleteTemplate(db: Database, id: number): Promise<'deleted' | 'in_use' | 'unknown'> {
  const is_live = and(eq(templates.id, id), isNull(templates.deleted_at))
  const scheduled = sql`exists (
    select from ${campaigns} where ${campaigns.template_id} = ${id} and ${campaigns.status} = 'scheduled')`
  const [deleted, left] = await db.batch([
    db
      .update(templates)
      .set({ deleted_at: sql`now()` })
      .where(and(is_live, sql`not ${scheduled}`))
      .returning({ id: templates.id }),
    db.select({ id: templates.id }).from(templates).where(is_live),
  ])
  if (deleted.length > 0) return 'deleted'
  return left.length > 0 ? 'in_use' : 'unknown'
}
