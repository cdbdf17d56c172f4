import { and, asc, eq, gt, type SQL } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { subscriberColumns } from '../subscribers/store.ts'
import { subscribers } from '../subscribers/table.ts'
import { list_members } from './table.ts'

const columns = {
  list_id: list_members.list_id,
  status: list_members.status,
  consented_at: list_members.consented_at,
  consent_source: list_members.consent_source,
  unsubscribed_at: list_members.unsubscribed_at,
}

export async function findMember(db: Database, list_id: number, subscriber_id: number) {
  const [row] = await db
    .select(columns)
    .from(list_members)
    .where(and(eq(list_members.list_id, list_id), eq(list_members.subscriber_id, subscriber_id)))
  return row
}

/** A list's members by subscriber id, one more than `limit`. */
export async function listMembers(
  db: Database,
  list_id: number,
  status: 'subscribed' | 'unsubscribed' | undefined,
  after_id: number | null,
  limit: number,
) {
  const where: SQL[] = [eq(list_members.list_id, list_id)]
  if (status !== undefined) where.push(eq(list_members.status, status))
  if (after_id !== null) where.push(gt(list_members.subscriber_id, after_id))
  return db
    .select({ ...columns, subscriber: subscriberColumns })
    .from(list_members)
    .innerJoin(subscribers, eq(subscribers.id, list_members.subscriber_id))
    .where(and(...where))
    .orderBy(asc(list_members.subscriber_id))
    .limit(limit + 1)
}
