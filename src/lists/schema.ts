import * as z from 'zod'
import { named, pageQuery, rowId, textId, time } from '../http/schema.ts'
import { BULK_LIMIT } from '../subscribers/row.ts'
import { consent, kept, line, membership, subscriber, withProof } from '../subscribers/schema.ts'

const name = line(200).min(1).openapi({ example: 'Newsletter' })
const description = line(1_000)
  .transform((text) => text || null)
  .nullable()
  .openapi({ type: ['string', 'null'], maxLength: 1_000 })

export const newList = named('NewMailingList', z.strictObject({ name, description: description.default(null) }))

export const listChange = named(
  'MailingListChange',
  z
    .strictObject({ name: name.optional(), description: description.optional() })
    .refine((change) => Object.keys(change).length > 0, 'must change at least one field'),
)

const stored = {
  id: z.int(),
  name: z.string(),
  description: z.string().nullable(),
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
