// Keyset pages. A cursor names the last row of a page by its sort keys, never by a count.
import { decodeBase64url, encodeBase64url } from '../tokens/base64url.ts'
import { Problem } from './problem.ts'

export interface Page<Row> {
  data: Row[]
  next_cursor: string | null
}

type SortKey = string | number
/** Which list it is (`of`), and whatever narrows or sorts it; a query's `limit` and `cursor` do not count. */
type Filters = Record<string, unknown> & { of: string }

/**
 * Where the page begins: the sort keys of the row before it, or null for the first page.
 *
 * @param kinds - the type of each sort key, in order: a cursor of another list does not pass
 * @throws {Problem} bad_cursor when it was not made by `page` for the same filters
 */
export function after<const K extends readonly ('string' | 'number')[]>(
  cursor: string | undefined,
  filters: Filters,
  kinds: K,
): { [I in keyof K]: K[I] extends 'string' ? string : number } | null
export function after(cursor: string | undefined, filters: Filters, kinds: readonly string[]): SortKey[] | null {
  if (cursor === undefined) return null
  const [mark, ...keys] = parse(cursor)
  const fits =
    keys.length === kinds.length &&
    keys.every(
      (key, i) => typeof key === kinds[i] && (typeof key === 'string' ? isStorable(key) : Number.isSafeInteger(key)),
    )
  if (mark !== fingerprint(filters) || !fits) {
    throw badCursor()
  }
  return keys as SortKey[]
}

/** Text that Postgres can compare with. */
const isStorable = (text: string) => !text.includes('\0') && text.isWellFormed()

/** For sort keys that no row can have. */
export const badCursor = () =>
  new Problem(
    'bad_cursor',
    'This cursor was not given out for this list with these filters. Start again without a cursor.',
    { errors: [{ field: 'cursor', detail: 'use `next_cursor` of the page before, with the same filters' }] },
  )

/**
 * Makes a page of rows that were read with one row more than `limit`, which tells whether another page follows.
 *
 * @param keys - the sort keys of a row, in the order of `kinds` in `after`
 */
export function page<Row>(
  rows: readonly Row[],
  limit: number,
  filters: Filters,
  keys: (row: Row) => readonly SortKey[],
): Page<Row> {
  const data = rows.slice(0, limit)
  const last = data.at(-1)
  if (rows.length <= limit || last === undefined) return { data, next_cursor: null }
  return { data, next_cursor: cursorAt(filters, keys(last)) }
}

/** The cursor of a page that begins after these sort keys, for lists that find out by themselves whether there is one. */
export function cursorAt(filters: Filters, keys: readonly SortKey[]): string {
  return encodeBase64url(new TextEncoder().encode(JSON.stringify([fingerprint(filters), ...keys])))
}

function parse(cursor: string): unknown[] {
  const bytes = decodeBase64url(cursor)
  if (!bytes) return []
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

/** FNV-1a, 32 bits, over the filters in a fixed order: tells a mix-up, is no protection and needs to be none. */
function fingerprint(filters: Filters): number {
  const entries = Object.entries(filters).filter(([name, value]) => value !== undefined && !PAGING.has(name))
  let hash = 0x811c9dc5
  for (const char of JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)))) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  }
  return hash >>> 0
}

const PAGING: ReadonlySet<string> = new Set(['limit', 'cursor'])
