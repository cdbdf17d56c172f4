import { sql } from 'drizzle-orm'
import { check, date, index, integer, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { id, instant } from '../db/columns.ts'
import { VERDICTS } from '../tracking/verdict.ts'

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
    /** Null where the campaign counts without saying who. */
    subscriber_id: id(),
    /** The link's number for clicks, else 0. */
    link: integer().notNull().default(0),
    /** Who did it, why that is thought, and by which version of the rules (tracking/rules.ts, events/rules.ts). */
    verdict: text({ enum: VERDICTS }).notNull().default('unsure'),
    reason: text(),
    rules: smallint().notNull().default(0),
    /** What the rules read, so that they can be asked again; neither address nor user agent is ever kept. */
    method: text(),
    /** Number of the network it came from (autonomous system). */
    asn: id(),
    /** Family of the program: `chrome`, `apple_mail`, `google_image_proxy`, `scanner`... */
    agent: text(),
    /** Seconds since the mail was sent; null where that is not known. */
    since_sent: integer(),
    country: text(),
    region: text(),
    /** `phone`, `tablet` or `computer`. */
    device: text(),
    /** Family of the mail client or browser, as reports show it. */
    client: text(),
  },
  (t) => [
    primaryKey({ columns: [t.event_id, t.occurred_at] }),
    index('campaign_events_campaign').on(t.campaign_id, t.kind, t.subscriber_id),
    index('campaign_events_subscriber').on(t.subscriber_id, t.occurred_at),
    // What a network that clicks for many has clicked; few events are so fast.
    index('campaign_events_fast')
      .on(t.campaign_id, t.asn, t.occurred_at)
      .where(sql`kind = 'click' and since_sent <= 60`),
    check('campaign_events_kind', sql`${t.kind} in ('open', 'click', 'unsubscribe')`),
    check('campaign_events_verdict', sql`${t.verdict} in ('human', 'machine', 'unsure')`),
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
    /** Those of the above that are held to be a person's. */
    human_opens: integer().notNull().default(0),
    human_clicks: integer().notNull().default(0),
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
  human_opens: integer().notNull().default(0),
  human_unique_opens: integer().notNull().default(0),
  human_clicks: integer().notNull().default(0),
  human_unique_clicks: integer().notNull().default(0),
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
    human_opens: integer().notNull().default(0),
    human_clicks: integer().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.campaign_id, t.hour, t.link] }), index('campaign_hourly_hour').on(t.hour)],
)

/** The same by country, mail client and device. */
export const campaign_breakdown = pgTable(
  'campaign_breakdown',
  {
    campaign_id: id().notNull(),
    dimension: text({ enum: ['country', 'client', 'device'] }).notNull(),
    /** Empty where it is not known. */
    value: text().notNull(),
    opens: integer().notNull().default(0),
    clicks: integer().notNull().default(0),
    human_opens: integer().notNull().default(0),
    human_clicks: integer().notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.campaign_id, t.dimension, t.value] }),
    check('campaign_breakdown_dimension', sql`${t.dimension} in ('country', 'client', 'device')`),
  ],
)

/** When a subscriber last opened and clicked, as far as a person did: for audiences and segments. */
export const subscriber_activity = pgTable(
  'subscriber_activity',
  {
    subscriber_id: id().primaryKey(),
    last_opened_at: instant(),
    last_clicked_at: instant(),
    /** The later of the two. */
    last_active_at: instant().notNull(),
  },
  (t) => [index('subscriber_activity_last').on(t.last_active_at, t.subscriber_id)],
)

/** What a subscriber did on one day (UTC), kept for 90 days. */
export const subscriber_days = pgTable(
  'subscriber_days',
  {
    subscriber_id: id().notNull(),
    day: date({ mode: 'string' }).notNull(),
    opens: integer().notNull().default(0),
    clicks: integer().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.subscriber_id, t.day] }), index('subscriber_days_day').on(t.day)],
)
