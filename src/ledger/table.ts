// The ledger. Only this folder changes these two tables.
import { sql } from 'drizzle-orm'
import { check, index, integer, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { campaigns } from '../campaigns/table.ts'
import { id, instant, now } from '../db/columns.ts'
import { DELIVERY_STATES } from './status.ts'

/** Up to BATCH_SIZE recipients that are claimed together. The lease is the batch's; the sums are checked by Postgres. */
export const batches = pgTable(
  'batches',
  {
    campaign_id: id()
      .notNull()
      .references(() => campaigns.id),
    n: integer().notNull(),
    size: integer().notNull(),
    open: integer().notNull(),
    sent: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    skipped: integer().notNull().default(0),
    unconfirmed: integer().notNull().default(0),
    lease_token: uuid(),
    lease_until: instant(),
    due_at: instant().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.campaign_id, t.n] }),
    index('batches_due').on(t.due_at).where(sql`${t.open} > 0`),
    index('batches_open').on(t.campaign_id).where(sql`${t.open} > 0`),
    check('batches_sum', sql`${t.open} + ${t.sent} + ${t.failed} + ${t.skipped} + ${t.unconfirmed} = ${t.size}`),
    check(
      'batches_counts',
      sql`${t.open} >= 0 and ${t.sent} >= 0 and ${t.failed} >= 0 and ${t.skipped} >= 0 and ${t.unconfirmed} >= 0`,
    ),
    check('batches_lease', sql`(${t.lease_token} is null) = (${t.lease_until} is null)`),
  ],
)

/**
 * One row per recipient of a frozen audience. No foreign key to subscribers: sums outlive an erased person.
 * No index on state: changes stay heap-only (fillfactor 50, set in the migration, leaves them room).
 */
export const deliveries = pgTable(
  'deliveries',
  {
    campaign_id: id().notNull(),
    subscriber_id: id().notNull(),
    batch: integer().notNull(),
    state: text({ enum: DELIVERY_STATES }).notNull().default('pending'),
    attempts: smallint().notNull().default(0),
    /** Whose group this row was last marked by: the claim's token and the group's number. */
    lease_token: uuid(),
    group_no: integer(),
    next_attempt_at: instant(),
    /** A short code for failed, skipped, unconfirmed and deferred; `answer` is the provider's own text, without the address. */
    reason: text(),
    answer: text(),
    account: text(),
    provider_message_id: text(),
    updated_at: instant().notNull().default(now),
    sent_at: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.campaign_id, t.subscriber_id] }),
    index('deliveries_batch').on(t.campaign_id, t.batch),
    index('deliveries_subscriber').on(t.subscriber_id),
    check(
      'deliveries_state',
      sql`${t.state} in ('pending', 'sending', 'deferred', 'sent', 'failed', 'skipped', 'unconfirmed')`,
    ),
    check(
      'deliveries_reason',
      sql`${t.state} not in ('failed', 'skipped', 'unconfirmed', 'deferred') or ${t.reason} is not null`,
    ),
    check('deliveries_deferred', sql`${t.state} <> 'deferred' or ${t.next_attempt_at} is not null`),
    check('deliveries_sending', sql`${t.state} <> 'sending' or ${t.lease_token} is not null`),
  ],
)
