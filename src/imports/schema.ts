import * as z from 'zod'
import { flag, named, pageQuery, repeated, textId, time } from '../http/schema.ts'
import { line, tag } from '../subscribers/schema.ts'
import { type Delimiter, ENCODINGS, IMPORT_POLICIES } from './options.ts'
import { EXPORT_FORMATS } from './state.ts'
import { IMPORT_KINDS, IMPORT_STATUSES } from './status.ts'
import type { StoredImport } from './store.ts'

const DELIMITER_NAMES = { comma: ',', semicolon: ';', tab: '\t' } as const satisfies Record<string, Delimiter>
const delimiter = z.enum(['comma', 'semicolon', 'tab'])
/** Times that a query field may be given. */
const LISTS = 100
const TAGS = 20
const COLUMNS = 1_000

/** `COLUMN=FIELD`; a column's name may hold the sign, a field's never does. */
const mapped = z
  .string()
  .regex(/^[\s\S]+=[^=]+$/, 'must be COLUMN=FIELD')
  .transform((text): [string, string] => [text.slice(0, text.lastIndexOf('=')), text.slice(text.lastIndexOf('=') + 1)])

const byteCount = z
  .string()
  .regex(/^[0-9]{1,15}$/, 'must be a number of bytes')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 0 })

const complete = flag(true).openapi({
  description: 'Whether the file ends with this part. `false`: more parts follow, and the body may be empty',
})

/** Fields of `newImportQuery` that may be given several times. */
export const REPEATABLE = ['list_id', 'tag', 'map'] as const

export const newImportQuery = z.strictObject({
  kind: z.enum(IMPORT_KINDS).default('subscribers').openapi({
    description:
      '`suppressions`: who must never be mailed; columns email, domain or hash (or kind and value), reason, source',
  }),
  list_id: repeated(textId, LISTS)
    .transform((ids) => [...new Set(ids)])
    .openapi({
      type: 'array',
      items: { type: 'integer' },
      description: 'Lists that everyone joins. Repeat it for several',
    }),
  policy: z.enum(IMPORT_POLICIES).default('fill').openapi({
    description:
      'What the file may change of people who are there already. `skip`: nothing, lists and tags neither; only an opt-out counts. `fill`: what is empty. `overwrite`: whatever it has a value for. An empty cell never erases anything',
  }),
  dry_run: flag(false).openapi({
    description: 'Reads and judges every row and writes none; `sample` shows the first as they would be',
  }),
  consent_source: line(200).min(1).optional().openapi({
    description: 'How these people agreed, for rows that do not say',
    example: 'shop checkout until 2024',
  }),
  tag: repeated(tag, TAGS)
    .transform((tags) => [...new Set(tags)])
    .openapi({ type: 'array', items: { type: 'string' }, description: 'Given to everyone. Repeat it for several' }),
  map: repeated(mapped, COLUMNS).openapi({
    type: 'array',
    items: { type: 'string' },
    description:
      'What a column is, as COLUMN=FIELD; repeat it for several. FIELD: email, first_name, last_name, name, status, tags, timezone, locale, consented_at, consent_source, attributes.<name>, or - to leave the column out. Columns that are not named here are recognised by their names, and become attributes otherwise',
    example: ['E-Mail-Adresse=email', 'Notes=-'],
  }),
  encoding: z.enum(ENCODINGS).optional().openapi({ description: 'Found out when it is left out' }),
  delimiter: delimiter.optional().openapi({ description: 'Found out when it is left out' }),
  file_name: line(200)
    .min(1)
    .optional()
    .openapi({ description: 'For people to recognise it by', example: 'contacts.csv' }),
  size: byteCount.optional().openapi({
    description: 'Bytes of the whole file. A body that ends before is taken to be broken off, not complete',
  }),
  complete,
})

export const partQuery = z.strictObject({ complete })

export const partHeaders = z.object({
  'upload-offset': byteCount.openapi({ description: 'Byte of the file where this part begins: the `next_offset`' }),
})

const count = (description: string) => z.int().openapi({ description })

export const importAnswer = named(
  'Import',
  z.strictObject({
    id: z.int(),
    kind: z.enum(IMPORT_KINDS),
    status: z.enum(IMPORT_STATUSES).openapi({
      description:
        '`receiving` until the file was read to its end (`finished`), cannot be read (`failed`, see `error`) or was `cancelled`. What was written before stays',
    }),
    is_busy: z.boolean().openapi({ description: 'A part is being read at this moment' }),
    dry_run: z.boolean(),
    policy: z.enum(IMPORT_POLICIES),
    list_ids: z.array(z.int()),
    tags: z.array(z.string()),
    consent_source: z.string().nullable(),
    file_name: z.string().nullable(),
    format: z.enum(EXPORT_FORMATS).nullable().openapi({
      description:
        'Whose export the file is, by its columns. With `encoding`, `delimiter` and `columns` null before the first line was read',
    }),
    encoding: z.enum(ENCODINGS).nullable(),
    delimiter: delimiter.nullable(),
    columns: z
      .array(z.strictObject({ column: z.string(), field: z.string().nullable() }))
      .nullable()
      .openapi({ description: 'What each column is taken for; null where it is left out' }),
    rows: count('Rows of the file that are done with'),
    created: count('People, or suppressions, that are new'),
    updated: count('People who were there and have changed'),
    unchanged: count('Rows that said nothing new'),
    skipped: count('People who were there and were left alone (`policy=skip`)'),
    refused: count('Rows that could not be taken: see refusals'),
    kept: count('Of those written, people who had opted out, bounced or complained, or left a list, and stay so'),
    line: count('Line of the file that comes next, from 1'),
    next_offset: count('Bytes of the file that are done with: the next part begins here'),
    size: z.int().nullable(),
    percent: z.number().nullable().openapi({ description: 'Of the file; null where its size was not said' }),
    sample: z.array(z.record(z.string(), z.unknown())).nullable().openapi({
      description: 'Of a dry run: the first rows as they would be written',
    }),
    error: z.string().nullable().openapi({ description: 'Why it failed' }),
    created_at: time,
    updated_at: time,
    finished_at: time.nullable(),
  }),
)

/** An import as it goes over the wire. */
export function answerOf({ options, state, lease_token: _, ...stored }: StoredImport): z.output<typeof importAnswer> {
  const { policy, list_ids, tags, consent_source } = options
  const { size, next_offset, status } = stored
  const separator = state?.delimiter ?? options.delimiter
  return {
    ...stored,
    policy,
    list_ids,
    tags,
    consent_source,
    format: state?.format ?? null,
    encoding: state?.encoding ?? options.encoding,
    delimiter: delimiterName(separator),
    percent: status === 'finished' ? 100 : size === null ? null : percentOf(next_offset, size),
  }
}

/** Rounded down: 100 is the end. */
const percentOf = (part: number, whole: number) => (whole === 0 ? 0 : Math.floor((part / whole) * 1000) / 10)

export const delimiterOf = (name: keyof typeof DELIMITER_NAMES): Delimiter => DELIMITER_NAMES[name]

const delimiterName = (separator: Delimiter | null) =>
  delimiter.options.find((name) => DELIMITER_NAMES[name] === separator) ?? null

export const importQuery = z.strictObject(pageQuery)

export const refusal = named(
  'ImportRefusal',
  z.strictObject({
    line: z.int().openapi({ description: 'Where the record begins in the file, from 1' }),
    reason: z.string(),
    record: z.string().openapi({ description: 'As it stands in the file; at most 10,000 characters of it' }),
  }),
)
