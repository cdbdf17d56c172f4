import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { hashApiKey, newApiKey } from '../src/auth/key.ts'
import { SCOPES, type Scope } from '../src/auth/scopes.ts'

/**
 * Makes an API key without an API: how an installation gets its first one.
 *
 * @param database_url - direct or pooled, migrated
 * @returns the key, which is nowhere else
 */
export async function createApiKey(
  database_url: string,
  name: string,
  scopes: readonly Scope[] = SCOPES,
): Promise<string> {
  const { key, prefix, hash } = await newApiKey(randomBytes(32))
  await query(database_url, 'insert into api_keys (name, prefix, hash, scopes) values ($1, $2, $3, $4)', [
    name,
    prefix,
    hash,
    scopes,
  ])
  return key
}

/** Whether this database knows the key and nobody has revoked it. */
export async function isApiKey(database_url: string, key: string): Promise<boolean> {
  const found = await query(database_url, 'select from api_keys where hash = $1 and revoked_at is null', [
    await hashApiKey(key),
  ])
  return found === 1
}

async function query(database_url: string, text: string, values: unknown[]): Promise<number | null> {
  const client = new Client({ connectionString: database_url })
  await client.connect()
  try {
    return (await client.query(text, values)).rowCount
  } finally {
    await client.end()
  }
}
