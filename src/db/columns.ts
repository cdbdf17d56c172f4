// Column types shared by every table: one spelling, one wire form.
import { sql } from 'drizzle-orm'
import { bigint, customType } from 'drizzle-orm/pg-core'

/** A moment: `timestamptz` in SQL, ISO 8601 in UTC with milliseconds in JavaScript and on the wire. */
export const instant = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamptz',
  fromDriver: (value) => new Date(value).toISOString(),
  toDriver: (value) => value,
})

/** A row's own id: a number counted up by Postgres, small enough to be a JavaScript number. */
export const identity = () => bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity()

/** Another row's id. */
export const id = () => bigint({ mode: 'number' })

/** `created_at` and `updated_at` start at now; whoever changes a row sets `updated_at` in the same statement. */
export const now = sql`now()`
