import * as z from 'zod'
import { named, pageQuery, time } from '../http/schema.ts'
import { domain, email, line } from '../subscribers/schema.ts'

/** Suppressions in one call. */
const BULK_LIMIT = 1_000

const REASONS = ['manual', 'unsubscribe', 'bounce', 'complaint'] as const

const reason = z.enum(REASONS).default('manual')
const source = line(200)
  .transform((text) => text || null)
  .nullable()
  .default(null)
  .openapi({ type: ['string', 'null'], description: 'Where it comes from', example: 'list of 2024' })

export const newSuppression = named(
  'NewSuppression',
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('address'), value: email, reason, source }),
    z.strictObject({
      kind: z.literal('domain'),
      value: domain.openapi({ description: 'Exactly this domain; subdomains are others' }),
      reason,
      source,
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
    value: z.string().openapi({ description: 'Of a hash, which a deleted subscriber left behind, only the beginning' }),
    reason: z.enum([...REASONS, 'deleted']),
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
  reason: z.enum([...REASONS, 'deleted']).optional(),
}

export const suppressionQuery = z.strictObject({
  ...pageQuery,
  ...filters,
  value: z.string().max(254).optional().openapi({ description: 'This address or domain, in any case' }),
})

export const exportQuery = z.strictObject({
  ...filters,
  formula_safe: z
    .enum(['true', 'false'])
    .default('true')
    .openapi({ description: 'Puts an apostrophe before values that a spreadsheet would run as a formula' }),
})
