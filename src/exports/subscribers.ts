import type { AttributeType } from '../attributes/type.ts'
import type { Database } from '../db/client.ts'
import { csvRecord } from '../http/csv.ts'
import { type FileFormat, streamFile } from './file.ts'
import { PAGE, type PageSize, type People, type PersonRow, readPeople } from './subscribers-page.ts'

export interface SubscribersExport {
  people: People
  format: FileFormat
  formula_safe: boolean
  /** Each gets a column of its own in CSV; what else there is shares one. */
  types: ReadonlyMap<string, AttributeType>
}

/**
 * Subscribers as a file, by id. Somebody who is changed meanwhile is in it once, as before or after; who comes or goes
 * meanwhile may be in it or not.
 *
 * `POST /imports` reads it back without loss: CSV columns have the names that an import knows them by, and a value that a
 * cell could not give back as it is (an empty text, a number where a text is declared) stands in the column `attributes`.
 */
export function exportSubscribers(
  db: Database,
  { people, format, formula_safe, types }: SubscribersExport,
  size: PageSize = PAGE,
): ReadableStream<Uint8Array> {
  const { id: list_id } = people.list ?? {}
  const columns = FIELDS.filter((column) => column !== 'list_status' || list_id !== undefined)
  const line =
    format === 'csv'
      ? (row: PersonRow) => csvRecord(cells(row, columns, types), formula_safe)
      : (row: PersonRow) => `${JSON.stringify(fields(row, [...columns, 'attributes']))}\n`
  const header = [...columns, ...[...types.keys()].map((name) => `attributes.${name}`), 'attributes']
  return streamFile<number>(format === 'csv' ? csvRecord(header, false) : '', async (after) => {
    const { rows, next } = await readPeople(db, people, after ?? 0, size)
    return { text: rows.map(line).join(''), next }
  })
}

/** In the order of the columns; attributes follow. */
const FIELDS = [
  'id',
  'email',
  'first_name',
  'last_name',
  'status',
  'timezone',
  'locale',
  'tags',
  'paused_until',
  'created_at',
  'updated_at',
  'consented_at',
  'consent_source',
  'list_status',
  'lists',
] as const satisfies (keyof PersonRow)[]
type Field = (typeof FIELDS)[number]

const fields = (row: PersonRow, names: readonly (Field | 'attributes')[]) =>
  Object.fromEntries(names.map((name) => [name, row[name]]))

function cells(row: PersonRow, columns: readonly Field[], types: SubscribersExport['types']) {
  const rest = new Map(Object.entries(row.attributes))
  const declared = [...types].map(([name, type]) => {
    const cell = cellOf(rest.get(name), type)
    if (cell !== null) rest.delete(name)
    return cell
  })
  return [
    ...columns.map((column) => {
      if (column === 'tags') return tagsCell(row.tags)
      if (column === 'lists') return row.lists.length > 0 ? JSON.stringify(row.lists) : null
      return row[column]
    }),
    ...declared,
    rest.size > 0 ? JSON.stringify(Object.fromEntries(rest)) : null,
  ]
}

/** Times of other zones, and how exactly one is written, would not come back. */
const UTC = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.(?!000)\d{3})?Z)?$/

/** What an import makes the same value of; null where there is nothing, or no such text. */
function cellOf(value: unknown, type: AttributeType): string | number | null {
  switch (type) {
    case 'string':
      return typeof value === 'string' && value !== '' && value === value.trim() ? value : null
    case 'date':
      return typeof value === 'string' && UTC.test(value) ? value : null
    case 'number':
      return typeof value === 'number' && (Number.isSafeInteger(value) || !Number.isInteger(value)) ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : null
    case 'list':
      return Array.isArray(value) && value.every((one) => typeof one === 'string') ? JSON.stringify(value) : null
  }
}

/** As people write them, unless a tag holds what separates. */
const tagsCell = (tags: readonly string[]): string | null => {
  if (tags.length === 0) return null
  return tags.some((tag) => /[;,"[{]/.test(tag)) ? JSON.stringify(tags) : tags.join('; ')
}
