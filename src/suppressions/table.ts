import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'

/**
 * Who must never be mailed. `value` is a lower-case address, a lower-case domain, or the keyed hash that a deleted
 * subscriber leaves behind, so that importing an old file again does not mail them.
 */
export const suppressions = pgTable(
  'suppressions',
  {
    id: identity(),
    kind: text({ enum: ['address', 'domain', 'hash'] }).notNull(),
    value: text().notNull(),
    reason: text({ enum: ['manual', 'unsubscribe', 'bounce', 'complaint', 'deleted'] })
      .notNull()
      .default('manual'),
    source: text(),
    /** Whose former or other address it is: it becomes a hash when they are deleted. */
    subscriber_id: id(),
    created_at: instant().notNull().default(now),
  },
  (t) => [
    uniqueIndex('suppressions_value').on(t.kind, t.value),
    index('suppressions_subscriber').on(t.subscriber_id).where(sql`${t.subscriber_id} is not null`),
    check('suppressions_kind', sql`${t.kind} in ('address', 'domain', 'hash')`),
    check('suppressions_reason', sql`${t.reason} in ('manual', 'unsubscribe', 'bounce', 'complaint', 'deleted')`),
    check('suppressions_lower', sql`${t.kind} = 'hash' or ${t.value} = lower(${t.value})`),
  ],
)
