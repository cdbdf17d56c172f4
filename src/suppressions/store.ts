import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { suppressions } from './table.ts'

type Stored = typeof suppressions.$inferSelect

const exact = {
  id: suppressions.id,
  kind: suppressions.kind,
  value: suppressions.value,
  reason: suppressions.reason,
  source: suppressions.source,
  created_at: suppressions.created_at,
}

/** Of a hash only the beginning is shown: enough to tell two apart. */
const shown = {
  ...exact,
  value: sql<string>`case ${suppressions.kind} when 'hash' then left(${suppressions.value}, 8) || '…' else ${suppressions.value} end`,
}

export interface SuppressionFilters {
  kind?: Stored['kind'] | undefined
  reason?: Stored['reason'] | undefined
  /** An address, a domain, or a whole hash. */
  value?: string | undefined
  /** The keyed hash of `value`, where that is an address. */
  hash?: string | undefined
}

/** By id, at most `limit`. */
export const listSuppressions = (db: Database, filters: SuppressionFilters, after_id: number | null, limit: number) =>
  read(db, shown, filters, after_id, limit)

/** The same with whole hashes. */
export const readSuppressions = (db: Database, filters: SuppressionFilters, after_id: number | null, limit: number) =>
  read(db, exact, filters, after_id, limit)

function read(
  db: Database,
  columns: typeof exact | typeof shown,
  { kind, reason, value, hash }: SuppressionFilters,
  after_id: number | null,
  limit: number,
) {
  const where: SQL[] = []
  if (kind !== undefined) where.push(eq(suppressions.kind, kind))
  if (reason !== undefined) where.push(eq(suppressions.reason, reason))
  if (value !== undefined) {
    const stored = value.toLowerCase()
    const named = sql`(${suppressions.kind}, ${suppressions.value})`
    where.push(sql`${named} in (('address', ${stored}), ('domain', ${stored}), ('hash', ${hash ?? stored}))`)
  }
  if (after_id !== null) where.push(gt(suppressions.id, after_id))
  return db
    .select(columns)
    .from(suppressions)
    .where(and(...where))
    .orderBy(asc(suppressions.id))
    .limit(limit)
}

export async function findSuppression(db: Database, id: number) {
  const [row] = await db.select(shown).from(suppressions).where(eq(suppressions.id, id))
  return row
}

/** @returns whether there was such a suppression */
export async function deleteSuppression(db: Database, id: number): Promise<boolean> {
  const rows = await db.delete(suppressions).where(eq(suppressions.id, id)).returning({ id: suppressions.id })
  return rows.length > 0
}
