import type { Database } from '../db/client.ts'
import { type FileFormat, streamFile } from '../exports/file.ts'
import { csvRecord } from '../http/csv.ts'
import { readSuppressions, type SuppressionFilters } from './store.ts'

const PAGE = 5_000

/** As an import reads them. */
const COLUMNS = ['kind', 'value', 'reason', 'source', 'created_at'] as const

/** Every suppression as a file, by id; hashes whole, so that they can move to an installation with the same HASH_KEY. */
export const exportSuppressions = (
  db: Database,
  filters: SuppressionFilters,
  format: FileFormat,
  formula_safe: boolean,
): ReadableStream<Uint8Array> =>
  streamFile<number>(format === 'csv' ? csvRecord(COLUMNS, false) : '', async (after_id) => {
    const rows = await readSuppressions(db, filters, after_id, PAGE)
    const lines = rows.map(({ id, ...row }) =>
      format === 'csv'
        ? csvRecord(
            COLUMNS.map((column) => row[column]),
            formula_safe,
          )
        : `${JSON.stringify(row)}\n`,
    )
    return { text: lines.join(''), next: rows.length < PAGE ? null : (rows.at(-1)?.id ?? null) }
  })
