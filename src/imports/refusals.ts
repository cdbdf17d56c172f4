import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { streamFile } from '../exports/file.ts'
import { REFUSAL_COLUMNS } from './formats.ts'
import type { Delimiter } from './options.ts'
import type { RefusedRecord } from './slice.ts'
import { import_refusals } from './table.ts'

/** Refusals of one page of the download: at most 10,000 characters each. */
const PAGE = 500

/** Keeps refused records; part of a slice's transaction, which counts them. */
export const keepRefusals = (import_id: number, refused: readonly RefusedRecord[]): SQL => sql`
  insert into import_refusals (import_id, line, reason, record)
  select ${import_id}, r.line, r.reason, r.record from jsonb_to_recordset(${JSON.stringify(refused)}::jsonb)
    as r (line int, reason text, record text)
  on conflict (import_id, line) do nothing`

/** By line, at most `limit`. */
export async function listRefusals(db: Database, import_id: number, after_line: number, limit: number) {
  return db
    .select({ line: import_refusals.line, reason: import_refusals.reason, record: import_refusals.record })
    .from(import_refusals)
    .where(and(eq(import_refusals.import_id, import_id), gt(import_refusals.line, after_line)))
    .orderBy(asc(import_refusals.line))
    .limit(limit)
}

/**
 * Every refused record as CSV, in the file's own delimiter: line and reason, then the record's own text as it stood in the
 * file, so that it can be corrected and imported again.
 *
 * @param header - the file's
 */
export function exportRefusals(
  db: Database,
  import_id: number,
  header: readonly string[],
  delimiter: Delimiter,
): ReadableStream<Uint8Array> {
  const record = (cells: readonly string[]) => cells.map((cell) => quoted(cell, delimiter)).join(delimiter)
  return streamFile<number>(`${record([...REFUSAL_COLUMNS, ...header])}\r\n`, async (after) => {
    const rows = await listRefusals(db, import_id, after ?? 0, PAGE)
    const lines = rows.map(({ line, reason, record: own }) => {
      // A record whose quotes do not close would swallow those after it: it becomes one cell.
      const rest = hasPairedQuotes(own) ? own : record([own])
      return `${record([String(line), reason])}${delimiter}${rest}\r\n`
    })
    return { text: lines.join(''), next: rows.length < PAGE ? null : (rows.at(-1)?.line ?? null) }
  })
}

const quoted = (cell: string, delimiter: Delimiter) =>
  cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell

function hasPairedQuotes(text: string): boolean {
  let quotes = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes++
  return quotes % 2 === 0
}
