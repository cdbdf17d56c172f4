import { sql } from 'drizzle-orm'
import { check, pgTable, text } from 'drizzle-orm/pg-core'
import { instant, now } from '../db/columns.ts'
import { ATTRIBUTE_TYPES } from './type.ts'

/** The attributes whose type is fixed: whatever writes a subscriber is held to it. Others may hold anything. */
export const attribute_definitions = pgTable(
  'attribute_definitions',
  {
    name: text().primaryKey(),
    type: text({ enum: ATTRIBUTE_TYPES }).notNull(),
    description: text(),
    created_at: instant().notNull().default(now),
  },
  (t) => [
    check('attribute_definitions_name', sql`${t.name} ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'`),
    check('attribute_definitions_type', sql`${t.type} in ('string', 'number', 'boolean', 'date', 'list')`),
  ],
)
