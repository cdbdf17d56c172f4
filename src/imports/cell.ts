// What the text of one cell says. Nothing is guessed: what can be read in two ways is refused, or stays text.
import type { AttributeType } from '../attributes/type.ts'

/** The API stores four levels and says so; what has 32 is not parsed. */
const DEEPEST = 32

/**
 * The value of an attribute whose type is declared, or why the cell has none.
 *
 * Numbers are written with a point and without separators of thousands: `1.234,56` is 1234.56 here and 1.23456 there.
 * Booleans are true, false, yes, no, 1 or 0. Dates are ISO 8601 (`24/11/2026` may be two days), times without a zone are
 * UTC. Lists are JSON arrays, or separated by semicolons, else by commas.
 */
export function typedValue(cell: string, type: AttributeType): { value: unknown } | { problem: string } {
  switch (type) {
    case 'string':
      return { value: cell.replaceAll('\r\n', '\n') }
    case 'number': {
      const number = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(cell) ? Number(cell) : Number.NaN
      if (!Number.isFinite(number)) return { problem: `must be a number such as 1234.5, not ${quoted(cell)}` }
      if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
        return { problem: `has more digits than a number keeps: ${quoted(cell)}` }
      }
      return { value: number === 0 ? 0 : number }
    }
    case 'boolean': {
      const value = booleanOf(cell)
      return value === null ? { problem: `must be true, false, yes, no, 1 or 0, not ${quoted(cell)}` } : { value }
    }
    case 'date': {
      const value = dateOf(cell)
      return value === null ? { problem: `must be a date such as 2026-11-24, not ${quoted(cell)}` } : { value }
    }
    case 'list': {
      const value = listOf(cell)
      return value === null ? { problem: `must be a JSON array of texts, or a;b, not ${quoted(cell)}` } : { value }
    }
  }
}

/**
 * The value of an attribute nobody declared: `true` and `false`, numbers that are written the way JSON writes them (`007`,
 * `+49 30` and a card's sixteen digits stay text), whole JSON arrays and objects (for `{{#each}}`), and text.
 */
export function untypedValue(cell: string): unknown {
  if (cell === 'true' || cell === 'false') return cell === 'true'
  if (/^-?\d+(\.\d+)?$/.test(cell) && cell.length <= 15 && String(Number(cell)) === cell) return Number(cell)
  if (/^[[{]/.test(cell)) return jsonOf(cell) ?? cell
  return cell.includes('\r') ? cell.replaceAll('\r\n', '\n') : cell
}

/** A JSON array or object; null when it is none. */
export function jsonOf(cell: string): object | null {
  if (cell.length > 2 * DEEPEST && levels(cell) > DEEPEST) return null
  try {
    const value: unknown = JSON.parse(cell)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

/** Brackets in brackets, those in texts included: what is far past any data is not parsed at all. */
function levels(json: string): number {
  let deepest = 0
  let depth = 0
  for (const char of json) {
    if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth)
    else if (char === ']' || char === '}') depth--
  }
  return deepest
}

export function booleanOf(cell: string): boolean | null {
  const lower = cell.toLowerCase()
  if (lower === 'true' || lower === 'yes' || lower === '1') return true
  return lower === 'false' || lower === 'no' || lower === '0' ? false : null
}

/** Texts of a JSON array, or between semicolons, or between commas; each may stand in quotes. Null for other JSON. */
export function listOf(cell: string): string[] | null {
  if (/^[[{]/.test(cell)) {
    const list = jsonOf(cell)
    if (!Array.isArray(list)) return null
    return list.every((one) => typeof one === 'string' || typeof one === 'number') ? list.map(String) : null
  }
  const texts: string[] = []
  const separator = /;/.test(cell.replace(/"[^"]*"/g, '')) ? ';' : ','
  let text = ''
  let is_quoted = false
  for (const char of `${cell}${separator}`) {
    if (char === '"') is_quoted = !is_quoted
    else if (char === separator && !is_quoted) {
      if (text.trim() !== '') texts.push(text.trim())
      text = ''
    } else text += char
  }
  return is_quoted ? null : texts
}

const AS_WE_WRITE = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

/**
 * ISO 8601, with a blank for the T and without a zone (then UTC) or a time (then midnight) as well; and the way Go prints
 * times (`2021-03-02 10:15:30.123456 +0000 UTC`), which listmonk's exports hold. In UTC, to the millisecond.
 */
export function isoTime(text: string): string | null {
  if (AS_WE_WRITE.test(text)) return isDay(text) ? text : null
  const parts =
    /^(\d{4}-\d\d-\d\d)(?:[T ]([01]\d|2[0-3])(:[0-5]\d)(:[0-5]\d(?:\.\d{1,9})?)?)? ?(Z|UTC|[+-]\d\d:?\d\d)?(?: UTC)?$/i.exec(
      text,
    )
  if (!parts) return null
  const [, day = '', hour = '00', minutes = ':00', seconds = ':00', zone = 'Z'] = parts
  if (!isDay(day)) return null
  const offset = /^(Z|UTC)$/i.test(zone) ? 'Z' : zone.replace(/(\d\d)(\d\d)$/, '$1:$2')
  const time = new Date(`${day}T${hour}${minutes}${seconds}${offset}`)
  return Number.isNaN(time.getTime()) ? null : time.toISOString()
}

/** A day stays a day; a time becomes one in UTC. */
function dateOf(text: string): string | null {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return isDay(text) ? text : null
  const time = isoTime(text)
  return time && /^\d{4}-/.test(time) ? time.replace('.000Z', 'Z') : null
}

/** February 30 would be read as March 2. There is no year 0. */
function isDay(day: string): boolean {
  const [year, month, date] = [Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8, 10))]
  if (year < 1 || month < 1 || month > 12 || date < 1) return false
  const is_leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return date <= (month === 2 ? (is_leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31)
}

/** For a message, which is stored: a cell may be long, and a cut may halve a character. */
export const quoted = (cell: string) =>
  `"${cell.length > 40 ? `${cell.slice(0, 40).toWellFormed()}…` : cell.toWellFormed()}"`
