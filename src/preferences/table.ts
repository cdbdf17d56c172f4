import { pgTable, timestamp } from 'drizzle-orm/pg-core'
import { id } from '../db/columns.ts'
import { subscribers } from '../subscribers/table.ts'

/** When somebody last asked for their data, or to be erased: each time costs a mail to them. */
export const data_requests = pgTable('data_requests', {
  subscriber_id: id()
    .primaryKey()
    .references(() => subscribers.id, { onDelete: 'cascade' }),
  /** Those of the last day; it is only read in SQL. */
  asked_at: timestamp({ withTimezone: true, mode: 'string' }).array().notNull(),
})
