import * as z from 'zod'
import { named, pageQuery, time } from '../http/schema.ts'
import { line } from '../subscribers/schema.ts'
import { checkFilter } from './check.ts'
import { FILTER_SCHEMA } from './json-schema.ts'

/** Checked to the last condition. Whether ops fit the types of attributes, and whether lists are there, only SQL knows. */
export const filter = named(
  'SegmentFilter',
  z
    .record(z.string(), z.unknown())
    .transform((value, context) => {
      const read = checkFilter(value)
      if ('filter' in read) return read.filter
      for (const { path, detail } of read.faults) context.addIssue({ code: 'custom', path, message: detail })
      return z.NEVER
    })
    .openapi(FILTER_SCHEMA),
)

const name = line(200).min(1).openapi({ example: 'Active customers' })
const description = line(1_000)
  .transform((text) => text || null)
  .nullable()
  .openapi({ type: ['string', 'null'], maxLength: 1_000 })

export const newSegment = named('NewSegment', z.strictObject({ name, description: description.default(null), filter }))

export const segmentChange = named(
  'SegmentChange',
  z
    .strictObject({ name: name.optional(), description: description.optional(), filter: filter.optional() })
    .refine((change) => Object.keys(change).length > 0, 'must change at least one field'),
)

export const segment = named(
  'Segment',
  z.strictObject({
    id: z.int(),
    name: z.string(),
    description: z.string().nullable(),
    filter,
    created_at: time,
    updated_at: time,
  }),
)

export const segmentCount = named(
  'SegmentCount',
  z.strictObject({
    count: z.int().openapi({ description: 'Subscribers in it now, whatever their status' }),
    active: z.int().openapi({ description: 'Of those, the active ones: whom campaigns may mail' }),
  }),
)

export const segmentQuery = z.strictObject({
  ...pageQuery,
  name: z.string().max(200).optional().openapi({ description: 'This name, in any case' }),
})

export const peopleQuery = z.strictObject(pageQuery)

export const unsavedFilter = named('UnsavedFilter', z.strictObject({ filter }))

export const unsavedPage = named(
  'UnsavedFilterPage',
  z.strictObject({
    filter,
    limit: z.int().min(1).max(200).default(50),
    cursor: z.string().max(1000).optional().openapi({ description: '`next_cursor` of the page before' }),
  }),
)
