import { type SQL, sql } from 'drizzle-orm'

/** In a raw statement: a timestamptz as ISO 8601 UTC text, the same form the `instant` column type yields. */
export const iso = (column: SQL | unknown) =>
  sql<string>`to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** The same to the microsecond, as a sort key: what was written in one call shares a millisecond more often than that. */
export const toTheMicrosecond = (column: SQL | unknown) =>
  sql<string>`to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
