import { eq, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { settings } from './table.ts'

const columns = { sending: settings.sending, updated_at: settings.updated_at }

/** Null before anyone has changed a setting. */
export async function readSettings(db: Database) {
  const [row] = await db.select(columns).from(settings).where(eq(settings.id, 1))
  return row ?? null
}

export async function writeSettings(db: Database, { sending }: { sending: boolean }) {
  const [row] = await db
    .insert(settings)
    .values({ id: 1, sending })
    .onConflictDoUpdate({ target: settings.id, set: { sending, updated_at: sql`now()` } })
    .returning(columns)
  if (!row) throw new Error('upsert of settings returned nothing')
  return row
}
