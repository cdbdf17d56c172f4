import { type SQL, sql } from 'drizzle-orm'

/** Of a text: that it is one of some, or has one as a part, without regard to case. Null where there is no text. */
export function textCondition(text: SQL, op: 'in' | 'contains' | 'starts_with' | 'ends_with', values: string[]): SQL {
  const lower = sql`lower(${text})`
  const [value = ''] = values
  switch (op) {
    case 'in':
      return isOneOf(lower, values)
    case 'contains':
      return sql`position(lower(${value}::text) in ${lower}) > 0`
    case 'starts_with':
      return sql`starts_with(${lower}, lower(${value}::text))`
    case 'ends_with':
      return sql`right(${lower}, length(lower(${value}::text))) = lower(${value}::text)`
  }
}

/** Each value a parameter of its own: Postgres then knows how many there are, and finds them by an index. */
export const isOneOf = (lower: SQL, values: readonly string[]): SQL =>
  values.length === 1
    ? sql`${lower} = lower(${values[0]}::text)`
    : sql`${lower} = any(array[${sql.join(
        values.map((value) => sql`lower(${value}::text)`),
        sql`, `,
      )}])`
