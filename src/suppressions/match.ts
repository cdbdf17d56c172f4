// Suppressions by keyed hash, and people who are subscribers already.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import { hashPads } from '../subscribers/erasure.ts'

/** Subscribers of one statement: some 200 ms. */
const SLICE = 100_000

/**
 * Suppresses the addresses of subscribers whose keyed hash is among those given. A hash keeps an address from coming in; a
 * sender, who does not have the key, looks for addresses and domains only. Who was deleted elsewhere comes back as whoever
 * has left does: by a new consent. Reads all subscribers, slice by slice. Repeating
 * it changes nothing.
 *
 * The hash is HMAC-SHA256 as RFC 2104 writes it, of two SHA-256, which Postgres has. For that the key's two pads go with the
 * statement; they are stored nowhere.
 *
 * @param hashes - 64 hexadecimal digits each, lower-case, stored before; null for all that are stored
 * @returns how many addresses were suppressed by it
 */
export async function suppressHashed(
  db: Database,
  hash_key: string,
  hashes: readonly string[] | null,
): Promise<number> {
  if (hashes?.length === 0) return 0
  const { inner, outer } = await hashPads(hash_key)
  let found = 0
  let after: number | null = 0
  while (after !== null) {
    const slice = await suppressSlice(db, after, hashes, inner, outer)
    found += slice.found
    after = slice.last
  }
  return found
}

/** `last` is the last subscriber looked at; null when there is no one after. */
async function suppressSlice(
  db: Database,
  after: number,
  hashes: readonly string[] | null,
  inner: string,
  outer: string,
) {
  const { rows } = await retryDeadlocks(() =>
    db.execute<{ last: number | null; found: number }>(sql`
        with slice as materialized (
          select id, lower(email) as address from subscribers where id > ${after} order by id limit ${SLICE}
        ), hit as (
          insert into suppressions (kind, value, reason, source)
          select 'address', s.address, case h.reason when 'deleted' then 'unsubscribe' else h.reason end, coalesce(h.source, 'keyed hash')
          from slice s
          join suppressions h on h.kind = 'hash' and h.value = encode(
            sha256(decode(${outer}, 'hex') || sha256(decode(${inner}, 'hex') || convert_to(s.address, 'UTF8'))), 'hex')
          ${hashes ? sql`where h.value = any(${sql.param([...hashes])}::text[])` : sql``}
          order by s.address
          on conflict (kind, value) do nothing
          returning 1
        )
        select (select case when count(*) = ${SLICE} then max(id) end from slice)::float8 as last,
          (select count(*) from hit)::int as found`),
  )
  return rows[0] ?? { last: null, found: 0 }
}
