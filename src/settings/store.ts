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
  sender_id: settings.sender_id,
  brand_name: settings.brand_name,
  brand_logo_url: settings.brand_logo_url,
  brand_color: settings.brand_color,
  home_url: settings.home_url,
  privacy_url: settings.privacy_url,
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
  sender_id?: number | null | undefined
  brand_name?: string | null | undefined
  brand_logo_url?: string | null | undefined
  brand_color?: string | null | undefined
  home_url?: string | null | undefined
  privacy_url?: string | null | undefined
}

export async function readSettings(db: Database) {
  const [row] = await db.select(columns).from(settings).where(eq(settings.id, 1))
  if (!row) throw new Error('the settings row, made by the first migration, is missing')
  return row
}

/** @throws a violation of `settings_sender_id_senders_id_fk` when there is no such sender */
export async function writeSettings(db: Database, change: SettingsChange) {
  const [row] = await db
    .update(settings)
    .set({ ...change, updated_at: sql`now()` })
    .where(eq(settings.id, 1))
    .returning(columns)
  if (!row) throw new Error('the settings row, made by the first migration, is missing')
  return row
}
