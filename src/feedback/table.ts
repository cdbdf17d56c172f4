import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { id, instant, now } from '../db/columns.ts'
import { FEEDBACK_KINDS, FEEDBACK_SOURCES } from './event.ts'

/** News as it came in, each piece once. Kept for 30 days; what it meant stays in `recipient_feedback` and the counters. */
export const feedback_events = pgTable(
  'feedback_events',
  {
    event_id: text().primaryKey(),
    source: text({ enum: FEEDBACK_SOURCES }).notNull(),
    kind: text({ enum: FEEDBACK_KINDS }).notNull(),
    campaign_id: id().notNull(),
    subscriber_id: id().notNull(),
    /** False where our ids name no mail of ours: it is kept to be looked at, and nothing follows from it. */
    matched: boolean().notNull(),
    /** The address that the source names; null where it names none that can be trusted. */
    recipient: text(),
    diagnostic: text(),
    raw: text(),
    occurred_at: instant().notNull(),
    received_at: instant().notNull().default(now),
  },
  (t) => [
    index('feedback_events_received').on(t.received_at),
    index('feedback_events_recipient').on(t.subscriber_id, t.occurred_at),
    // Of these only the address says whose they are.
    index('feedback_events_unmatched').on(t.recipient).where(sql`not ${t.matched} and ${t.recipient} is not null`),
    check(
      'feedback_events_kind',
      sql`${t.kind} in ('delivered', 'deferred', 'soft_bounce', 'hard_bounce', 'blocked', 'complaint')`,
    ),
    check('feedback_events_source', sql`${t.source} in ('ses', 'sendgrid', 'answer', 'mail')`),
  ],
)

/**
 * What became of one recipient's mail of one campaign after it was handed over: how often each was told, and when it first
 * happened. The counts make the first of a kind known to the statement that adds to them.
 */
export const recipient_feedback = pgTable(
  'recipient_feedback',
  {
    campaign_id: id().notNull(),
    subscriber_id: id().notNull(),
    delivered: integer().notNull().default(0),
    soft_bounces: integer().notNull().default(0),
    hard_bounces: integer().notNull().default(0),
    blocks: integer().notNull().default(0),
    complaints: integer().notNull().default(0),
    /** The first news that proves that the mail had left: any but a refusal at the time of sending. */
    accepted_at: instant(),
    delivered_at: instant(),
    soft_bounced_at: instant(),
    hard_bounced_at: instant(),
    blocked_at: instant(),
    complained_at: instant(),
    /** Of the latest bounce or block that came with one, and when that was. */
    diagnostic: text(),
    diagnosed_at: instant(),
  },
  (t) => [
    primaryKey({ columns: [t.campaign_id, t.subscriber_id] }),
    index('recipient_feedback_subscriber').on(t.subscriber_id),
  ],
)
