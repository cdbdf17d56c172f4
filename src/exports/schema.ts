import * as z from 'zod'
import { named, pageQuery, textId, time } from '../http/schema.ts'
import { moment, tag } from '../subscribers/schema.ts'
import { SUBSCRIBER_STATUSES } from '../subscribers/status.ts'
import { FILE_FORMATS } from './file.ts'
import { STANDINGS } from './subscribers-page.ts'

export const formulaSafe = z.enum(['true', 'false']).default('true').openapi({
  description:
    'CSV: puts an apostrophe before values that a spreadsheet would run as a formula. Imports take it away again',
})

/** Query fields of every file. */
export const fileQuery = { format: z.enum(FILE_FORMATS).default('csv'), formula_safe: formulaSafe }

/** The answer of every file. */
export const fileAnswer = {
  200: {
    description: 'CSV with a header line, or one JSON object a line',
    content: { 'text/csv': { schema: z.string() }, 'application/x-ndjson': { schema: z.string() } },
  },
}

export const subscribersExportQuery = z
  .strictObject({
    ...fileQuery,
    status: z.enum(SUBSCRIBER_STATUSES).optional(),
    list_id: textId.optional().openapi({ description: 'Of this list; the columns then hold its own consent' }),
    standing: z
      .enum(STANDINGS)
      .optional()
      .openapi({ description: 'With `list_id`: who is subscribed (default), who has left, or both' }),
    tag: tag.optional(),
    segment_id: textId.optional().openapi({ description: 'Who is in this segment now' }),
    created_after: moment.optional(),
  })
  .refine(({ standing, list_id }) => standing === undefined || list_id !== undefined, {
    path: ['standing'],
    message: 'needs list_id',
  })

export const consent = named(
  'Consent',
  z.strictObject({
    id: z.int(),
    action: z.enum(['subscribed', 'resubscribed', 'unsubscribed']),
    list_id: z.int().nullable().openapi({ description: 'null for all mail' }),
    list_name: z.string().nullable().openapi({ description: 'As it is called now; null once it was deleted' }),
    source: z.string().nullable().openapi({ description: 'Where: a form, a page, an import, a mail' }),
    wording: z.string().nullable().openapi({ description: 'What the person had read, word for word' }),
    country: z.string().nullable(),
    reason: z.string().nullable().openapi({ description: 'Why they left, in their own words' }),
    occurred_at: time,
    recorded_at: time,
  }),
)

export const consentQuery = z.strictObject(pageQuery)

const facts = z.array(z.record(z.string(), z.unknown()))

export const personalData = named(
  'PersonalData',
  z.strictObject({
    exported_at: time,
    profile: z.looseObject({ id: z.int(), email: z.string() }),
    former_addresses: z
      .array(z.string())
      .openapi({ description: 'Addresses that were or are theirs too, kept because nothing may be sent there' }),
    lists: facts,
    consents: facts,
    mails: facts.openapi({ description: 'Mails of campaigns, with what became of each' }),
    events: facts.openapi({ description: 'Opens, clicks and opt-outs by link, the newest first, at most 10,000' }),
    events_left_out: z.int().openapi({ description: 'Events beyond those' }),
    activity: z.record(z.string(), z.unknown()).nullable(),
    feedback: facts.openapi({ description: 'What mail services told of their mails in the last 30 days' }),
    sign_ups: facts,
    single_mails: facts.openapi({
      description: 'Confirmations, tests and mails about their data, of the last 30 days',
    }),
    suppressions: facts,
    data_requests: z.array(time),
  }),
)
