import { sql } from 'drizzle-orm'
import { check, integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'

/** A part that templates share, by the name they call it: `{{> footer}}`. Deleted ones keep their row for old versions of templates. */
export const partials = pgTable(
  'partials',
  {
    id: identity(),
    name: text().notNull(),
    version: integer().notNull().default(1),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
    deleted_at: instant(),
  },
  (t) => [uniqueIndex('partials_name').on(t.name).where(sql`${t.deleted_at} is null`)],
)

/** What the author wrote, once per save; a version never changes. `uses` are the partials that it calls itself. */
export const partial_versions = pgTable(
  'partial_versions',
  {
    partial_id: id()
      .notNull()
      .references(() => partials.id),
    version: integer().notNull(),
    format: text({ enum: ['mjml', 'html'] }).notNull(),
    source: text().notNull(),
    text_source: text(),
    uses: text().array().notNull(),
    created_at: instant().notNull().default(now),
  },
  (t) => [
    primaryKey({ columns: [t.partial_id, t.version] }),
    check('partial_versions_format', sql`${t.format} in ('mjml', 'html')`),
  ],
)
