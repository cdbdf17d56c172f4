import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'
import { partial_versions } from '../partials/table.ts'
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

/** Which partials, in which version, went into a template's version. */
export const template_partials = pgTable(
  'template_partials',
  {
    template_id: id().notNull(),
    template_version: integer().notNull(),
    partial_id: id().notNull(),
    partial_version: integer().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.template_id, t.template_version, t.partial_id] }),
    foreignKey({
      name: 'template_partials_template',
      columns: [t.template_id, t.template_version],
      foreignColumns: [template_versions.template_id, template_versions.version],
    }),
    foreignKey({
      name: 'template_partials_partial',
      columns: [t.partial_id, t.partial_version],
      foreignColumns: [partial_versions.partial_id, partial_versions.version],
    }),
    index('template_partials_of').on(t.partial_id),
  ],
)
