import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Filter } from './filter.ts'
import { segments } from './table.ts'

const columns = {
  id: segments.id,
  name: segments.name,
  description: segments.description,
  filter: segments.filter,
  created_at: segments.created_at,
  updated_at: segments.updated_at,
}

interface Values {
  name: string
  description: string | null
  filter: Filter
}

/** @throws a violation of `segments_name` when the name is in use */
export async function insertSegment(db: Database, values: Values) {
  const [row] = await db.insert(segments).values(values).returning(columns)
  if (!row) throw new Error('insert into segments returned nothing')
  return row
}

export async function findSegment(db: Database, id: number) {
  const [row] = await db.select(columns).from(segments).where(eq(segments.id, id))
  return row
}

/** By id, one more than `limit`. */
export async function listSegments(db: Database, name: string | undefined, after_id: number | null, limit: number) {
  const where: SQL[] = []
  if (name !== undefined) where.push(sql`lower(${segments.name}) = lower(${name})`)
  if (after_id !== null) where.push(gt(segments.id, after_id))
  return db
    .select(columns)
    .from(segments)
    .where(and(...where))
    .orderBy(asc(segments.id))
    .limit(limit + 1)
}

/** @throws a violation of `segments_name` when the name is in use */
export async function updateSegment(
  db: Database,
  id: number,
  changes: { [K in keyof Values]?: Values[K] | undefined },
) {
  const [row] = await db
    .update(segments)
    .set({ ...changes, updated_at: sql`now()` })
    .where(eq(segments.id, id))
    .returning(columns)
  return row
}
