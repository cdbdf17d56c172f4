// Schemas that every route shares, and the way to give a schema its name in the OpenAPI document.
import { extendZodWithOpenApi } from '@hono/zod-openapi'
import * as z from 'zod'
import { SCOPES } from '../auth/scopes.ts'

extendZodWithOpenApi(z)

/** Puts a schema under `components/schemas` of the OpenAPI document. Names are PascalCase and unique. */
export const named = <T extends z.ZodType>(name: string, schema: T): T => schema.openapi(name)

/** A row's id as it comes in a body. */
export const rowId = z.int().positive()

/** A row's id as it comes in a path or query, where everything is text. */
export const textId = z
  .string()
  .regex(/^[1-9][0-9]{0,15}$/, 'must be a positive whole number')
  .transform(Number)
  .pipe(z.int('must be a positive whole number'))
  .openapi({ type: 'integer', minimum: 1 })

/** The path of one row: `/things/{id}`. */
export const idParams = z.strictObject({ id: textId })

/** A moment on the wire: ISO 8601 in UTC. */
export const time = z.iso.datetime()

const MAX_PAGE = 200
const PAGE = 50

/** Query fields of every list; spread them beside the list's filters. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^[0-9]{1,3}$/, `must be a whole number from 1 to ${MAX_PAGE}`)
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_PAGE))
    .default(PAGE)
    .openapi({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: PAGE }),
  cursor: z.string().max(1000).optional().openapi({ description: '`next_cursor` of the page before' }),
}

/**
 * A query field that may be given several times (`operation` must name it as `repeatable`).
 *
 * @param max - how many times
 */
export const repeated = <T extends z.ZodType>(value: T, max: number) =>
  z.preprocess((given) => (given === undefined ? [] : Array.isArray(given) ? given : [given]), z.array(value).max(max))

/** `true` or `false` in a query. */
export const flag = (value: boolean) =>
  z
    .enum(['true', 'false'])
    .default(value ? 'true' : 'false')
    .transform((text) => text === 'true')
    .openapi({ type: 'boolean', default: value })

/** A page of a list. `next_cursor` is null on the last one. */
export const pageOf = <T extends z.ZodType>(row: T) =>
  z.strictObject({ data: z.array(row), next_cursor: z.string().nullable() })

export const scopes = z.array(z.enum(SCOPES)).min(1)

export const problemDocument = named(
  'Problem',
  z.strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    request_id: z.string(),
    errors: z.array(z.strictObject({ field: z.string(), detail: z.string(), line: z.int().optional() })),
    next_offset: z.int().optional().openapi({ description: 'Of an import: the byte where the next part begins' }),
    import_id: z.int().optional().openapi({ description: 'The import that could not be read' }),
  }),
)
