import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { id, identity, instant, now } from '../db/columns.ts'

/** Where somebody wants to hear of what happens here (Standard Webhooks). */
export const webhook_endpoints = pgTable(
  'webhook_endpoints',
  {
    id: identity(),
    url: text().notNull(),
    description: text(),
    /** Event types; empty for all but those of single deliveries. */
    events: text().array().notNull(),
    /** `whsec_...`: the newest signs, the one before it signs too until `previous_until`. */
    secret: text().notNull(),
    previous_secret: text(),
    previous_until: instant(),
    enabled: boolean().notNull().default(true),
    disabled_reason: text(),
    created_at: instant().notNull().default(now),
    updated_at: instant().notNull().default(now),
  },
  (t) => [
    check('webhook_endpoints_disabled', sql`${t.enabled} or ${t.disabled_reason} is not null`),
    check('webhook_endpoints_previous', sql`(${t.previous_secret} is null) = (${t.previous_until} is null)`),
  ],
)

/** What happened, written in the same transaction as the change itself, once for each endpoint that wants it. */
export const webhook_messages = pgTable(
  'webhook_messages',
  {
    id: identity(),
    endpoint_id: id()
      .notNull()
      .references(() => webhook_endpoints.id, { onDelete: 'cascade' }),
    type: text().notNull(),
    payload: jsonb().$type<Record<string, unknown>>().notNull(),
    status: text({ enum: ['pending', 'delivered', 'failed'] })
      .notNull()
      .default('pending'),
    attempts: integer().notNull().default(0),
    due_at: instant().notNull().default(now),
    delivered_at: instant(),
    created_at: instant().notNull().default(now),
  },
  (t) => [
    index('webhook_messages_due').on(t.due_at).where(sql`${t.status} = 'pending'`),
    index('webhook_messages_endpoint').on(t.endpoint_id, t.id),
    index('webhook_messages_created').on(t.created_at),
    check('webhook_messages_status', sql`${t.status} in ('pending', 'delivered', 'failed')`),
    check('webhook_messages_delivered', sql`(${t.status} = 'delivered') = (${t.delivered_at} is not null)`),
  ],
)

/** Each try of each message: the delivery log. */
export const webhook_attempts = pgTable(
  'webhook_attempts',
  {
    id: identity(),
    message_id: id()
      .notNull()
      .references(() => webhook_messages.id, { onDelete: 'cascade' }),
    at: instant().notNull().default(now),
    /** Null when there was no answer. */
    response_status: integer(),
    /** The beginning of the answer, or why there was none. */
    response: text(),
    duration_ms: integer().notNull(),
  },
  (t) => [index('webhook_attempts_message').on(t.message_id, t.id)],
)
