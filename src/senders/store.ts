import { and, asc, eq, gt, notExists, sql } from 'drizzle-orm'
import { campaigns } from '../campaigns/table.ts'
import type { Database } from '../db/client.ts'
import { violates } from '../db/violation.ts'
import { mailing_lists } from '../lists/table.ts'
import { settings } from '../settings/table.ts'
import { senders } from './table.ts'

const columns = {
  id: senders.id,
  name: senders.name,
  from_name: senders.from_name,
  from_email: senders.from_email,
  reply_to: senders.reply_to,
  postal_address: senders.postal_address,
  account: senders.account,
  tracking_url: senders.tracking_url,
  created_at: senders.created_at,
  updated_at: senders.updated_at,
}

type Values = Omit<typeof senders.$inferInsert, 'id' | 'created_at' | 'updated_at'>
type Changes = { [Name in keyof Values]?: Values[Name] | undefined }

/** @throws a violation of `senders_name` when the name is in use */
export async function insertSender(db: Database, values: Values) {
  const [row] = await db.insert(senders).values(values).returning(columns)
  if (!row) throw new Error('insert into senders returned nothing')
  return row
}

export async function findSender(db: Database, id: number) {
  const [row] = await db.select(columns).from(senders).where(eq(senders.id, id))
  return row
}

/** By id, one more than `limit`. */
export async function listSenders(db: Database, after_id: number | null, limit: number) {
  return db
    .select(columns)
    .from(senders)
    .where(after_id === null ? undefined : gt(senders.id, after_id))
    .orderBy(asc(senders.id))
    .limit(limit + 1)
}

/**
 * Campaigns that have started keep the sender they were started with.
 *
 * @throws a violation of `senders_name` when the name is in use
 */
export async function updateSender(db: Database, id: number, changes: Changes) {
  const [row] = await db
    .update(senders)
    .set({ ...changes, updated_at: sql`now()` })
    .where(eq(senders.id, id))
    .returning(columns)
  return row
}

/** Deletes a sender that no campaign, list or setting names: without theirs, nobody could confirm a sign-up. */
export async function deleteSender(db: Database, id: number): Promise<'deleted' | 'in_use' | 'unknown'> {
  const one = { one: sql`1` }
  const used = [
    db.select(one).from(campaigns).where(eq(campaigns.sender_id, id)),
    db.select(one).from(mailing_lists).where(eq(mailing_lists.sender_id, id)),
    db.select(one).from(settings).where(eq(settings.sender_id, id)),
  ]
  const attempt = db.batch([
    db
      .delete(senders)
      .where(and(eq(senders.id, id), ...used.map((rows) => notExists(rows))))
      .returning({ id: senders.id }),
    db.select({ id: senders.id }).from(senders).where(eq(senders.id, id)),
  ])
  const outcome = await attempt.catch((error: unknown) => {
    // A campaign was made while this looked for one.
    if (violates(error, 'campaigns_sender_id_senders_id_fk')) return 'in_use' as const
    throw error
  })
  if (outcome === 'in_use') return outcome
  const [deleted, left] = outcome
  if (deleted.length > 0) return 'deleted'
  return left.length > 0 ? 'in_use' : 'unknown'
}
