import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Scope } from './scopes.ts'
import { api_keys } from './table.ts'

/** One lock for every change of who is admin, so that two calls cannot each take the other for the remaining one. */
const ADMIN_LOCK = sql`select pg_advisory_xact_lock(hashtext('emk.api_keys.admin'))`

const columns = {
  id: api_keys.id,
  name: api_keys.name,
  prefix: api_keys.prefix,
  scopes: api_keys.scopes,
  created_at: api_keys.created_at,
  last_used_at: api_keys.last_used_at,
}

const is_live_admin = sql`revoked_at is null and 'admin' = any(scopes)`

/** A key that may be used, by its hash. `use_is_old`: its last use is noted as over a minute ago, or not at all. */
export async function findKey(db: Database, hash: string) {
  const [key] = await db
    .select({
      id: api_keys.id,
      scopes: api_keys.scopes,
      use_is_old: sql<boolean>`coalesce(${api_keys.last_used_at} < now() - interval '1 minute', true)`,
    })
    .from(api_keys)
    .where(and(eq(api_keys.hash, hash), isNull(api_keys.revoked_at)))
  return key
}

/** Notes that a key is in use; at most once a minute whoever asks. */
export async function touchKey(db: Database, id: number): Promise<void> {
  await db.execute(sql`
    update api_keys set last_used_at = now()
    where id = ${id} and coalesce(last_used_at < now() - interval '1 minute', true)`)
}

interface NewKey {
  name: string
  prefix: string
  hash: string
  scopes: Scope[]
}

export async function insertKey(db: Database, key: NewKey) {
  const [row] = await db.insert(api_keys).values(key).returning(columns)
  if (!row) throw new Error('insert into api_keys returned nothing')
  return row
}

/** The first admin key; null while there is one that is not revoked. */
export async function insertFirstKey(db: Database, { name, prefix, hash, scopes }: NewKey) {
  const [, , rows] = await db.batch([
    db.execute(ADMIN_LOCK),
    db.execute(sql`
      insert into api_keys (name, prefix, hash, scopes)
      select ${name}, ${prefix}, ${hash}, ${sql.param(scopes)}::text[]
      where not exists (select from api_keys where ${is_live_admin})`),
    db.select(columns).from(api_keys).where(eq(api_keys.hash, hash)),
  ])
  return rows[0] ?? null
}

/** Keys that are not revoked, newest first, one more than `limit`. */
export async function listKeys(db: Database, before_id: number | null, limit: number) {
  return db
    .select(columns)
    .from(api_keys)
    .where(and(isNull(api_keys.revoked_at), before_id === null ? undefined : lt(api_keys.id, before_id)))
    .orderBy(desc(api_keys.id))
    .limit(limit + 1)
}

/** Revokes a key unless no other admin would be left. Revoking twice is no error. */
export async function revokeKey(db: Database, id: number): Promise<'revoked' | 'last_admin' | 'unknown'> {
  const [, , rows] = await db.batch([
    db.execute(ADMIN_LOCK),
    db.execute(sql`
      update api_keys k set revoked_at = now()
      where k.id = ${id} and k.revoked_at is null and (
        not 'admin' = any(k.scopes)
        or exists (select from api_keys where ${is_live_admin} and id <> ${id}))`),
    db.select({ revoked_at: api_keys.revoked_at }).from(api_keys).where(eq(api_keys.id, id)),
  ])
  const [row] = rows
  if (!row) return 'unknown'
  return row.revoked_at === null ? 'last_admin' : 'revoked'
}
