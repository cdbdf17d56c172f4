import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { REFUSAL_COLUMNS } from './mapping.ts'
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
 * file, so that it can be corrected and imported again. Read page by page as it is taken.
 *
 * @param header - the file's
 */
export function exportRefusals(
  db: Database,
  import_id: number,
  header: readonly string[],
  delimiter: Delimiter,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const record = (cells: readonly string[]) => cells.map((cell) => quoted(cell, delimiter)).join(delimiter)
  let after = 0
  let text = `${record([...REFUSAL_COLUMNS, ...header])}\r\n`
  return new ReadableStream({
    async pull(controller) {
      const rows = await listRefusals(db, import_id, after, PAGE)
      for (const { line, reason, record: own } of rows) {
        // A record whose quotes do not close would swallow those after it: it becomes one cell.
        const rest = hasPairedQuotes(own) ? own : record([own])
        text += `${record([String(line), reason])}${delimiter}${rest}\r\n`
      }
      if (text !== '') controller.enqueue(encoder.encode(text))
      text = ''
      after = rows.at(-1)?.line ?? after
      if (rows.length < PAGE) controller.close()
    },
  })
}

const quoted = (cell: string, delimiter: Delimiter) =>
  cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell

function hasPairedQuotes(text: string): boolean {
  let quotes = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes++
  return quotes % 2 === 0
}
