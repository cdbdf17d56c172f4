import * as z from 'zod'
import { named, time } from '../http/schema.ts'

/** Characters of a source; a newsletter has 5,000 to 50,000. */
const MAX_SOURCE = 500_000
const MAX_LINE = 1000

const name = z.string().trim().min(1).max(200)
const format = z.enum(['mjml', 'html'])
const source = z
  .string()
  .min(1)
  .max(MAX_SOURCE)
  .meta({ description: 'MJML or HTML with Handlebars tags; compiled when it is saved' })
const text_source = z
  .string()
  .min(1)
  .max(MAX_SOURCE)
  .nullable()
  .meta({ description: 'The text part with Handlebars tags; null makes it from the HTML' })

export const newTemplate = named(
  'NewTemplate',
  z.strictObject({ name, format, source, text_source: text_source.default(null) }),
)

export const templateChange = named(
  'TemplateChange',
  z.strictObject({
    name: name.optional(),
    format: format.optional(),
    source: source.optional(),
    text_source: text_source.optional(),
    version: z
      .int()
      .positive()
      .optional()
      .meta({ description: 'The version this change was made from: refused with 409 when there is a newer one' }),
  }),
)

const listed = {
  id: z.int(),
  name,
  version: z.int().meta({ description: 'Counts up with every change of format or source' }),
  format,
  created_at: time,
  updated_at: time,
}

const warnings = z.array(z.strictObject({ code: z.string(), detail: z.string(), line: z.int().optional() }))

export const listedTemplate = named('ListedTemplate', z.strictObject(listed))

export const template = named(
  'Template',
  z.strictObject({
    ...listed,
    source,
    text_source,
    variables: z.array(z.string()).meta({ description: 'What the template names' }),
    links: z
      .array(z.strictObject({ n: z.int(), url: z.string(), text: z.string() }))
      .meta({ description: 'Links that will be tracked' }),
    warnings,
  }),
)

const sample = {
  subject: z.string().max(MAX_LINE).default(''),
  preheader: z.string().max(MAX_LINE).default(''),
  data: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ description: 'Laid over a made-up recipient, field by field', example: { first_name: 'Ada' } }),
}

export const savedPreview = named('SavedPreview', z.strictObject(sample))
export const unsavedPreview = named(
  'UnsavedPreview',
  z.strictObject({ format, source, text_source: text_source.default(null), ...sample }),
)
export const preview = named(
  'Preview',
  z.strictObject({ subject: z.string(), html: z.string(), text: z.string(), warnings }),
)
