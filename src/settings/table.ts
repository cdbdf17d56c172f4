import { sql } from 'drizzle-orm'
import { boolean, check, integer, pgTable } from 'drizzle-orm/pg-core'
import { instant, now } from '../db/columns.ts'

/** One row: what an API call may switch for the whole installation at once. */
export const settings = pgTable(
  'settings',
  {
    id: integer().primaryKey().default(1),
    sending: boolean().notNull().default(true),
    updated_at: instant().notNull().default(now),
  },
  (t) => [check('settings_single', sql`${t.id} = 1`)],
)
