import * as z from 'zod'
import { named, pageQuery, rowId, textId, time } from '../http/schema.ts'
import { IMPORT_POLICIES } from '../imports/options.ts'
import { attributesProblem } from './attributes.ts'
import { normaliseDomain, normaliseEmail } from './email.ts'
import { canonicalLocale, isTimezone } from './place.ts'
import { BULK_LIMIT } from './row.ts'
import { SUBSCRIBER_STATUSES } from './status.ts'
import { normaliseTag, TAGS_LIMIT } from './tags.ts'

export const line = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'must be one line, without control characters')

/** What was made of a text, or the reason why it is refused. */
const made = <T>(context: z.core.$RefinementCtx, result: T | null, problem: string): T => {
  if (result !== null) return result
  context.addIssue(problem)
  return z.NEVER
}

export const email = z
  .string()
  .transform((text, context) => {
    const result = normaliseEmail(text)
    return 'email' in result ? result.email : made<string>(context, null, result.problem)
  })
  .openapi({ type: 'string', format: 'email', maxLength: 254, example: 'ada@example.com' })

export const domain = z
  .string()
  .transform((text, context) => {
    const result = normaliseDomain(text.trim().replace(/^@/, ''))
    return 'domain' in result ? result.domain : made<string>(context, null, result.problem)
  })
  .openapi({ type: 'string', maxLength: 253, example: 'example.com' })

/** A moment since 1970, in UTC. */
export const moment = time
  .refine((text) => text >= '1970', 'must not be before 1970')
  .transform((text) => new Date(text).toISOString())
  .openapi({ type: 'string', format: 'date-time' })

/** One line; empty is the same as null. */
const name = line(200)
  .transform((text) => text || null)
  .nullable()
  .openapi({ type: ['string', 'null'], maxLength: 200 })

const attributes = z
  .record(z.string(), z.unknown())
  .check((context) => {
    const found = attributesProblem(context.value)
    if (found) {
      context.issues.push({ code: 'custom', path: found.path, message: found.problem, input: context.value })
    }
  })
  .openapi({
    type: 'object',
    description:
      'At most 100 keys and 16 KB. Merged with what is stored, key by key at the top level; null removes a key. Keys are letters, digits and underscores',
    example: { plan: 'pro', seats: 3 },
  })

const timezone = z
  .string()
  .refine(isTimezone, 'must be a time zone such as Europe/Berlin')
  .nullable()
  .openapi({ type: ['string', 'null'], example: 'Europe/Berlin' })

const locale = z
  .string()
  .transform((text, context) => made(context, canonicalLocale(text), 'must be a language tag such as en or pt-BR'))
  .nullable()
  .openapi({ type: ['string', 'null'], example: 'pt-BR' })

const status = z.enum(SUBSCRIBER_STATUSES).openapi({
  description:
    'Only ever gets worse: without `resubscribe`, nobody who opted out, bounced or complained is made active',
})

export const tag = z
  .string()
  .transform((text, context) => {
    const result = normaliseTag(text)
    return 'tag' in result ? result.tag : made<string>(context, null, result.problem)
  })
  .openapi({ type: 'string', example: 'customer' })

const tagList = (description: string) =>
  z
    .array(tag)
    .max(TAGS_LIMIT)
    .transform((given) => [...new Set(given)])
    .openapi({ type: 'array', items: { type: 'string' }, maxItems: TAGS_LIMIT, description })

const tagChange = {
  add_tags: tagList('Added to the tags there are').optional(),
  remove_tags: tagList('Taken away, after any were added').optional(),
}

export const consent = {
  consented_at: moment.optional(),
  consent_source: line(200)
    .min(1)
    .optional()
    .openapi({ description: 'How: a form, an import, a shop', example: 'footer form' }),
  consent_wording: z
    .string()
    .trim()
    .min(1)
    .max(5_000)
    .regex(/^(?:[\n\t]|\P{Cc})*$/u, 'must not contain control characters')
    .optional()
    .openapi({ description: 'What the person read when they agreed, word for word' }),
  consent_country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a country code such as DE')
    .optional()
    .openapi({ description: 'Where the person was (ISO 3166-1 alpha-2)', example: 'DE' }),
  resubscribe: z.boolean().optional().openapi({
    description:
      'The person agreed again after opting out, bouncing, complaining or being deleted. Needs `consented_at`, newer than that, and `consent_source`',
  }),
}

interface Consent {
  consented_at?: string | undefined
  consent_source?: string | undefined
  resubscribe?: boolean | undefined
  status?: string | undefined
}

/** Adds to a schema with the fields of `consent` that reviving someone takes proof. */
export const withProof = (context: { value: Consent; issues: z.core.$ZodRawIssue[] }) => {
  const { resubscribe, status } = context.value
  if (!resubscribe) return
  const refuse = (field: string, message: string) =>
    context.issues.push({ code: 'custom', path: [field], message, input: context.value })
  if (context.value.consented_at === undefined) refuse('consented_at', 'is required with resubscribe')
  if (context.value.consent_source === undefined) refuse('consent_source', 'is required with resubscribe')
  if (status !== undefined && status !== 'active') refuse('status', 'must be active, or left out, with resubscribe')
}

