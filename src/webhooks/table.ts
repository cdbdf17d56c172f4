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
    /** Since when every try has failed; null after one that went well. */
    failing_since: instant(),
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
    /** Whom it is about: their address is read when it is sent, and never kept here. */
    subscriber_id: id(),
    payload: jsonb().$type<Record<string, unknown>>().notNull(),
    status: text({ enum: ['pending', 'delivered', 'failed'] })
      .notNull()
      .default('pending'),
    /** Tries that were begun; a pointer names how many there were, so that a repeated one finds nothing. */
    attempts: integer().notNull().default(0),
    /** Not to be put on the queue before; while it is there, when its pointer is given up as lost. */
    due_at: instant().notNull().default(now),
    in_flight: boolean().notNull().default(false),
    delivered_at: instant(),
    created_at: instant().notNull().default(now),
  },
  (t) => [
    index('webhook_messages_pending').on(t.endpoint_id, t.due_at).where(sql`${t.status} = 'pending'`),
    index('webhook_messages_in_flight').on(t.endpoint_id, t.due_at).where(sql`${t.in_flight}`),
    // The log: all of it, one type, and what did not arrive, each in the order of its pages.
    index('webhook_messages_endpoint').on(t.endpoint_id, t.id),
    index('webhook_messages_type').on(t.endpoint_id, t.type, t.id),
    index('webhook_messages_open').on(t.endpoint_id, t.status, t.id).where(sql`${t.status} <> 'delivered'`),
    index('webhook_messages_subscriber').on(t.subscriber_id).where(sql`${t.subscriber_id} is not null`),
    check('webhook_messages_status', sql`${t.status} in ('pending', 'delivered', 'failed')`),
    check('webhook_messages_delivered', sql`(${t.status} = 'delivered') = (${t.delivered_at} is not null)`),
    check('webhook_messages_in_flight', sql`not ${t.in_flight} or ${t.status} = 'pending'`),
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
