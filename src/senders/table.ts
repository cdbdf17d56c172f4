import { sql } from 'drizzle-orm'
import { pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { identity, instant, now } from '../db/columns.ts'

/** Who a campaign is from. Every mail must show `postal_address` (CAN-SPAM 15 USC 7704(a)(5), CASL). */
export const senders = pgTable(
  'senders',
  {
    id: identity(),
    name: text().notNull(),
    from_name: text().notNull(),
    from_email: text().notNull(),
    reply_to: text(),
    postal_address: text().notNull(),
    account: text(),
    tracking_url: text(),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
  },
  (t) => [uniqueIndex('senders_name').on(sql`lower(${t.name})`)],
)
