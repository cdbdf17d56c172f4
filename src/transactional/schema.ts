import * as z from 'zod'
import { named, rowId, time } from '../http/schema.ts'
import { email, line } from '../subscribers/schema.ts'
import { MAIL_STATES } from './status.ts'

/** More belong on a list. */
const MOST = 10

const value = line(200).nullable().optional()

export const testSendRequest = named(
  'TestSendRequest',
  z
    .strictObject({
      recipients: z
        .array(email)
        .min(1)
        .max(MOST)
        .check((context) => {
          const seen = new Set<string>()
          context.value.forEach((address, at) => {
            const key = address.toLowerCase()
            if (seen.has(key)) {
              context.issues.push({ code: 'custom', path: [at], message: 'is named twice', input: address })
            }
            seen.add(key)
          })
        })
        .meta({ description: 'Who gets the test; they need not be subscribers' }),
      subscriber_id: rowId.optional().meta({ description: 'Render it as this subscriber would get it' }),
      data: z
        .strictObject({
          email: email.optional(),
          first_name: value,
          last_name: value,
          attributes: z.record(z.string().max(100), z.unknown()).optional(),
          timezone: value,
          locale: value,
        })
        .optional()
        .meta({ description: 'Or as a subscriber with this data would; what is left out is made up' }),
    })
    .refine((body) => body.subscriber_id === undefined || body.data === undefined, {
      path: ['data'],
      message: 'cannot be combined with subscriber_id',
    }),
)

const mail = named(
  'TestMail',
  z.strictObject({
    id: rowId,
    email: z.string(),
    state: z.enum(MAIL_STATES),
    reason: z.string().nullable().meta({
      description:
        'skipped: `suppressed`, `unsubscribed`, `bounced`, `complained`, `deleted` or `not_in_allowlist`; failed: `no_such_address`, `refused`, `account_refused`, `no_account`, `not_sendable` or `gave_up`; unconfirmed: `no_answer`; queued again: `try_again`',
    }),
    answer: z.string().nullable().meta({ description: "The provider's own words" }),
    attempts: z.int(),
    account: z.string().nullable(),
    provider_message_id: z.string().nullable(),
    sent_at: time.nullable(),
  }),
)

export const testSend = named(
  'TestSend',
  z.strictObject({
    id: rowId,
    campaign_id: rowId,
    warnings: z
      .array(z.strictObject({ field: z.string(), detail: z.string() }))
      .meta({ description: 'What would keep the campaign from starting; a test goes out all the same' }),
    mails: z.array(mail).meta({ description: 'One for each recipient, in the order they were named' }),
    created_at: time,
  }),
)
