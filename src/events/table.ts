import { sql } from 'drizzle-orm'
import { check, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { id, instant } from '../db/columns.ts'

/**
 * What readers did. Partitioned by month of `occurred_at` (the migration says so; drizzle cannot), which is therefore
 * part of the key: it is fixed inside the event, so a repeated event still meets its first self.
 */
export const campaign_events = pgTable(
  'campaign_events',
  {
    event_id: text().notNull(),
    occurred_at: instant().notNull(),
    kind: text({ enum: ['open', 'click', 'unsubscribe'] }).notNull(),
    campaign_id: id().notNull(),
    subscriber_id: id().notNull(),
    /** The link's number for clicks, else 0. */
    link: integer().notNull().default(0),
    country: text(),
  },
  (t) => [
    primaryKey({ columns: [t.event_id, t.occurred_at] }),
    index('campaign_events_campaign').on(t.campaign_id, t.kind, t.subscriber_id),
    index('campaign_events_subscriber').on(t.subscriber_id, t.occurred_at),
    check('campaign_events_kind', sql`${t.kind} in ('open', 'click', 'unsubscribe')`),
  ],
)

/** What one recipient did with one campaign; kept apart from the ledger so that tracking never waits for sending. */
export const recipient_stats = pgTable(
  'recipient_stats',
  {
    campaign_id: id().notNull(),
    subscriber_id: id().notNull(),
    opens: integer().notNull().default(0),
    clicks: integer().notNull().default(0),
    unsubscribes: integer().notNull().default(0),
    first_opened_at: instant(),
    first_clicked_at: instant(),
    unsubscribed_at: instant(),
  },
  (t) => [primaryKey({ columns: [t.campaign_id, t.subscriber_id] })],
)

/**
 * Totals and unique counts of one campaign: what readers did is moved only by the flush statement, what became of its mails
 * (recipients, each counted once for each) only by the statement that records feedback.
 */
export const campaign_stats = pgTable('campaign_stats', {
  campaign_id: id().primaryKey(),
  opens: integer().notNull().default(0),
  unique_opens: integer().notNull().default(0),
  clicks: integer().notNull().default(0),
  unique_clicks: integer().notNull().default(0),
  unsubscribes: integer().notNull().default(0),
  unique_unsubscribes: integer().notNull().default(0),
  delivered: integer().notNull().default(0),
  soft_bounces: integer().notNull().default(0),
  hard_bounces: integer().notNull().default(0),
  blocks: integer().notNull().default(0),
  complaints: integer().notNull().default(0),
})

/** The same by hour and link (link 0 for opens and unsubscribes): the series, and the totals per link. */
export const campaign_hourly = pgTable(
  'campaign_hourly',
  {
    campaign_id: id().notNull(),
    hour: instant().notNull(),
    link: integer().notNull().default(0),
    opens: integer().notNull().default(0),
    clicks: integer().notNull().default(0),
    unsubscribes: integer().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.campaign_id, t.hour, t.link] })],
)
