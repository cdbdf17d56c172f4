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

/** What went into a version, and what is the newest of it. */
const held = sql<{ id: number; name: string; version: number; newest_version: number | null }[]>`(
  select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'version', h.partial_version,
    'newest_version', case when p.deleted_at is null then p.version end) order by p.name), '[]'::jsonb)
  from template_partials h join partials p on p.id = h.partial_id
  where h.template_id = template_versions.template_id and h.template_version = template_versions.version)`

/** The newest version of a template that is not deleted. */
export async function findTemplate(db: Database, id: number) {
  const [row] = await db
    .select({
      ...listed,
      source: template_versions.source,
      text_source: template_versions.text_source,
      compiled: template_versions.compiled,
      partials: held,
    })
    .from(templates)
    .innerJoin(template_versions, newest)
    .where(and(eq(templates.id, id), isNull(templates.deleted_at)))
  return row
}

/** Newest first, one more than `limit`. */
export async function listVersions(db: Database, id: number, before: number | null, limit: number) {
  const { version, format, created_at, template_id } = template_versions
  return db
    .select({ version, format, created_at })
    .from(template_versions)
    .where(and(eq(template_id, id), before === null ? undefined : lt(version, before)))
    .orderBy(desc(version))
    .limit(limit + 1)
}

/** One version of a template, whether or not that is deleted. */
export async function findVersion(db: Database, id: number, number: number) {
  const { template_id, version, format, source, text_source, compiled, created_at } = template_versions
  const [row] = await db
    .select({ template_id, version, format, source, text_source, compiled, created_at, partials: held })
    .from(template_versions)
    .where(and(eq(template_id, id), eq(version, number)))
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

/** @returns the new template's id; null when one of its partials was deleted meanwhile */
export async function insertTemplate(db: Database, name: string, content: Compiled): Promise<number | null> {
  const { rows } = await db.execute<{ id: number }>(sql`
    with ${lockPartials(content)}, made as (
      insert into templates (name) select ${name} where ${allThere(content)} returning id, version)
    ${insertVersion(content)} select template_id::float8 as id from added`)
  return rows[0]?.id ?? null
}

/**
 * Adds a version, unless there is a newer one than the one it was made from, or one of its partials was deleted meanwhile.
 *
 * @returns whether it was added
 */
export async function addVersion(
  db: Database,
  id: number,
  from_version: number,
  name: string | undefined,
  content: Compiled,
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    with ${lockPartials(content)}, made as (
      update templates set name = coalesce(${name ?? null}, name), version = version + 1, updated_at = now()
      where id = ${id} and version = ${from_version} and deleted_at is null and ${allThere(content)}
      returning id, version)
    ${insertVersion(content)} select from added`)
  return rows.length > 0
}

/** Their lock makes a deletion wait until it can see who holds them (partials/delete.ts). */
const lockPartials = ({ compiled }: Compiled) => sql`used as materialized (
  select id from partials where id = any(${sql.param(compiled.partials.map(({ id }) => id))}::bigint[])
    and deleted_at is null order by id for key share)`

const allThere = ({ compiled }: Compiled) => sql`(select count(*) from used) = ${compiled.partials.length}`

const insertVersion = ({ format, source, text_source, compiled }: Compiled) => sql`, added as (
    insert into template_versions (template_id, version, format, source, text_source, compiled)
    select id, version, ${format}, ${source}, ${text_source}, ${JSON.stringify(compiled)}::jsonb from made
    returning template_id, version
  ), held as (
    insert into template_partials (template_id, template_version, partial_id, partial_version)
    select added.template_id, added.version, p.id, p.version
    from added, jsonb_to_recordset(${JSON.stringify(compiled.partials)}::jsonb) as p (id bigint, version integer)
  )`

/** @returns whether the template still had that version */
export async function renameTemplate(db: Database, id: number, from_version: number, name: string): Promise<boolean> {
  const rows = await db
    .update(templates)
    .set({ name, updated_at: sql`now()` })
    .where(and(eq(templates.id, id), eq(templates.version, from_version), isNull(templates.deleted_at)))
    .returning({ id: templates.id })
  return rows.length > 0
}

/** Hides a template. Campaigns that were started keep their copy; one that is scheduled, paused or not, still needs it. */
export async function deleteTemplate(db: Database, id: number): Promise<'deleted' | 'in_use' | 'unknown'> {
  const is_live = and(eq(templates.id, id), isNull(templates.deleted_at))
  const scheduled = sql`exists (
    select from ${campaigns} where ${campaigns.template_id} = ${id}
      and ${campaigns.status} in ('scheduled', 'paused') and ${campaigns.started_at} is null)`
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
