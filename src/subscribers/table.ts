import { sql } from 'drizzle-orm'
import { check, index, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'
import { SUBSCRIBER_STATUSES } from './status.ts'

/** A person who may be mailed. `email` keeps the case it was given in and is unique without regard to case. */
export const subscribers = pgTable(
  'subscribers',
  {
    id: identity(),
    email: text().notNull(),
    first_name: text(),
    last_name: text(),
    status: text({ enum: SUBSCRIBER_STATUSES }).notNull().default('active'),
    attributes: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    timezone: text(),
    locale: text(),
    /** Lower-case, each once, in order (tags.ts). */
    tags: text().array().notNull().default(sql`'{}'`),
    /** Until then no campaign mails them: they asked for a pause. */
    paused_until: instant(),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
  },
  (t) => [
    uniqueIndex('subscribers_email').on(sql`lower(${t.email})`),
    // Each filter of the list has an index that ends in the order of its pages.
    index('subscribers_domain').on(sql`lower(split_part(${t.email}, '@', 2))`, t.id),
    index('subscribers_created').on(t.created_at, t.id),
    index('subscribers_inactive').on(t.status, t.id).where(sql`${t.status} <> 'active'`),
    index('subscribers_tags').using('gin', t.tags),
    index('subscribers_attributes').using('gin', sql`${t.attributes} jsonb_path_ops`),
    // Any part of address or name, from three characters on. `searchText` (search.ts) is the same expression.
    index('subscribers_search').using(
      'gin',
      sql`lower(${t.email} || ' ' || coalesce(${t.first_name}, '') || ' ' || coalesce(${t.last_name}, '')) gin_trgm_ops`,
    ),
    check('subscribers_status', sql`${t.status} in ('active', 'unsubscribed', 'bounced', 'complained')`),
    check('subscribers_attributes', sql`jsonb_typeof(${t.attributes}) = 'object'`),
  ],
)

/** Start of `consents.source` for an opt-out by the link or header of a mail. */
export const UNSUBSCRIBE_LINK = 'unsubscribe link'

/** Every consent given or taken back, append-only: the proof. It goes with the subscriber when they are deleted. */
export const consents = pgTable(
  'consents',
  {
    id: identity(),
    subscriber_id: id()
      .notNull()
      .references(() => subscribers.id, { onDelete: 'cascade' }),
    list_id: id(),
    action: text({ enum: ['subscribed', 'resubscribed', 'unsubscribed'] }).notNull(),
    source: text(),
    /** What the person read when they agreed, word for word. */
    wording: text(),
    /** ISO 3166-1 alpha-2, as the edge told. */
    country: text(),
    /** Why they left, in their own words. */
    reason: text(),
    occurred_at: instant().notNull().default(now),
    recorded_at: instant().notNull().default(now),
  },
  (t) => [
    index('consents_subscriber').on(t.subscriber_id, t.occurred_at),
    check('consents_action', sql`${t.action} in ('subscribed', 'resubscribed', 'unsubscribed')`),
  ],
)
