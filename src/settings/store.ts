import { eq, sql } from 'drizzle-orm'
import type { TrackingMode } from '../campaigns/tracking-mode.ts'
import type { Database } from '../db/client.ts'
import { settings } from './table.ts'

const columns = {
  sending: settings.sending,
  pause_complaint_share: settings.pause_complaint_share,
  pause_bounce_share: settings.pause_bounce_share,
  pause_block_share: settings.pause_block_share,
  track_opens: settings.track_opens,
  track_clicks: settings.track_clicks,
  updated_at: settings.updated_at,
}

/** What may be changed. What is left out stays as it is. */
export interface SettingsChange {
  sending?: boolean | undefined
  pause_complaint_share?: number | undefined
  pause_bounce_share?: number | undefined
  pause_block_share?: number | undefined
  track_opens?: TrackingMode | undefined
  track_clicks?: TrackingMode | undefined
}

export async function readSettings(db: Database) {
  const [row] = await db.select(columns).from(settings).where(eq(settings.id, 1))
  if (!row) throw new Error('the settings row, made by the first migration, is missing')
  return row
}

export async function writeSettings(db: Database, change: SettingsChange) {
  const [row] = await db
    .update(settings)
    .set({ ...change, updated_at: sql`now()` })
    .where(eq(settings.id, 1))
    .returning(columns)
  if (!row) throw new Error('the settings row, made by the first migration, is missing')
  return row
}
