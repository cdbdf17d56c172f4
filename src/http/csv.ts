// CSV as RFC 4180 has it.

/**
 * One record, with its line break.
 *
 * @param formula_safe - whether what a spreadsheet would run as a formula is guarded; without it, values are exact
 */
export const csvRecord = (fields: readonly (string | number | null)[], formula_safe: boolean): string =>
  `${fields.map((value) => csvField(value, formula_safe)).join(',')}\r\n`

/** Null is an empty field. Numbers are ours, and no formula. */
function csvField(value: string | number | null, formula_safe: boolean): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = formula_safe ? guardFormula(value) : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/**
 * What makes spreadsheets run a cell (OWASP, CSV injection): these signs, full width ones included, at its beginning or
 * after blanks and quotes, which some programs take away; a tab or line break, which some take for the cell's end. An
 * apostrophe before them is the guard itself: it is guarded too, so that taking one away gives every value back.
 */
const FORMULA = /^(?:[\s"']*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n])/

/** Puts an apostrophe before a formula: to a spreadsheet it is text then. */
export const guardFormula = (text: string): string => (FORMULA.test(text) ? `'${text}` : text)

/** Takes away what `guardFormula` put there. */
export const unguardFormula = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text.slice(1)) ? text.slice(1) : text
