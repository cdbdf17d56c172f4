import { type SQL, sql } from 'drizzle-orm'
import { DAY, nextDay } from './dates.ts'
import { FIELDS, type FieldCondition, type FieldName } from './filter.ts'
import { textCondition } from './text-condition.ts'

/** SQL of a condition, or of what it is the `opposite` of. */
export interface Tested {
  sql: SQL
  opposite: boolean
}

const COLUMNS: Record<FieldName, SQL> = {
  email: sql`s.email`,
  domain: sql`split_part(s.email, '@', 2)`,
  first_name: sql`s.first_name`,
  last_name: sql`s.last_name`,
  status: sql`s.status`,
  locale: sql`s.locale`,
  timezone: sql`s.timezone`,
  created_at: sql`s.created_at`,
  updated_at: sql`s.updated_at`,
}

export function fieldCondition({ field, op, value }: FieldCondition): Tested {
  const column = COLUMNS[field]
  const values = [value].flat().map(String)
  const [first = '', last = ''] = values
  switch (op) {
    case 'exists':
    case 'not_exists':
      return { sql: sql`${column} <> ''`, opposite: op === 'not_exists' }
    case 'not_in_last_days':
    case 'in_last_days':
      return { sql: sql`${column} >= ${daysAgo(value)}`, opposite: op === 'not_in_last_days' }
    case 'before_days':
      return { sql: sql`${column} < ${daysAgo(value)}`, opposite: false }
    case 'between':
      return { sql: sql`(${from(column, first)} and ${until(column, last)})`, opposite: false }
    case 'gte':
      return { sql: from(column, first), opposite: false }
    case 'lte':
      return { sql: until(column, first), opposite: false }
    case 'gt':
      return { sql: after(column, first), opposite: false }
    case 'lt':
      return { sql: sql`${column} < ${utc(first)}`, opposite: false }
    case 'eq':
    case 'ne':
    case 'in':
    case 'not_in': {
      const opposite = op === 'ne' || op === 'not_in'
      if (FIELDS[field] === 'moment') {
        return { sql: sql`(${from(column, first)} and ${until(column, first)})`, opposite }
      }
      if (FIELDS[field] === 'status') return { sql: sql`${column} = any(${sql.param(values)}::text[])`, opposite }
      return { sql: textCondition(column, 'in', values), opposite }
    }
    case 'contains':
    case 'starts_with':
    case 'ends_with':
      return { sql: textCondition(column, op, values), opposite: false }
    default:
      throw new RangeError(`${field} has no op ${op}`)
  }
}

// A day without a time is all of it, in UTC.
const utc = (date: string) => sql`${DAY.test(date) ? `${date}T00:00:00Z` : date}::timestamptz`
const from = (column: SQL, date: string) => sql`${column} >= ${utc(date)}`
const until = (column: SQL, date: string) =>
  DAY.test(date) ? sql`${column} < ${utc(nextDay(date))}` : sql`${column} <= ${utc(date)}`
const after = (column: SQL, date: string) =>
  DAY.test(date) ? sql`${column} >= ${utc(nextDay(date))}` : sql`${column} > ${utc(date)}`

const daysAgo = (days: unknown) => sql`now() - make_interval(days => ${Number(days)}::int)`
