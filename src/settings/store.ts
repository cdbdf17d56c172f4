import { eq, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { settings } from './table.ts'

const columns = { sending: settings.sending, updated_at: settings.updated_at }

export async function readSettings(db: Database) {
  const [row] = await db.select(columns).from(settings).where(eq(settings.id, 1))
  if (!row) throw new Error('the settings row, made by the first migration, is missing')
  return row
}

export async function writeSettings(db: Database, { sending }: { sending: boolean }) {
  const [row] = await db
    .update(settings)
    .set({ sending, updated_at: sql`now()` })
    .where(eq(settings.id, 1))
    .returning(columns)
  if (!row) throw new Error('the settings row, made by the first migration, is missing')
  return row
}
