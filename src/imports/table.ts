import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'
import type { ImportOptions } from './options.ts'
import type { ColumnDescription, ReadState } from './state.ts'
import { IMPORT_KINDS, IMPORT_STATUSES } from './status.ts'

/**
 * A file on its way in. It comes in parts, in order; what was read of it so far, and what became of its rows, moves in the
 * same transaction as the rows themselves, so that going on after any interruption repeats nothing and leaves nothing out.
 */
export const imports = pgTable(
  'imports',
  {
    id: identity(),
    kind: text({ enum: IMPORT_KINDS }).notNull().default('subscribers'),
    status: text({ enum: IMPORT_STATUSES }).notNull().default('receiving'),
    dry_run: boolean().notNull().default(false),
    options: jsonb().$type<ImportOptions>().notNull(),
    file_name: text(),
    /** Bytes of the whole file, as far as the caller said. */
    size: id(),
    /** What reading on needs to know of the beginning; null before the first line is whole. */
    state: jsonb().$type<ReadState>(),
    /** What each column of the file is taken for (mapping.ts). */
    columns: jsonb().$type<ColumnDescription[]>(),
    /** Of a dry run: the first rows as they would be written. They hold personal data: kept for 30 days. */
    sample: jsonb().$type<Record<string, unknown>[]>(),
    /** Bytes of the file that are done with: the next part begins here. Ends between two records. */
    next_offset: id().notNull().default(0),
    /** The line of the file that begins there, from 1. */
    line: integer().notNull().default(1),
    rows: integer().notNull().default(0),
    created: integer().notNull().default(0),
    updated: integer().notNull().default(0),
    unchanged: integer().notNull().default(0),
    /** Left as they were because the policy says so. */
    skipped: integer().notNull().default(0),
    refused: integer().notNull().default(0),
    /** Of those written: who had opted out, bounced or complained and stays so. */
    kept: integer().notNull().default(0),
    /** One part at a time: whose part is being read, and until when that one is given up. */
    lease_token: uuid(),
    lease_until: instant(),
    error: text(),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
    finished_at: instant(),
  },
  (t) => [
    index('imports_created').on(t.created_at),
    check('imports_kind', sql`${t.kind} in ('subscribers', 'suppressions')`),
    check('imports_status', sql`${t.status} in ('receiving', 'finished', 'failed', 'cancelled')`),
    check('imports_lease', sql`(${t.lease_token} is null) = (${t.lease_until} is null)`),
    check('imports_finished', sql`(${t.status} = 'receiving') = (${t.finished_at} is null)`),
    check('imports_sum', sql`${t.created} + ${t.updated} + ${t.unchanged} + ${t.skipped} + ${t.refused} = ${t.rows}`),
  ],
)

/** Rows that were refused, as they stood in the file. They hold personal data: kept for 30 days. */
export const import_refusals = pgTable(
  'import_refusals',
  {
    import_id: id()
      .notNull()
      .references(() => imports.id, { onDelete: 'cascade' }),
    /** Where the record begins in the file, from 1. */
    line: integer().notNull(),
    reason: text().notNull(),
    /** The record's own text, cut at 10,000 characters. */
    record: text().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.import_id, t.line] }),
    // Who is deleted goes from here too.
    index('import_refusals_record').using('gin', sql`lower(${t.record}) gin_trgm_ops`),
  ],
)
