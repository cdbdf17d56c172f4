import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { suppressions } from './table.ts'

type Stored = typeof suppressions.$inferSelect

/** Of a hash only the beginning is shown: enough to tell two apart, not enough to test addresses against. */
const columns = {
  id: suppressions.id,
  kind: suppressions.kind,
  value: sql<string>`case ${suppressions.kind} when 'hash' then left(${suppressions.value}, 8) || '…' else ${suppressions.value} end`,
  reason: suppressions.reason,
  source: suppressions.source,
  created_at: suppressions.created_at,
}

export interface SuppressionFilters {
  kind?: Stored['kind'] | undefined
  reason?: Stored['reason'] | undefined
  value?: string | undefined
}

/** By id, at most `limit`. */
export async function listSuppressions(
  db: Database,
  { kind, reason, value }: SuppressionFilters,
  after_id: number | null,
  limit: number,
) {
  const where: SQL[] = []
  if (kind !== undefined) where.push(eq(suppressions.kind, kind))
  if (reason !== undefined) where.push(eq(suppressions.reason, reason))
  if (value !== undefined) {
    const stored = value.toLowerCase()
    where.push(sql`(${suppressions.kind}, ${suppressions.value}) in (('address', ${stored}), ('domain', ${stored}))`)
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
  const [row] = await db.select(columns).from(suppressions).where(eq(suppressions.id, id))
  return row
}

/** @returns whether there was such a suppression */
export async function deleteSuppression(db: Database, id: number): Promise<boolean> {
  const rows = await db.delete(suppressions).where(eq(suppressions.id, id)).returning({ id: suppressions.id })
  return rows.length > 0
}
