// CSV as RFC 4180 has it.

/**
 * One record, with its line break.
 *
 * @param formula_safe - an apostrophe before what a spreadsheet would run as a formula; without it, values are exact
 */
export const csvRecord = (fields: readonly (string | number | null)[], formula_safe: boolean): string =>
  `${fields.map((value) => csvField(value, formula_safe)).join(',')}\r\n`

/** What makes spreadsheets run a cell: OWASP, CSV injection. */
const FORMULA = /^[=+\-@\t\r]/

/** Null is an empty field. Numbers are ours, and no formula. */
function csvField(value: string | number | null, formula_safe: boolean): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = formula_safe && FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