export const listIds = z
  .array(rowId)
  .max(100)
  .transform((ids) => [...new Set(ids)])
  .openapi({ type: 'array', items: { type: 'integer' }, description: 'Lists to be subscribed to' })

const fields = {
  first_name: name.optional(),
  last_name: name.optional(),
  status: status.optional(),
  attributes: attributes.optional(),
  timezone: timezone.optional(),
  locale: locale.optional(),
  tags: tagList('Replaces the tags there are; lower case, at most 50 characters each').optional(),
  ...tagChange,
}

export const newSubscriber = named(
  'NewSubscriber',
  z.strictObject({ email, ...fields, list_ids: listIds.optional(), ...consent }).check(withProof),
)

export const subscriberChange = named(
  'SubscriberChange',
  z
    .strictObject({ email: email.optional(), ...fields })
    .refine((change) => Object.keys(change).length > 0, 'must change at least one field'),
)

/** Each row is checked by itself (`newSubscriber`), so that one bad row does not refuse the others. */
export const bulkUpsert = named(
  'BulkUpsert',
  z.strictObject({
    subscribers: z
      .array(z.unknown().openapi({ allOf: [{ $ref: '#/components/schemas/NewSubscriber' }] }))
      .min(1)
      .max(BULK_LIMIT),
    policy: z.enum(IMPORT_POLICIES).default('overwrite').openapi({
      description:
        'What may change of people who are there already. `skip`: nothing, lists and tags neither; only an opt-out counts. `fill`: only what is empty; tags, lists and consents are added. `overwrite`: whatever a row names',
    }),
  }),
)

export const tagging = named(
  'Tagging',
  z
    .strictObject({ subscriber_ids: z.array(rowId).min(1).max(BULK_LIMIT), ...tagChange })
    .refine(
      ({ add_tags, remove_tags }) => add_tags !== undefined || remove_tags !== undefined,
      'must name tags to add or to remove',
    ),
)

const standing = z.enum(['subscribed', 'unsubscribed'])

export const membership = named(
  'Membership',
  z.strictObject({
    list_id: z.int(),
    status: standing,
    consented_at: time.nullable(),
    consent_source: z.string().nullable(),
    unsubscribed_at: time.nullable(),
  }),
)

const stored = {
  id: z.int(),
  email: z.string(),
  first_name: z.string().nullable(),
  last_name: z.string().nullable(),
  status: z.enum(SUBSCRIBER_STATUSES),
  attributes: z.record(z.string(), z.unknown()),
  timezone: z.string().nullable(),
  locale: z.string().nullable(),
  tags: z.array(z.string()),
  paused_until: time.nullable().openapi({ description: 'No campaign mails them before: they asked for a pause' }),
  created_at: time,
  updated_at: time,
}

export const subscriber = named('Subscriber', z.strictObject(stored))

export const subscriberWithLists = named(
  'SubscriberWithLists',
  z.strictObject({ ...stored, lists: z.array(membership) }),
)

export const kept = {
  kept: z
    .enum(SUBSCRIBER_STATUSES)
    .nullable()
    .openapi({ description: 'The status that stayed although the call asked for a better one' }),
  kept_lists: z.array(z.int()).openapi({ description: 'Lists the person left and stays off' }),
}

export const writtenSubscriber = named(
  'WrittenSubscriber',
  z.strictObject({ ...stored, lists: z.array(membership), ...kept }),
)

const rowAnswer = named(
  'RowAnswer',
  z.strictObject({
    index: z.int().openapi({ description: 'Which row of the call, from 0' }),
    outcome: z.enum(['created', 'updated', 'unchanged', 'skipped', 'refused']),
    id: z.int().nullable(),
    ...kept,
    code: z.string().nullable().openapi({ description: 'Why it was refused', example: 'deleted_before' }),
    errors: z.array(z.strictObject({ field: z.string(), detail: z.string() })),
  }),
)

export const rowAnswers = named('RowAnswers', z.strictObject({ data: z.array(rowAnswer) }))

export const subscriberQuery = z.strictObject({
  ...pageQuery,
  status: z.enum(SUBSCRIBER_STATUSES).optional(),
  list_id: textId.optional().openapi({ description: 'Subscribed to this list' }),
  email: email.optional().openapi({ description: 'This address, in any case' }),
  domain: domain.optional(),
  tag: tag.optional(),
  search: z.string().trim().min(1).max(200).optional().openapi({
    description:
      'Part of the address or the name, in any case and script; an international domain as it is spoken or in punycode. Of a search as short as `an`, `東京` or `%` a page may be short, or empty, without being the last: go on while there is a `next_cursor`',
    example: 'ada',
  }),
  created_after: moment.optional().openapi({ description: 'Sorts by time of creation' }),
})

export const resubscription = named(
  'Resubscription',
  z.strictObject({
    consented_at: moment,
    consent_source: line(200).min(1),
    consent_wording: consent.consent_wording,
    consent_country: consent.consent_country,
    list_ids: listIds.optional(),
  }),
)
