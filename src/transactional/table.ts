import { sql } from 'drizzle-orm'
import { check, index, jsonb, pgTable, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'
import type { Mail } from '../providers/provider.ts'
import { MAIL_STATES, PURPOSES } from './status.ts'

/** A whole mail but for whom it goes to and when. */
export interface MailContent extends Omit<Mail, 'to' | 'date' | 'message_id'> {
  /** The sending account; null takes the first. */
  account: string | null
}

/** What somebody asked to be sent outside of a campaign's run, to one address or a few. */
export const transactional_sends = pgTable(
  'transactional_sends',
  {
    id: identity(),
    purpose: text({ enum: PURPOSES }).notNull(),
    /** Whose content a test is. */
    campaign_id: id(),
    /** It may hold a person's data: it goes as soon as no mail needs it any more. */
    content: jsonb().$type<MailContent>(),
    warnings: jsonb().$type<{ field: string; detail: string }[]>().notNull().default([]),
    created_at: instant().notNull().default(now),
  },
  (t) => [
    index('transactional_sends_created').on(t.created_at),
    check('transactional_purpose', sql`${t.purpose} in ('test', 'confirmation', 'data')`),
    check('transactional_campaign', sql`(${t.purpose} = 'test') = (${t.campaign_id} is not null)`),
  ],
)

/** One mail: what becomes of it is written here before and after it leaves, so a repeated message sends nothing twice. */
export const transactional_mails = pgTable(
  'transactional_mails',
  {
    id: identity(),
    send_id: id()
      .notNull()
      .references(() => transactional_sends.id, { onDelete: 'cascade' }),
    email: text().notNull(),
    state: text({ enum: MAIL_STATES }).notNull(),
    attempts: smallint().notNull().default(0),
    /** Queued: not to be sent before. Sending: its sender is given up after. */
    due_at: instant().notNull().default(now),
    lease_token: uuid(),
    reason: text(),
    answer: text(),
    account: text(),
    provider_message_id: text(),
    updated_at: instant().notNull().default(now),
    sent_at: instant(),
  },
  (t) => [
    index('transactional_mails_send').on(t.send_id),
    index('transactional_mails_email').on(sql`lower(${t.email})`),
    index('transactional_mails_due').on(t.due_at).where(sql`${t.state} in ('queued', 'sending')`),
    check(
      'transactional_mails_state',
      sql`${t.state} in ('queued', 'sending', 'sent', 'failed', 'skipped', 'unconfirmed')`,
    ),
    check(
      'transactional_mails_reason',
      sql`${t.state} not in ('failed', 'skipped', 'unconfirmed') or ${t.reason} is not null`,
    ),
    check('transactional_mails_sending', sql`${t.state} <> 'sending' or ${t.lease_token} is not null`),
  ],
)
