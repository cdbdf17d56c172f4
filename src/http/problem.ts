/** Every error this API answers: its code on the wire, HTTP status and title. RFC 9457 calls one a problem type. */
export const PROBLEMS = {
  malformed_request: [400, 'The request cannot be read'],
  malformed_json: [400, 'The body is not JSON'],
  bad_cursor: [400, 'The cursor does not belong to this list'],
  bad_idempotency_key: [400, 'The Idempotency-Key cannot be used'],
  not_authenticated: [401, 'A valid API key is needed'],
  scope_missing: [403, 'The API key may not do this'],
  bootstrap_closed: [403, 'The bootstrap secret is no longer accepted'],
  challenge_failed: [403, 'Nobody was there to answer the challenge'],
  webhook_refused: [403, 'The webhook message is not accepted'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'This address does not answer that method'],
  name_taken: [409, 'The name is in use'],
  already_exists: [409, 'It exists already'],
  deleted_before: [409, 'The address belongs to someone who was deleted'],
  in_use: [409, 'It is still in use'],
  version_conflict: [409, 'It was changed meanwhile'],
  wrong_status: [409, 'Its status does not allow this'],
  import_busy: [409, 'Another part of the import is being read'],
  upload_offset_mismatch: [409, 'The part does not begin where the import goes on'],
  last_admin_key: [409, 'The last admin key cannot be revoked'],
  idempotency_in_progress: [409, 'The first request with this Idempotency-Key is still running'],
  body_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The content type is not supported'],
  validation_failed: [422, 'The request is not valid'],
  file_unreadable: [422, 'The file cannot be read'],
  template_invalid: [422, 'The template does not compile'],
  segment_too_slow: [422, 'The segment takes too long'],
  campaign_not_ready: [422, 'The campaign cannot start'],
  idempotency_key_reused: [422, 'The Idempotency-Key belongs to another request'],
  too_many_requests: [429, 'Too many requests'],
  not_configured: [500, 'The server is not configured'],
  internal_error: [500, 'The server failed'],
  database_unavailable: [503, 'The database cannot be reached'],
  redis_unavailable: [503, 'Redis cannot be reached'],
  webhook_unverifiable: [503, 'The webhook message cannot be checked now'],
  challenge_unavailable: [503, 'The challenge cannot be checked now'],
  sender_unavailable: [503, 'The sending Worker cannot be reached'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemCode = keyof typeof PROBLEMS

/** What is wrong with one field: `field` is its path (`audience.include.0`), `detail` says how to put it right. */
export interface FieldError {
  field: string
  detail: string
  /** In the field's text, counted from 1: for templates. */
  line?: number
}

interface ProblemOptions {
  errors?: readonly FieldError[]
  headers?: Record<string, string>
  /** Where an import goes on: byte of the file. */
  next_offset?: number
  /** The import that the call made before it failed. */
  import_id?: number
}

/** The one error a route throws on purpose; app.ts turns it into application/problem+json. */
export class Problem extends Error {
  override name = 'Problem'
  readonly code: ProblemCode
  readonly detail: string
  readonly errors: readonly FieldError[]
  readonly headers: Record<string, string>
  readonly members: { next_offset?: number; import_id?: number }

  constructor(code: ProblemCode, detail: string, { errors = [], headers = {}, ...members }: ProblemOptions = {}) {
    super(detail)
    this.code = code
    this.detail = detail
    this.errors = errors
    this.headers = headers
    this.members = members
  }
}

/** 404 that names the resource: `notFound('template', 7)`. */
export const notFound = (resource: string, id: number | string) =>
  new Problem('not_found', `There is no ${resource} ${id}.`)

/** 422 for one field of a request that is well formed but does not fit the data, such as an unknown list id. */
export const invalidField = (field: string, detail: string) =>
  new Problem('validation_failed', `${field} ${detail}`, { errors: [{ field, detail }] })

/**
 * The answer to a problem.
 *
 * @param public_url - where the page that explains the codes is (`/problems`)
 */
export function problemResponse(problem: Problem, request_id: string, public_url: string): Response {
  const [status, title] = PROBLEMS[problem.code]
  const { code, detail, errors, members } = problem
  const body = { type: `${public_url}/problems#${code}`, title, status, detail, code, request_id, errors, ...members }
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...problem.headers, 'content-type': 'application/problem+json' },
  })
}
