import { sql } from 'drizzle-orm'
import { check, index, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'
import { senders } from '../senders/table.ts'
import { subscribers } from '../subscribers/table.ts'

/** A mailing list: a named group that people subscribe to and leave. */
export const mailing_lists = pgTable(
  'mailing_lists',
  {
    id: identity(),
    name: text().notNull(),
    description: text(),
    /** `double`: whoever signs up by the public form is on the list once they have confirmed by mail. */
    opt_in: text({ enum: ['single', 'double'] })
      .notNull()
      .default('double'),
    /** `public`: its form takes sign-ups, and the preference page offers it. */
    visibility: text({ enum: ['public', 'private'] })
      .notNull()
      .default('private'),
    /** What people agree to when they sign up; kept with each consent. */
    consent_wording: text(),
    /** Who confirmations are from; null leaves it to the settings. */
    sender_id: id().references(() => senders.id, { onDelete: 'set null' }),
    /** Where the form leads after a sign-up; null shows a page of ours. */
    success_url: text(),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
  },
  (t) => [
    uniqueIndex('mailing_lists_name').on(sql`lower(${t.name})`),
    check('mailing_lists_opt_in', sql`${t.opt_in} in ('single', 'double')`),
    check('mailing_lists_visibility', sql`${t.visibility} in ('public', 'private')`),
  ],
)

/** One person's standing on one list, with the latest consent for it. */
export const list_members = pgTable(
  'list_members',
  {
    list_id: id()
      .notNull()
      .references(() => mailing_lists.id, { onDelete: 'cascade' }),
    subscriber_id: id()
      .notNull()
      .references(() => subscribers.id, { onDelete: 'cascade' }),
    status: text({ enum: ['subscribed', 'unsubscribed'] })
      .notNull()
      .default('subscribed'),
    consented_at: instant(),
    consent_source: text(),
    unsubscribed_at: instant(),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
  },
  (t) => [
    primaryKey({ columns: [t.list_id, t.subscriber_id] }),
    index('list_members_subscriber').on(t.subscriber_id),
    check('list_members_status', sql`${t.status} in ('subscribed', 'unsubscribed')`),
    check('list_members_unsubscribed_at', sql`(${t.status} = 'unsubscribed') = (${t.unsubscribed_at} is not null)`),
  ],
)
