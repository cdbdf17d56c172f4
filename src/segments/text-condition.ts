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

/** Values that are parameters of their own: Postgres then knows how many people have them. */
const FEW = 5

export function isOneOf(lower: SQL, values: readonly string[]): SQL {
  if (values.length > FEW) {
    return sql`${lower} = any((select array_agg(lower(v)) from unnest(${sql.param([...values])}::text[]) v)::text[])`
  }
  const all = values.map((value) => sql`lower(${value}::text)`)
  return all.length === 1 ? sql`${lower} = ${all[0]}` : sql`${lower} = any(array[${sql.join(all, sql`, `)}])`
}
