import * as z from 'zod'
import { FILE_FORMATS } from './file.ts'

export const formulaSafe = z.enum(['true', 'false']).default('true').openapi({
  description:
    'CSV: puts an apostrophe before values that a spreadsheet would run as a formula. Imports take it away again',
})

/** Query fields of every file. */
export const fileQuery = { format: z.enum(FILE_FORMATS).default('csv'), formula_safe: formulaSafe }

/** The answer of every file. */
export const fileAnswer = {
  200: {
    description: 'CSV with a header line, or one JSON object a line',
    content: { 'text/csv': { schema: z.string() }, 'application/x-ndjson': { schema: z.string() } },
  },
}
