import type { Database } from '../db/client.ts'
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
      const lines = rows.map(({ kind, value, reason, source, created_at }) =>
        [kind, value, reason, source ?? '', created_at].map((text) => csvField(text, formula_safe)).join(','),
      )
      if (first) lines.unshift('kind,value,reason,source,created_at')
      first = false
      if (lines.length > 0) controller.enqueue(encoder.encode(`${lines.join('\r\n')}\r\n`))
      after_id = rows.at(-1)?.id ?? null
      if (rows.length < PAGE) controller.close()
    },
  })
}

/** What makes spreadsheets run a cell: OWASP, CSV injection. */
const FORMULA = /^[=+\-@\t\r]/

function csvField(text: string, formula_safe: boolean): string {
  const safe = formula_safe && FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
