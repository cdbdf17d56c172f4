import * as z from 'zod'
import { named, pageQuery, textId, time } from '../http/schema.ts'
import { line } from '../subscribers/schema.ts'
import { EVENT_TYPES, TEST_EVENT } from './events.ts'
import { MESSAGE_STATUSES } from './messages.ts'

const url = z.string().max(2000).openapi({
  example: 'https://example.com/hooks/mail',
  description: 'https, a host on the internet, port 443 or one from 1024 on',
})

const description = line(500)
  .transform((text) => text || null)
  .nullable()
  .openapi({ type: ['string', 'null'], maxLength: 500 })

const events = z
  .array(z.enum(EVENT_TYPES))
  .max(EVENT_TYPES.length)
  .transform((types) => [...new Set(types)])
  .openapi({
    description: 'What it wants to hear of; empty for everything but the events of single deliveries (`delivery.*`)',
  })

export const newEndpoint = named(
  'NewWebhook',
  z.strictObject({
    url,
    description: description.default(null),
    events: events.default([]),
    enabled: z.boolean().default(true),
  }),
)

export const endpointChange = named(
  'WebhookChange',
  z
    .strictObject({ url, description, events, enabled: z.boolean() })
    .partial()
    .refine((change) => Object.keys(change).length > 0, 'must change at least one field'),
)

const stored = {
  id: z.int(),
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.string()),
  enabled: z.boolean().meta({ description: 'false: nothing is written down for it, and what waits stays' }),
  disabled_reason: z.string().nullable(),
  failing_since: time.nullable().meta({ description: 'Since when every try has failed' }),
  created_at: time,
  updated_at: time,
}

export const endpoint = named('Webhook', z.strictObject(stored))

const secret = z.string().meta({ description: 'What signs its messages; shown only now', example: 'whsec_...' })

export const createdEndpoint = named('CreatedWebhook', z.strictObject({ ...stored, secret }))

export const rotatedSecret = named('RotatedWebhookSecret', z.strictObject({ secret }))

const answered = {
  response_status: z.int().nullable().meta({ description: 'null when there was no answer' }),
  response: z.string().nullable().meta({ description: 'The beginning of the answer, or why there was none' }),
  duration_ms: z.int(),
}

export const testResult = named(
  'WebhookTest',
  z.strictObject({ message_id: z.int(), delivered: z.boolean(), ...answered }),
)

export const messageQuery = z.strictObject({
  ...pageQuery,
  status: z.enum(MESSAGE_STATUSES).optional(),
  type: z.enum([...EVENT_TYPES, TEST_EVENT]).optional(),
})

export const messageParams = z.strictObject({ id: textId, message_id: textId })

const listed = {
  id: z.int(),
  webhook_id: z.string().meta({ description: 'The header `webhook-id`, the same for every try' }),
  type: z.string(),
  status: z.enum(MESSAGE_STATUSES),
  attempts: z.int().meta({ description: 'Tries since it was written, or last replayed' }),
  data: z.record(z.string(), z.unknown()).meta({ description: 'As it is sent, but for the address' }),
  next_attempt_at: time.nullable(),
  delivered_at: time.nullable(),
  created_at: time,
}

export const message = named('WebhookMessage', z.strictObject(listed))

export const messageWithTries = named(
  'WebhookMessageWithTries',
  z.strictObject({ ...listed, tries: z.array(z.strictObject({ at: time, ...answered })) }),
)

export const replayRequest = named(
  'WebhookReplay',
  z.strictObject({ since: time.meta({ description: 'Messages of what happened since then' }) }),
)

export const replayed = named(
  'WebhookReplayed',
  z.strictObject({
    replayed: z.int(),
    complete: z.boolean().meta({ description: 'false when there are more: call again' }),
  }),
)
