import { Problem } from '../http/problem.ts'
import { readUpTo } from '../http/read-up-to.ts'
import { HONEYPOT, TURNSTILE_FIELD } from '../pages/signup-form.ts'

/** In bytes. A form has a few short fields, and a challenge's answer of some 2 kB. */
const LIMIT = 32_768

/** A sign-up as it came in, before anything in it is believed. */
export interface GivenSignup {
  /** Fields under the names of `SignupFields`. */
  given: Record<string, unknown>
  honeypot: string
  challenge: string
  /** By a person's browser from a form, not by a program. */
  by_form: boolean
}

const FIELDS = ['email', 'first_name', 'last_name', 'locale', 'source'] as const

const TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'application/json']

/**
 * Reads a sign-up, as JSON or as a form posts it (`list` once for each list).
 *
 * @throws {Problem} body_too_large, malformed_json, malformed_request, unsupported_media_type
 */
export async function readSignup(request: Request): Promise<GivenSignup> {
  const header = request.headers.get('content-type') ?? ''
  const type = header.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!TYPES.includes(type)) {
    throw new Problem('unsupported_media_type', `Send ${TYPES.join(', ')}.`, {
      errors: [{ field: 'Content-Type', detail: `must be one of ${TYPES.join(', ')}` }],
    })
  }
  const bytes = await readUpTo(request.body, LIMIT)
  if (!bytes) throw new Problem('body_too_large', `The body is over ${LIMIT} bytes.`)
  if (type === 'multipart/form-data') return fromForm(await multipart(bytes, header))
  const text = new TextDecoder().decode(bytes)
  return type === 'application/json' ? fromJson(text) : fromForm(new URLSearchParams(text))
}

async function multipart(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { 'content-type': type } }).formData()
  } catch {
    throw new Problem('malformed_request', 'The form cannot be read.')
  }
}

function fromJson(text: string): GivenSignup {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Problem('malformed_json', 'The JSON is not complete or not valid.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('malformed_json', 'The JSON must be an object.')
  }
  const { [HONEYPOT]: honeypot, [TURNSTILE_FIELD]: challenge, ...given } = value as Record<string, unknown>
  return { given, honeypot: textOf(honeypot), challenge: textOf(challenge), by_form: false }
}

/** Fields that we do not know are whatever else the page has in its form. */
function fromForm(form: URLSearchParams | FormData): GivenSignup {
  const given: Record<string, unknown> = {
    // An id that is no number names no list, as one that is not there.
    list_ids: form.getAll('list').map((id) => (/^[1-9][0-9]{0,14}$/.test(String(id)) ? Number(id) : NO_LIST)),
  }
  for (const field of FIELDS) {
    const values = form.getAll(field)
    if (values.length > 0) given[field] = values.length === 1 ? values[0] : values
  }
  const [honeypot, challenge] = [form.get(HONEYPOT), form.get(TURNSTILE_FIELD)]
  return { given, honeypot: textOf(honeypot), challenge: textOf(challenge), by_form: true }
}

const NO_LIST = Number.MAX_SAFE_INTEGER

/** What is there and is no text counts as filled in. */
const textOf = (value: unknown) =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : '?'
