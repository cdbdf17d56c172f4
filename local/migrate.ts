import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import { Client } from 'pg'

const FOLDER = fileURLToPath(new URL('../drizzle', import.meta.url))

/** Any number: two migrations of one database at a time take turns on it. */
const LOCK = 7_238_115

/**
 * Brings a database up to date. All pending migrations are one transaction: either all are applied or none.
 *
 * @param url - a direct connection: a pooled one has no session to hold the lock in
 */
export async function migrate(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('set client_min_messages = warning')
    await client.query('select pg_advisory_lock($1)', [LOCK])
    await applyMigrations(drizzle(client), { migrationsFolder: FOLDER })
  } finally {
    await client.end()
  }
}
