import type { Database } from '../db/client.ts'
import { csvRecord } from '../http/csv.ts'
import { listSuppressions, type SuppressionFilters } from './store.ts'

const PAGE = 1_000

/**
 * Every suppression as CSV (RFC 4180), read page by page as it is taken: memory stays flat whatever the number.
 *
 * @param formula_safe - an apostrophe before what a spreadsheet would run as a formula; without it, values are exact
 */
export function exportSuppressions(
  db: Database,
  filters: SuppressionFilters,
  formula_safe: boolean,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let after_id: number | null = null
  let first = true
  return new ReadableStream({
    async pull(controller) {
      const rows = await listSuppressions(db, filters, after_id, PAGE)
      const records = rows.map(({ kind, value, reason, source, created_at }) =>
        csvRecord([kind, value, reason, source, created_at], formula_safe),
      )
      if (first) records.unshift('kind,value,reason,source,created_at\r\n')
      first = false
      if (records.length > 0) controller.enqueue(encoder.encode(records.join('')))
      after_id = rows.at(-1)?.id ?? null
      if (rows.length < PAGE) controller.close()
    },
  })
}
