import { sql } from 'drizzle-orm'
import { jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { identity, instant, now } from '../db/columns.ts'
import type { Filter } from './filter.ts'

/** A saved filter over subscribers. Who is in it is asked anew each time. */
export const segments = pgTable(
  'segments',
  {
    id: identity(),
    name: text().notNull(),
    description: text(),
    filter: jsonb().$type<Filter>().notNull(),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
  },
  (t) => [uniqueIndex('segments_name').on(sql`lower(${t.name})`)],
)
