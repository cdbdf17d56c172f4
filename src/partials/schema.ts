import * as z from 'zod'
import { named, time } from '../http/schema.ts'
import { format, source, text_source, version, warnings } from '../templates/schema.ts'

const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be up to 64 letters, digits, - and _, a letter first')
  .meta({ description: 'Templates call it by this name, which stays: `{{> footer}}`', example: 'footer' })

export const newPartial = named(
  'NewPartial',
  z.strictObject({ name, format, source, text_source: text_source.default(null) }),
)

export const partialChange = named(
  'PartialChange',
  z.strictObject({
    format: format.optional(),
    source: source.optional(),
    text_source: text_source.optional(),
    version,
  }),
)

const listed = {
  id: z.int(),
  name: z.string(),
  version: z.int().meta({ description: 'Counts up with every change' }),
  format,
  created_at: time,
  updated_at: time,
}

export const listedPartial = named('ListedPartial', z.strictObject(listed))

const fields = {
  ...listed,
  source,
  text_source,
  templates: z.array(z.strictObject({ id: z.int(), name: z.string(), version: z.int() })).meta({
    description:
      'Templates that hold it, with the version that they hold; they take a newer one when they are recompiled or changed',
  }),
  partials: z
    .array(z.strictObject({ id: z.int(), name: z.string() }))
    .meta({ description: 'Other partials that call it' }),
}

export const partial = named('Partial', z.strictObject(fields))
export const savedPartial = named('SavedPartial', z.strictObject({ ...fields, warnings }))
