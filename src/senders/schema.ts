import * as z from 'zod'
import { named, time } from '../http/schema.ts'
import { normaliseEmail } from '../subscribers/email.ts'

const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !/\p{Cc}/u.test(text), 'must not contain line breaks or control characters')

/** Scheme, host and perhaps a port, as a URL parser prints them; neither a path nor a user. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text.toLowerCase()
}

const address = z
  .string()
  .max(1000)
  .transform((text, ctx) => {
    const it = normaliseEmail(text)
    if ('email' in it) return it.email
    ctx.addIssue({ code: 'custom', message: it.problem })
    return z.NEVER
  })
  .openapi({ type: 'string', format: 'email' })

/** A name as GET /accounts lists it. */
export const accountName = line(100).nullable()

const fields = {
  name: line(100).meta({ description: 'For you to tell senders apart; readers do not see it', example: 'Newsletter' }),
  from_name: line(100).meta({ example: 'Ada from Example' }),
  from_email: address.meta({ example: 'ada@news.example.com' }),
  reply_to: address.nullable(),
  postal_address: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .refine((text) => !/(?!\n)\p{Cc}/u.test(text.replaceAll('\r\n', '\n')), 'must not contain control characters')
    // Without any, every mail would seem to show it.
    .refine((text) => /[\p{L}\p{N}]/u.test(text), 'must be an address that mail reaches')
    .meta({ description: 'Shown in every mail, as CAN-SPAM and CASL demand', example: '1 Example Street, 12345 Town' }),
  account: accountName.meta({
    description: 'A sending account of GET /accounts; null takes the first that may send from this address',
  }),
  tracking_url: z
    .url({ protocol: /^https?$/ })
    .max(200)
    .refine(isOrigin, 'must be a scheme and host without a path, such as https://t.example.com')
    .nullable()
    .meta({ description: 'Where the links of its mails point; null takes TRACKING_URL' }),
}

export const newSender = named(
  'NewSender',
  z.strictObject({
    ...fields,
    reply_to: fields.reply_to.default(null),
    account: fields.account.default(null),
    tracking_url: fields.tracking_url.default(null),
  }),
)

export const senderChange = named(
  'SenderChange',
  z
    .strictObject(fields)
    .partial()
    .refine((change) => Object.keys(change).length > 0, 'must change at least one field'),
)

export const sender = named('Sender', z.strictObject({ id: z.int(), ...fields, created_at: time, updated_at: time }))
