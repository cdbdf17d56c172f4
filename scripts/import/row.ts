// From one record of the file to one row of the bulk call.
import type { Field, Target } from './columns.ts'

/** A row as POST /subscribers/bulk takes it. */
export interface ImportRow {
  email: string
  first_name?: string
  last_name?: string
  status?: string
  consented_at?: string
  consent_source?: string
  timezone?: string
  locale?: string
  attributes?: Record<string, unknown>
  list_ids: number[]
}

export interface RowSettings {
  list_id: number
  /** Where consent comes from when the file does not say. */
  consent_source: string | undefined
  file_name: string
}

/** The API stores four levels and says so; it reads no call that has 64. */
const DEEPEST = 32

/** How other systems call our statuses. */
const STATUSES: Record<string, string> = {
  active: 'active',
  subscribed: 'active',
  confirmed: 'active',
  enabled: 'active',
  unsubscribed: 'unsubscribed',
  'opted out': 'unsubscribed',
  'opted-out': 'unsubscribed',
  opted_out: 'unsubscribed',
  bounced: 'bounced',
  'hard bounced': 'bounced',
  cleaned: 'bounced',
  complained: 'complained',
  complaint: 'complained',
  spam: 'complained',
}

/**
 * Empty cells say nothing: what is stored stays. The API judges the values; refused here is only what it could not read.
 */
export function toRow(
  targets: readonly Target[],
  record: readonly string[],
  settings: RowSettings,
): { row: ImportRow } | { problem: string } {
  if (record.length > targets.length && record.slice(targets.length).some((cell) => cell.trim() !== '')) {
    return { problem: `has ${record.length} columns, the header has ${targets.length}` }
  }
  const fields: Partial<Record<Field, string>> = {}
  const attributes: Record<string, unknown> = {}
  for (const [i, target] of targets.entries()) {
    const cell = record[i]?.trim()
    if (!target || !cell) continue
    if (/[\0\ufffd]/.test(cell)) return { problem: `column ${i + 1} is not valid UTF-8 text` }
    if ('field' in target) fields[target.field] = cell
    else attributes[target.attribute] = attributeValue(cell)
  }
  const { email, status, consented_at, locale, ...rest } = fields
  if (email === undefined) return { problem: 'email is empty' }
  const row: ImportRow = { email, ...rest, list_ids: [settings.list_id] }
  if (status !== undefined) {
    const known = STATUSES[status.toLowerCase()]
    if (known === undefined) return { problem: `status "${status.slice(0, 40)}" is not known` }
    row.status = known
  }
  if (consented_at !== undefined) {
    const time = isoTime(consented_at)
    if (time === null) return { problem: `consented_at "${consented_at.slice(0, 40)}" is not an ISO 8601 time` }
    row.consented_at = time
  }
  if (locale !== undefined) row.locale = locale.replaceAll('_', '-')
  const source =
    row.consent_source ?? settings.consent_source ?? (row.consented_at && `import of ${settings.file_name}`)
  if (source) row.consent_source = source.slice(0, 200)
  if (Object.keys(attributes).length > 0) row.attributes = attributes
  if (/\\u0000|\\ud[89a-f]|"__proto__"/i.test(JSON.stringify(attributes)))
    return { problem: 'holds text that cannot be stored' }
  return { row }
}

/**
 * A cell's value: `true` and `false`, numbers that are written the way JSON writes them (`007`, `+49 30` and a card's
 * sixteen digits stay text), whole JSON arrays and objects (for `{{#each}}`), and text.
 */
export function attributeValue(cell: string): unknown {
  if (cell === 'true' || cell === 'false') return cell === 'true'
  if (/^-?\d+(\.\d+)?$/.test(cell) && Number.isSafeInteger(Math.trunc(Number(cell))) && String(Number(cell)) === cell) {
    return cell.length <= 15 ? Number(cell) : cell
  }
  if (/^[[{]/.test(cell) && levels(cell) <= DEEPEST) {
    try {
      return JSON.parse(cell)
    } catch {
      return cell
    }
  }
  return cell.replaceAll('\r\n', '\n')
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

/** ISO 8601, with a blank for the T and without a zone (then UTC) or a time (then midnight) as well. */
export function isoTime(text: string): string | null {
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?)? ?(Z|UTC|[+-]\d\d:?\d\d)?$/i.exec(text)
  if (!parts) return null
  const [, day, minutes = '00:00', seconds = ':00', zone = 'Z'] = parts
  const offset = /^(Z|UTC)$/i.test(zone) ? 'Z' : zone.replace(/(\d\d)(\d\d)$/, '$1:$2')
  const time = new Date(`${day}T${minutes}${seconds}${offset}`)
  if (Number.isNaN(time.getTime())) return null
  // February 30 would be read as March 2.
  return new Date(`${day}T00:00Z`).toISOString().startsWith(`${day}`) ? time.toISOString() : null
}
