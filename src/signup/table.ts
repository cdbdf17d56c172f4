import { sql } from 'drizzle-orm'
import { check, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'

/**
 * Somebody who filled in a form. Nothing of it touches subscribers before it is settled: an address that nobody confirmed
 * is no subscriber. It goes once it is confirmed or has expired.
 */
export const signups = pgTable(
  'signups',
  {
    id: identity(),
    email: text().notNull(),
    first_name: text(),
    last_name: text(),
    attributes: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    locale: text(),
    list_ids: id().array().notNull(),
    /** What they read and agreed to, word for word. */
    wording: text().notNull(),
    /** The page the form stands on. */
    source: text().notNull(),
    country: text(),
    /** received -> subscribed (single opt-in) | mailed -> confirmed; or refused, which nobody outside is told. */
    status: text({ enum: ['received', 'mailed', 'subscribed', 'confirmed', 'refused'] })
      .notNull()
      .default('received'),
    reason: text(),
    /** Confirmation mails sent for it. */
    mails: integer().notNull().default(0),
    mailed_at: instant(),
    /** The moment of their confirmation: whatever is repeated of it writes that same moment. */
    confirmed_at: instant(),
    created_at: instant().notNull().default(now),
    expires_at: instant().notNull(),
  },
  (t) => [
    index('signups_email').on(sql`lower(${t.email})`, t.created_at),
    index('signups_received').on(t.created_at).where(sql`${t.status} = 'received'`),
    index('signups_expires').on(t.expires_at),
    check('signups_status', sql`${t.status} in ('received', 'mailed', 'subscribed', 'confirmed', 'refused')`),
    check('signups_lists', sql`cardinality(${t.list_ids}) > 0`),
  ],
)
