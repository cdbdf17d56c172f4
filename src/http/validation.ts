// From zod's issues to the fields and hints a caller reads.
import * as z from 'zod'
import { type FieldError, Problem } from './problem.ts'

type Issue = z.core.$ZodIssue
type RawIssue = Parameters<z.core.$ZodErrorMap>[0]

z.config({ customError: describe })

/** Fields that are named at once: an answer many times the size of its request helps nobody. */
const MOST = 100

/** 422 for what a schema refused, one entry per field. `target` is where the schema was applied (json, query, param). */
export function validationProblem(error: z.core.$ZodError, target: string): Problem {
  const errors = fieldErrors(error, target === 'json' ? 'body' : target)
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more, see errors)` : ''
  return new Problem(
    'validation_failed',
    first ? `${first.field} ${first.detail}${more}` : 'The request is not valid.',
    { errors: errors.slice(0, MOST) },
  )
}

/** One entry per field that a schema refused; `root` names the whole value where no field is at fault. */
export function fieldErrors(error: z.core.$ZodError, root: string): FieldError[] {
  return error.issues.flatMap((issue) => issueErrors(issue, root))
}

function issueErrors(issue: Issue, root: string): FieldError[] {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: [...path, key || '""'].join('.'),
      detail: 'is not known here: remove it',
    }))
  }
  return [{ field: path.join('.') || root, detail: issue.message }]
}

/** One hint per kind of issue, in words that say what to send instead. */
function describe(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${TYPES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return issue.input === undefined && issue.values.length > 1
        ? `is required: one of ${issue.values.join(', ')}`
        : `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`
    case 'invalid_format':
      return FORMATS[issue.format] ?? `must be a valid ${issue.format}`
    case 'too_small':
      return bound(issue.origin, 'at least', issue.minimum)
    case 'too_big':
      return bound(issue.origin, 'at most', issue.maximum)
    case 'invalid_union':
      return issue.input === undefined ? 'is required' : 'has none of the allowed forms'
    case 'invalid_key':
      return 'has a name that is not allowed'
    default:
      return undefined
  }
}

function bound(origin: string, word: string, limit: number | bigint): string {
  if (origin === 'string') return limit === 1n || limit === 1 ? NOT_EMPTY : `must have ${word} ${limit} characters`
  if (origin === 'array' || origin === 'set')
    return `must have ${word} ${limit} ${Number(limit) === 1 ? 'entry' : 'entries'}`
  return `must be ${word} ${limit}`
}

const NOT_EMPTY = 'must not be empty'

const TYPES: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'an array',
  null: 'null',
}

const FORMATS: Record<string, string> = {
  email: 'must be an email address such as name@example.com',
  url: 'must be a URL such as https://example.com',
  datetime: 'must be an ISO 8601 time in UTC such as 2026-01-31T09:00:00Z',
}
