import { and, asc, eq, gt, isNotNull, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { settings } from '../settings/table.ts'
import { mailing_lists } from './table.ts'

const columns = {
  id: mailing_lists.id,
  name: mailing_lists.name,
  description: mailing_lists.description,
  opt_in: mailing_lists.opt_in,
  visibility: mailing_lists.visibility,
  consent_wording: mailing_lists.consent_wording,
  sender_id: mailing_lists.sender_id,
  success_url: mailing_lists.success_url,
  created_at: mailing_lists.created_at,
  updated_at: mailing_lists.updated_at,
}

type Values = Pick<
  typeof mailing_lists.$inferSelect,
  'name' | 'description' | 'opt_in' | 'visibility' | 'consent_wording' | 'sender_id' | 'success_url'
>
export type ListChange = { [K in keyof Values]?: Values[K] | undefined }

/** @throws a violation of `mailing_lists_name` when the name is in use, of `SENDER_KEY` when there is no such sender */
export async function insertList(db: Database, values: Values) {
  const [row] = await db.insert(mailing_lists).values(values).returning(columns)
  if (!row) throw new Error('insert into mailing_lists returned nothing')
  return row
}

export const SENDER_KEY = 'mailing_lists_sender_id_senders_id_fk'

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

/** What must be there before a list may stand open to the public. */
export interface Standing {
  visibility: 'public' | 'private'
  opt_in: 'single' | 'double'
  consent_wording: string | null
  sender_id: number | null
  /** The settings' sender, for lists that name none. */
  house_sender_id: number | null
}

/** As a list would be after a change; without an id, as a new one would be. Undefined for a list that is not there. */
export async function findStanding(
  db: Database,
  id: number | null,
  changes: ListChange,
): Promise<Standing | undefined> {
  const [house, stored] = await db.batch([
    db.select({ sender_id: settings.sender_id }).from(settings),
    db
      .select(columns)
      .from(mailing_lists)
      .where(eq(mailing_lists.id, id ?? 0)),
  ])
  const before = id === null ? NEW : stored[0]
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  return before && { ...before, ...given, house_sender_id: house[0]?.sender_id ?? null }
}

const NEW = { visibility: 'private', opt_in: 'double', consent_wording: null, sender_id: null } as const

/**
 * Changes a list, unless it would stand open without a wording to agree to: that is tested on the row that is changed, so
 * two changes at once cannot bring it about together.
 *
 * @throws a violation of `mailing_lists_name` when the name is in use, of `SENDER_KEY` when there is no such sender
 */
export async function updateList(db: Database, id: number, changes: ListChange) {
  const { visibility, consent_wording } = changes
  const open = visibility === undefined ? sql`${mailing_lists.visibility} = 'public'` : sql`${visibility === 'public'}`
  const worded =
    consent_wording === undefined ? isNotNull(mailing_lists.consent_wording) : sql`${consent_wording !== null}`
  const [row] = await db
    .update(mailing_lists)
    .set({ ...changes, updated_at: sql`now()` })
    .where(and(eq(mailing_lists.id, id), sql`(not ${open} or ${worded})`))
    .returning(columns)
  return row
}
