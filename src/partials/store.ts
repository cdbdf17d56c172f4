import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { partial_versions, partials } from './table.ts'

export interface PartialContent {
  format: 'mjml' | 'html'
  source: string
  text_source: string | null
  /** Names of the partials that it calls itself. */
  uses: string[]
}

const listed = {
  id: partials.id,
  name: partials.name,
  version: partials.version,
  format: partial_versions.format,
  created_at: partials.created_at,
  updated_at: partials.updated_at,
}

const newest = and(eq(partial_versions.partial_id, partials.id), eq(partial_versions.version, partials.version))

/** The newest version of a partial that is not deleted. */
export async function findPartial(db: Database, id: number) {
  const [row] = await db
    .select({ ...listed, source: partial_versions.source, text_source: partial_versions.text_source })
    .from(partials)
    .innerJoin(partial_versions, newest)
    .where(and(eq(partials.id, id), isNull(partials.deleted_at)))
  return row
}

/** By name, one more than `limit`. */
export async function listPartials(db: Database, after_name: string | null, limit: number) {
  return db
    .select(listed)
    .from(partials)
    .innerJoin(partial_versions, newest)
    .where(and(isNull(partials.deleted_at), after_name === null ? undefined : gt(partials.name, after_name)))
    .orderBy(asc(partials.name))
    .limit(limit + 1)
}

/**
 * @returns the new partial's id; null when a partial that it calls went meanwhile
 * @throws a violation of `partials_name` when the name is in use
 */
export async function insertPartial(db: Database, name: string, content: PartialContent): Promise<number | null> {
  const { rows } = await db.execute<{ id: number }>(sql`
    with ${lockUsed(content)}, made as (
      insert into partials (name) select ${name} where ${allThere(content)} returning id, version)
    ${insertVersion(content)} returning partial_id::float8 as id`)
  return rows[0]?.id ?? null
}

/** Adds a version. @returns false when there is a newer one than it was made from, or a partial that it calls went */
export async function addPartialVersion(
  db: Database,
  id: number,
  from_version: number,
  content: PartialContent,
): Promise<boolean> {
  const { rows } = await db.execute(sql`
    with ${lockUsed(content)}, made as (
      update partials set version = version + 1, updated_at = now()
      where id = ${id} and version = ${from_version} and deleted_at is null and ${allThere(content)}
      returning id, version)
    ${insertVersion(content)} returning 1`)
  return rows.length > 0
}

/** Their lock makes a deletion wait until it can see who calls them (delete.ts). */
const lockUsed = ({ uses }: PartialContent) => sql`used as materialized (
  select id from partials where name = any(${sql.param(uses)}::text[]) and deleted_at is null order by id for key share)`

const allThere = ({ uses }: PartialContent) => sql`(select count(*) from used) = ${uses.length}`

const insertVersion = ({ format, source, text_source, uses }: PartialContent) => sql`
  insert into partial_versions (partial_id, version, format, source, text_source, uses)
  select id, version, ${format}, ${source}, ${text_source}, ${sql.param(uses)}::text[] from made`
