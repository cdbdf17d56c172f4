import * as z from 'zod'
import { fileQuery } from '../exports/schema.ts'
import { named, pageQuery, time } from '../http/schema.ts'
import { domain, email, line, moment } from '../subscribers/schema.ts'

/** Suppressions in one call. */
const BULK_LIMIT = 1_000

const REASONS = ['manual', 'unsubscribe', 'bounce', 'complaint'] as const
const HASH_REASONS = [...REASONS, 'deleted'] as const

const reason = z.enum(REASONS).default('manual')
const source = line(200)
  .transform((text) => text || null)
  .nullable()
  .default(null)
  .openapi({ type: ['string', 'null'], description: 'Where it comes from', example: 'list of 2024' })
const created_at = moment
  .optional()
  .openapi({ description: 'Since when, for suppressions that come from elsewhere; now, if it is left out' })

const hash = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
  .openapi({
    type: 'string',
    pattern: '^[0-9a-fA-F]{64}$',
    description: 'HMAC-SHA256 of the lower-case address with the HASH_KEY of this installation, as an export has it',
  })

export const newSuppression = named(
  'NewSuppression',
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('address'), value: email, reason, source, created_at }),
    z.strictObject({
      kind: z.literal('domain'),
      value: domain.openapi({ description: 'Exactly this domain; subdomains are others' }),
      reason,
      source,
      created_at,
    }),
    z.strictObject({
      kind: z.literal('hash'),
      value: hash,
      reason: z.enum(HASH_REASONS).default('deleted'),
      source,
      created_at,
    }),
  ]),
)

/** Each row is checked by itself (`newSuppression`), so that one bad row does not refuse the others. */
export const bulkSuppressions = named(
  'BulkSuppressions',
  z.strictObject({
    suppressions: z
      .array(z.unknown().openapi({ allOf: [{ $ref: '#/components/schemas/NewSuppression' }] }))
      .min(1)
      .max(BULK_LIMIT),
  }),
)

export const suppression = named(
  'Suppression',
  z.strictObject({
    id: z.int(),
    kind: z.enum(['address', 'domain', 'hash']),
    value: z.string().openapi({ description: 'Of a hash only the beginning; the export has all of it' }),
    reason: z.enum(HASH_REASONS),
    source: z.string().nullable(),
    created_at: time,
  }),
)

export const suppressionAnswers = named(
  'SuppressionAnswers',
  z.strictObject({
    data: z.array(
      z.strictObject({
        index: z.int().openapi({ description: 'Which row of the call, from 0' }),
        outcome: z.enum(['created', 'unchanged', 'refused']),
        id: z.int().nullable(),
        errors: z.array(z.strictObject({ field: z.string(), detail: z.string() })),
      }),
    ),
  }),
)

const filters = {
  kind: z.enum(['address', 'domain', 'hash']).optional(),
  reason: z.enum(HASH_REASONS).optional(),
}

export const suppressionQuery = z.strictObject({
  ...pageQuery,
  ...filters,
  value: z.string().max(254).optional().openapi({
    description:
      'This address, domain or whole hash, in any case. An address is also found by the hash that a deleted subscriber left',
  }),
})

export const exportQuery = z.strictObject({ ...fileQuery, ...filters })
