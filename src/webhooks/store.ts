import { asc, eq, gt, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { MOST_ENDPOINTS } from './events.ts'
import { webhook_endpoints } from './table.ts'

/** Two calls must not each take the last place. */
const PLACES_LOCK = sql`select pg_advisory_xact_lock(hashtext('emk.webhook_endpoints'))`

/** For how long the secret before the newest signs too, in hours. */
const PREVIOUS_HOURS = 24

const columns = {
  id: webhook_endpoints.id,
  url: webhook_endpoints.url,
  description: webhook_endpoints.description,
  events: webhook_endpoints.events,
  enabled: webhook_endpoints.enabled,
  disabled_reason: webhook_endpoints.disabled_reason,
  failing_since: webhook_endpoints.failing_since,
  created_at: webhook_endpoints.created_at,
  updated_at: webhook_endpoints.updated_at,
}

interface Values {
  url: string
  description: string | null
  events: string[]
  enabled: boolean
}

const BY_HAND = 'It was disabled by hand.'

/** @returns null when there are as many as there may be */
export async function insertEndpoint(db: Database, { url, description, events, enabled }: Values, secret: string) {
  const [, inserted] = await db.batch([
    db.execute(PLACES_LOCK),
    db.execute<{ id: number }>(sql`
      insert into webhook_endpoints (url, description, events, enabled, disabled_reason, secret)
      select ${url}, ${description}, ${sql.param(events)}::text[], ${enabled}, ${enabled ? null : BY_HAND}, ${secret}
      where (select count(*) from webhook_endpoints) < ${MOST_ENDPOINTS}
      returning id::float8 as id`),
  ])
  const id = inserted.rows[0]?.id
  return id === undefined ? null : ((await findEndpoint(db, id)) ?? null)
}

export async function findEndpoint(db: Database, id: number) {
  const [row] = await db.select(columns).from(webhook_endpoints).where(eq(webhook_endpoints.id, id))
  return row
}

/** By id, one more than `limit`. */
export async function listEndpoints(db: Database, after_id: number | null, limit: number) {
  return db
    .select(columns)
    .from(webhook_endpoints)
    .where(after_id === null ? undefined : gt(webhook_endpoints.id, after_id))
    .orderBy(asc(webhook_endpoints.id))
    .limit(limit + 1)
}

/** Enabling one, or sending it elsewhere, begins anew: whatever failed before is not held against it. */
export async function updateEndpoint(
  db: Database,
  id: number,
  { enabled, ...changes }: { [Key in keyof Values]?: Values[Key] | undefined },
) {
  const switched =
    enabled === undefined
      ? {}
      : enabled
        ? { enabled, disabled_reason: null, failing_since: null }
        : { enabled, disabled_reason: sql`coalesce(${webhook_endpoints.disabled_reason}, ${BY_HAND})` }
  const [row] = await db
    .update(webhook_endpoints)
    .set({
      ...changes,
      ...(changes.url === undefined ? {} : { failing_since: null }),
      ...switched,
      updated_at: sql`now()`,
    })
    .where(eq(webhook_endpoints.id, id))
    .returning(columns)
  return row
}

/** The secret that signed so far signs too for a day; the one before it, if there is one, no more. */
export async function rotateSecret(db: Database, id: number, secret: string): Promise<boolean> {
  const { rows } = await db.execute(sql`
    update webhook_endpoints set secret = ${secret}, previous_secret = secret,
      previous_until = now() + make_interval(hours => ${PREVIOUS_HOURS}), updated_at = now()
    where id = ${id} returning id`)
  return rows.length > 0
}

/** Messages deleted by one statement: an endpoint may have a million. */
const SLICE = 10_000

/** Deletes an endpoint with all its messages. It is disabled first, so that no more come. */
export async function deleteEndpoint(db: Database, id: number): Promise<boolean> {
  if (!(await updateEndpoint(db, id, { enabled: false }))) return false
  for (;;) {
    const { rows } = await db.execute<{ deleted: number }>(sql`
      with gone as (
        delete from webhook_messages
        where id = any(array(select id from webhook_messages where endpoint_id = ${id} order by id limit ${SLICE}))
        returning 1
      )
      select count(*)::int as deleted from gone`)
    if ((rows[0]?.deleted ?? 0) < SLICE) break
  }
  await retryDeadlocks(() => db.delete(webhook_endpoints).where(eq(webhook_endpoints.id, id)))
  return true
}
