import { sql } from 'drizzle-orm'
import { check, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'
import type { CompiledTemplate } from './compiled.ts'

/** A template's name and newest version. A deleted template keeps its row: campaigns still say what they were made of. */
export const templates = pgTable('templates', {
  id: identity(),
  name: text().notNull(),
  version: integer().notNull().default(1),
  created_at: instant().notNull().default(now),
  updated_at: instant().notNull().default(now),
  deleted_at: instant(),
})

/** What the author wrote and what it compiled to, once per save; a version never changes. */
export const template_versions = pgTable(
  'template_versions',
  {
    template_id: id()
      .notNull()
      .references(() => templates.id),
    version: integer().notNull(),
    format: text({ enum: ['mjml', 'html'] }).notNull(),
    source: text().notNull(),
    text_source: text(),
    compiled: jsonb().$type<CompiledTemplate>().notNull(),
    created_at: instant().notNull().default(now),
  },
  (t) => [
    primaryKey({ columns: [t.template_id, t.version] }),
    check('template_versions_format', sql`${t.format} in ('mjml', 'html')`),
  ],
)
