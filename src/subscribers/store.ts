import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { toTheMicrosecond } from '../db/iso.ts'
import { list_members } from '../lists/table.ts'
import type { SubscriberStatus } from './status.ts'
import { subscribers } from './table.ts'

/** What of a subscriber reaches the wire. */
export const subscriberColumns = {
  id: subscribers.id,
  email: subscribers.email,
  first_name: subscribers.first_name,
  last_name: subscribers.last_name,
  status: subscribers.status,
  attributes: subscribers.attributes,
  timezone: subscribers.timezone,
  locale: subscribers.locale,
  tags: subscribers.tags,
  paused_until: subscribers.paused_until,
  created_at: subscribers.created_at,
  updated_at: subscribers.updated_at,
}

/** A subscriber with every list they ever were on. */
export async function findSubscriber(db: Database, id: number) {
  const [[row], lists] = await db.batch([
    db.select(subscriberColumns).from(subscribers).where(eq(subscribers.id, id)),
    db
      .select({
        list_id: list_members.list_id,
        status: list_members.status,
        consented_at: list_members.consented_at,
        consent_source: list_members.consent_source,
        unsubscribed_at: list_members.unsubscribed_at,
      })
      .from(list_members)
      .where(eq(list_members.subscriber_id, id))
      .orderBy(asc(list_members.list_id)),
  ])
  return row && { ...row, lists }
}

export interface SubscriberFilters {
  status?: SubscriberStatus | undefined
  list_id?: number | undefined
  email?: string | undefined
  domain?: string | undefined
  created_after?: string | undefined
  /** Part of the address or the name; normalised only where it is used. */
  search?: string | undefined
  /** Normalised. */
  tag?: string | undefined
}

/** A place in the order of the pages; `created_key` when they go by time of creation. */
export interface Place {
  id: number
  created_key: string | null
}

/**
 * A page by id, or by time of creation where that is filtered: each way runs along an index, so that a page costs the
 * same wherever it is. Reads one row more than `limit`. `search` and `tag` are not for here (search.ts).
 *
 * @param after - id of the row before the page, with its `created_key` when `created_after` is given
 */
export async function listSubscribers(
  db: Database,
  { status, list_id, email, domain, created_after }: SubscriberFilters,
  after: Place | null,
  limit: number,
) {
  const where: SQL[] = []
  if (status !== undefined) where.push(eq(subscribers.status, status))
  if (email !== undefined) where.push(sql`lower(${subscribers.email}) = lower(${email})`)
  if (domain !== undefined) where.push(sql`lower(split_part(${subscribers.email}, '@', 2)) = ${domain}`)
  const by_time = created_after !== undefined
  if (by_time && after?.created_key) {
    where.push(sql`(${subscribers.created_at}, ${subscribers.id}) > (${after.created_key}::timestamptz, ${after.id})`)
  } else if (by_time) where.push(gt(subscribers.created_at, created_after))
  else if (after) where.push(gt(subscribers.id, after.id))

  const created_key = toTheMicrosecond(subscribers.created_at)
  const query = db
    .select({ ...subscriberColumns, created_key })
    .from(subscribers)
    .$dynamic()
  if (list_id !== undefined) {
    query.innerJoin(list_members, eq(list_members.subscriber_id, subscribers.id))
    where.push(eq(list_members.list_id, list_id), eq(list_members.status, 'subscribed'))
    // Says the same again, for the other index: a merge of the two would walk the one without it from its beginning.
    if (!by_time && after) where.push(gt(list_members.subscriber_id, after.id))
  }
  const order = by_time
    ? [asc(subscribers.created_at), asc(subscribers.id)]
    : [asc(list_id === undefined ? subscribers.id : list_members.subscriber_id)]
  return query
    .where(and(...where))
    .orderBy(...order)
    .limit(limit + 1)
}
