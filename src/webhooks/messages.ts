// The log of what endpoints were told, and its repetition.
import { and, asc, desc, eq, lt, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { webhook_attempts, webhook_messages } from './table.ts'

export const MESSAGE_STATUSES = ['pending', 'delivered', 'failed'] as const
export type MessageStatus = (typeof MESSAGE_STATUSES)[number]

const columns = {
  id: webhook_messages.id,
  webhook_id: sql<string>`'msg_' || ${webhook_messages.id}`,
  type: webhook_messages.type,
  status: webhook_messages.status,
  attempts: webhook_messages.attempts,
  data: webhook_messages.payload,
  /** While it is on the queue, or being tried, nobody can say when: now. */
  next_attempt_at: sql<string | null>`case
    when ${webhook_messages.status} = 'pending' and not ${webhook_messages.in_flight} then ${webhook_messages.due_at} end`.mapWith(
    webhook_messages.due_at,
  ),
  delivered_at: webhook_messages.delivered_at,
  created_at: webhook_messages.created_at,
}

interface Filters {
  status?: MessageStatus | undefined
  type?: string | undefined
}

/** The newest first, one more than `limit`. */
export async function listMessages(
  db: Database,
  endpoint_id: number,
  { status, type }: Filters,
  before_id: number | null,
  limit: number,
) {
  return db
    .select(columns)
    .from(webhook_messages)
    .where(
      and(
        eq(webhook_messages.endpoint_id, endpoint_id),
        status && eq(webhook_messages.status, status),
        type === undefined ? undefined : eq(webhook_messages.type, type),
        before_id === null ? undefined : lt(webhook_messages.id, before_id),
      ),
    )
    .orderBy(desc(webhook_messages.id))
    .limit(limit + 1)
}

/** Tries that are shown of one message. */
const TRIES = 100

/** One message with its tries, the oldest first. */
export async function findMessage(db: Database, endpoint_id: number, id: number) {
  const [messages, tries] = await db.batch([
    db
      .select(columns)
      .from(webhook_messages)
      .where(and(eq(webhook_messages.endpoint_id, endpoint_id), eq(webhook_messages.id, id))),
    db
      .select({
        at: webhook_attempts.at,
        response_status: webhook_attempts.response_status,
        response: webhook_attempts.response,
        duration_ms: webhook_attempts.duration_ms,
      })
      .from(webhook_attempts)
      .where(eq(webhook_attempts.message_id, id))
      .orderBy(asc(webhook_attempts.id))
      .limit(TRIES),
  ])
  const [message] = messages
  return message && { ...message, tries }
}

const ANEW = sql`status = 'pending', delivered_at = null, attempts = 0, in_flight = false, due_at = now()`

/** Has one message sent again, with the same id as before. @returns false while it waits to be sent anyway */
export async function replayMessage(db: Database, endpoint_id: number, id: number): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update webhook_messages set ${ANEW}
    where id = ${id} and endpoint_id = ${endpoint_id} and status <> 'pending' returning id`)
  return rows.length > 0
}

/** Messages a statement. */
const SLICE = 5000

/**
 * Has all messages sent again that failed and happened since a moment, slice by slice.
 *
 * @param until - ms since 1970; no slice is begun later
 * @returns how many, and whether that was all
 */
export async function replayFailed(db: Database, endpoint_id: number, since: string, until: number, now: () => Date) {
  let replayed = 0
  while (now().getTime() <= until) {
    const { rows } = await db.execute<{ changed: number }>(sql`
      with failed as materialized (
        select id from webhook_messages
        where endpoint_id = ${endpoint_id} and status = 'failed' and created_at >= ${since}::timestamptz
        order by id limit ${SLICE}
        for update
      ), changed as (
        update webhook_messages m set ${ANEW} from failed f where m.id = f.id returning 1
      )
      select count(*)::int as changed from changed`)
    const changed = rows[0]?.changed ?? 0
    replayed += changed
    if (changed < SLICE) return { replayed, complete: true }
  }
  return { replayed, complete: false }
}
