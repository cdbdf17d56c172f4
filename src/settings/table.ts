import { sql } from 'drizzle-orm'
import { boolean, check, doublePrecision, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { TRACKING_MODES } from '../campaigns/tracking-mode.ts'
import { id, instant, now } from '../db/columns.ts'
import { senders } from '../senders/table.ts'

/** One row: what an API call may switch for the whole installation at once. */
export const settings = pgTable(
  'settings',
  {
    id: integer().primaryKey().default(1),
    sending: boolean().notNull().default(true),
    /** A sending campaign pauses when more than this share of its delivered mails complained, bounced or was blocked. */
    pause_complaint_share: doublePrecision().notNull().default(0.001),
    pause_bounce_share: doublePrecision().notNull().default(0.05),
    pause_block_share: doublePrecision().notNull().default(0.05),
    /** What is kept of opens and clicks of campaigns that do not say. */
    track_opens: text({ enum: TRACKING_MODES }).notNull().default('individual'),
    track_clicks: text({ enum: TRACKING_MODES }).notNull().default('individual'),
    /** Who the installation's own mails are from (confirmations, answers about one's data), where a list names nobody. */
    sender_id: id().references(() => senders.id, { onDelete: 'set null' }),
    /** What public pages and such mails show of the house. */
    brand_name: text(),
    brand_logo_url: text(),
    /** `#rrggbb`, of buttons and links. */
    brand_color: text(),
    home_url: text(),
    privacy_url: text(),
    updated_at: instant().notNull().default(now),
  },
  (t) => [
    check('settings_single', sql`${t.id} = 1`),
    check('settings_brand_color', sql`${t.brand_color} ~ '^#[0-9a-f]{6}$'`),
    check(
      'settings_tracking',
      sql`${t.track_opens} in ('individual', 'aggregate', 'none') and ${t.track_clicks} in ('individual', 'aggregate', 'none')`,
    ),
    check(
      'settings_shares',
      sql`${t.pause_complaint_share} between 0 and 1 and ${t.pause_bounce_share} between 0 and 1
        and ${t.pause_block_share} between 0 and 1`,
    ),
  ],
)
