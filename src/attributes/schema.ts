import * as z from 'zod'
import { named, pageQuery, time } from '../http/schema.ts'
import { line } from '../subscribers/schema.ts'
import { ATTRIBUTE_TYPES } from './type.ts'

const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'must be a letter followed by up to 63 letters, digits or underscores')
  .openapi({ example: 'seats' })

const type = z.enum(ATTRIBUTE_TYPES).openapi({
  description:
    '`date`: a day (`2026-11-24`) or a moment in UTC (`2026-11-24T08:30:00Z`), as text. `list`: an array of strings',
})

export const newAttribute = named(
  'NewAttribute',
  z.strictObject({
    name,
    type,
    description: line(1_000)
      .transform((text) => text || null)
      .nullable()
      .default(null)
      .openapi({ type: ['string', 'null'], maxLength: 1_000 }),
  }),
)

export const attribute = named(
  'Attribute',
  z.strictObject({ name, type, description: z.string().nullable(), created_at: time }),
)

const count = z.int().optional()

export const undeclared = named(
  'UndeclaredAttributes',
  z.strictObject({
    data: z.array(
      z.strictObject({
        name: z.string(),
        subscribers: z.int().openapi({ description: 'Of those looked at' }),
        types: z
          .strictObject({ string: count, number: count, boolean: count, array: count, object: count, null: count })
          .openapi({ description: 'How many hold which kind of JSON' }),
      }),
    ),
  }),
)

export const attributeQuery = z.strictObject(pageQuery)

export const attributeParams = z.strictObject({ name })
