import { type SQL, sql } from 'drizzle-orm'

/** In a raw statement: a timestamptz as ISO 8601 UTC text, the same form the `instant` column type yields. */
export const iso = (column: SQL | unknown) =>
  sql<string>`to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
