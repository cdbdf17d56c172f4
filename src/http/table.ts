import { sql } from 'drizzle-orm'
import { index, jsonb, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { id, instant, now } from '../db/columns.ts'

/** Answers of unsafe calls that carried an Idempotency-Key, kept for a day. `status` is null while the first call runs. */
export const idempotency_keys = pgTable(
  'idempotency_keys',
  {
    api_key_id: id().notNull(),
    key: text().notNull(),
    request_hash: text().notNull(),
    status: smallint(),
    body: jsonb(),
    created_at: instant().notNull().default(now),
  },
  (t) => [
    primaryKey({ columns: [t.api_key_id, t.key] }),
    index('idempotency_keys_created').on(t.created_at),
    // Answers that hold a subscriber: they go when the subscriber does.
    index('idempotency_keys_person').on(sql`(${t.body} ->> 'id')`).where(sql`${t.body} ? 'email'`),
  ],
)
