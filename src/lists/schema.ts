import * as z from 'zod'
import { named, pageQuery, rowId, textId, time } from '../http/schema.ts'
import { BULK_LIMIT } from '../subscribers/row.ts'
import { consent, kept, line, membership, subscriber, withProof } from '../subscribers/schema.ts'

const name = line(200).min(1).openapi({ example: 'Newsletter' })
const description = line(1_000)
  .transform((text) => text || null)
  .nullable()
  .openapi({ type: ['string', 'null'], maxLength: 1_000 })

const opt_in = z.enum(['single', 'double']).openapi({
  description:
    '`double`: whoever signs up by the form is on the list once they have confirmed by mail. `single`: at once, unless they left, bounced, complained or were deleted before; those must confirm',
})
const visibility = z.enum(['public', 'private']).openapi({
  description: '`public`: its form takes sign-ups, and the preference page offers it, with name and description',
})
/** Paragraphs of plain text; empty is the same as null. */
const consent_wording = z
  .string()
  .trim()
  .max(2_000)
  .transform((text) => text.replace(/\r\n?/g, '\n') || null)
  .refine((text) => !/[^\P{Cc}\n]/u.test(text ?? ''), 'must not contain control characters')
  .nullable()
  .openapi({
    type: ['string', 'null'],
    maxLength: 2_000,
    description: 'What people agree to when they sign up; kept with each consent. A public list must have one',
    example: 'Yes, send me the newsletter about once a month. I can leave at any time.',
  })
const sender_id = rowId.nullable().openapi({
  description:
    'Who confirmations are from; null leaves it to the settings. A public list with `double` must have either',
})
const success_url = z
  .string()
  .max(2_000)
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : null
    if (url?.protocol === 'https:' && url.username === '' && url.password === '') return url.href
    context.addIssue('must be an address that begins with https://')
    return z.NEVER
  })
  .nullable()
  .openapi({
    type: ['string', 'null'],
    format: 'uri',
    maxLength: 2_000,
    description: 'Where the form leads after a sign-up; null shows a page of ours',
    example: 'https://acme.example/thanks',
  })

export const newList = named(
  'NewMailingList',
  z.strictObject({
    name,
    description: description.default(null),
    opt_in: opt_in.default('double'),
    visibility: visibility.default('private'),
    consent_wording: consent_wording.default(null),
    sender_id: sender_id.default(null),
    success_url: success_url.default(null),
  }),
)

export const listChange = named(
  'MailingListChange',
  z
    .strictObject({ name, description, opt_in, visibility, consent_wording, sender_id, success_url })
    .partial()
    .refine((change) => Object.keys(change).length > 0, 'must change at least one field'),
)

const stored = {
  id: z.int(),
  name: z.string(),
  description: z.string().nullable(),
  opt_in,
  visibility,
  consent_wording: z.string().nullable(),
  sender_id: z.int().nullable(),
  success_url: z.string().nullable(),
  created_at: time,
  updated_at: time,
}

export const mailingList = named('MailingList', z.strictObject(stored))

export const countedList = named(
  'CountedMailingList',
  z.strictObject({
    ...stored,
    subscribed: z.int().openapi({ description: 'Members who are subscribed, whatever their own status' }),
    unsubscribed: z.int().openapi({ description: 'Members who left' }),
  }),
)

export const listQuery = z.strictObject({
  ...pageQuery,
  name: z.string().max(200).optional().openapi({ description: 'This name, in any case' }),
})

export const memberParams = z.strictObject({ id: textId, subscriber_id: textId })

export const memberConsent = named('MemberConsent', z.strictObject(consent).check(withProof))

export const memberIds = named(
  'MemberIds',
  z.strictObject({ subscriber_ids: z.array(rowId).min(1).max(BULK_LIMIT), ...consent }).check(withProof),
)

export const writtenMember = named('WrittenMember', z.strictObject({ ...membership.shape, ...kept }))

export const memberQuery = z.strictObject({
  ...pageQuery,
  status: z.enum(['subscribed', 'unsubscribed']).optional(),
})

export const member = named('Member', z.strictObject({ ...membership.shape, subscriber }))
