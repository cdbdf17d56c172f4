import { type SQL, sql } from 'drizzle-orm'

/** A day, or a moment in UTC to the microsecond; whether it exists is Postgres' to say (2026-02-30 does not). */
const DATE = sql.raw(`'^[0-9]{4}-[0-9]{2}-[0-9]{2}(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?Z)?$'`)

/**
 * Whether a value is not of an attribute's type (type.ts says what each holds).
 *
 * @param type - SQL text, one of ATTRIBUTE_TYPES
 * @param value - jsonb, not SQL null
 */
export const mismatches = (type: SQL, value: SQL) => sql`
  case ${type}
    when 'date' then not (jsonb_typeof(${value}) = 'string'
      and ${value} #>> '{}' ~ ${DATE} and pg_input_is_valid(${value} #>> '{}', 'timestamptz'))
    when 'list' then jsonb_typeof(${value}) <> 'array'
      or jsonb_path_exists(${value}, 'strict $[*] ? (@.type() != "string")')
    else jsonb_typeof(${value}) <> ${type}
  end`
