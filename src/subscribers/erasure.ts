// What a deleted subscriber leaves behind, and the lock that keeps a parallel write from missing it.
import { sql } from 'drizzle-orm'

/** Any fixed number that no other advisory lock of this database uses. */
const ERASURE_LOCK = 718_001

/**
 * First statement of every transaction that may create a subscriber or change an address. Writers share the lock, a
 * deletion holds it alone: without it, a writer whose snapshot is older than the deletion sees no hash, waits for the
 * deleted row, and then creates the person anew.
 */
export const writeBesideErasures = () => sql`select pg_advisory_xact_lock_shared(${ERASURE_LOCK})`

/** First statement of the transaction that deletes a subscriber. */
export const eraseAlone = () => sql`select pg_advisory_xact_lock(${ERASURE_LOCK})`

const encoder = new TextEncoder()
const keys = new Map<string, Promise<CryptoKey>>()

/**
 * HMAC-SHA256 of the lower-case address, in hex: recognises a deleted person's address without storing it. With the key
 * kept outside the database, the stored hashes cannot be tested against a list of known addresses.
 */
export const hashEmail = (hash_key: string, email: string): Promise<string> => keyedHash(hash_key, email.toLowerCase())

/** HMAC-SHA256 of a text, in hex. */
export async function keyedHash(hash_key: string, text: string): Promise<string> {
  let key = keys.get(hash_key)
  if (!key) {
    const raw = encoder.encode(hash_key)
    key = crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    keys.set(hash_key, key)
  }
  const mac = await crypto.subtle.sign('HMAC', await key, encoder.encode(text))
  return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const BLOCK = 64

/** The key of `hashEmail` as HMAC lays it before its two hashes (RFC 2104), in hex: for hashing inside a statement. */
export async function hashPads(hash_key: string): Promise<{ inner: string; outer: string }> {
  let key = encoder.encode(hash_key)
  if (key.length > BLOCK) key = new Uint8Array(await crypto.subtle.digest('SHA-256', key))
  const pad = (with_byte: number) =>
    Array.from({ length: BLOCK }, (_, i) => ((key[i] ?? 0) ^ with_byte).toString(16).padStart(2, '0')).join('')
  return { inner: pad(0x36), outer: pad(0x5c) }
}
