import * as z from 'zod'
import { named, rowId, textId, time } from '../http/schema.ts'

/** Characters of a source; a newsletter has 5,000 to 50,000. */
const MAX_SOURCE = 500_000
const MAX_LINE = 1000

/** Bytes of a body with two sources, however they are escaped, and more: what is too long for a field is said of the field. */
export const SOURCES_LIMIT = 10_000_000

const name = z.string().trim().min(1).max(200)
export const format = z.enum(['mjml', 'html'])
export const source = z
  .string()
  .min(1)
  .max(MAX_SOURCE)
  .meta({ description: 'MJML or HTML with Handlebars tags; compiled when it is saved' })
export const text_source = z
  .string()
  .min(1)
  .max(MAX_SOURCE)
  .nullable()
  .meta({ description: 'The text part with Handlebars tags; null makes it from the HTML' })

export const version = z
  .int()
  .positive()
  .optional()
  .meta({ description: 'The version this change was made from: refused with 409 when there is a newer one' })

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
    version,
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

const field = z.enum(['source', 'text_source'])

export const warnings = z.array(
  z.strictObject({
    code: z.string(),
    detail: z.string(),
    line: z.int().optional(),
    field: field.optional().meta({ description: 'Which source the line is of; `source` unless it says otherwise' }),
  }),
)

const variables = z
  .array(
    z.strictObject({
      name: z.string().meta({ example: 'attributes.plan' }),
      field,
      lines: z
        .array(z.int())
        .meta({ description: 'Where it is read; for what stands in a partial, the line of the tag that calls it' }),
      inside: z
        .string()
        .nullable()
        .meta({ description: 'The innermost block around it; null outside of all', example: '#if attributes.plan' }),
    }),
  )
  .meta({ description: 'The data that the template reads: one entry for each block that it is read in' })

export const listedTemplate = named('ListedTemplate', z.strictObject(listed))

/** What a version holds besides its number. */
const content = {
  source,
  text_source,
  variables,
  links: z
    .array(
      z.strictObject({
        n: z.int(),
        url: z.string(),
        origin: z.string().nullable().optional().meta({
          description:
            'Only of addresses with variables: scheme and host where they are written out; null where a variable supplies them',
        }),
        text: z.string(),
      }),
    )
    .meta({ description: 'Links that will be tracked' }),
  warnings,
  partials: z
    .array(
      z.strictObject({
        id: z.int(),
        name: z.string(),
        version: z.int(),
        newest_version: z.int().nullable().meta({ description: 'null once the partial was deleted' }),
      }),
    )
    .meta({ description: 'The partials it holds, as they were when it was compiled' }),
}

export const template = named('Template', z.strictObject({ ...listed, ...content }))

const listedVersionFields = { version: z.int(), format, created_at: time }

export const listedVersion = named('ListedTemplateVersion', z.strictObject(listedVersionFields))

export const templateVersion = named(
  'TemplateVersion',
  z.strictObject({ template_id: z.int(), ...listedVersionFields, ...content }),
)

export const versionParams = z.strictObject({ id: textId, version: textId })

const sample = {
  subject: z.string().max(MAX_LINE).default(''),
  preheader: z.string().max(MAX_LINE).default(''),
  subscriber_id: rowId
    .optional()
    .meta({ description: 'Whom the mail is rendered for; a made-up person if it is left out' }),
  list_id: rowId.optional().meta({
    description: 'The list that it would go to; `warnings` names the variables that nobody on it has',
  }),
  data: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ description: 'Laid over what is known of that person, field by field', example: { first_name: 'Ada' } }),
}

export const savedPreview = named('SavedPreview', z.strictObject(sample))
export const unsavedPreview = named(
  'UnsavedPreview',
  z.strictObject({ format, source, text_source: text_source.default(null), ...sample }),
)
export const preview = named(
  'Preview',
  z.strictObject({
    subject: z.string(),
    html: z.string(),
    text: z.string(),
    size: z.strictObject({
      html: z.int().meta({ description: 'Bytes of the HTML; Gmail cuts off what is over 102 KB' }),
      message: z.int().meta({ description: 'Bytes of the whole message as it is sent' }),
    }),
    html_url: z.string().nullable().meta({
      description:
        'The HTML as a page for a frame, without scripts and apart from every origin, for ten minutes and whoever has the address; null if it cannot be kept just now',
    }),
    warnings,
  }),
)
