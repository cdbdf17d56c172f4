import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from './context.ts'
import { type FieldError, Problem } from './problem.ts'
import { readUpTo } from './read-up-to.ts'

/** Bytes of a JSON body unless the route allows more. */
export const BODY_LIMIT = 1_000_000

/**
 * Reads the body as JSON before anything else looks at it: type, size, syntax, and the two kinds of text that Postgres
 * cannot keep. What is read stays with the request, the validators do not read it again.
 *
 * @param limit - in bytes
 */
export function jsonBody(limit: number): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const type = c.req.header('content-type') ?? ''
    if (!/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type)) {
      const given = type ? `not ${type.slice(0, 100)}` : 'and say so in Content-Type'
      throw new Problem('unsupported_media_type', `Send application/json, ${given}.`, {
        errors: [{ field: 'Content-Type', detail: 'must be application/json' }],
        headers: { accept: 'application/json' },
      })
    }
    const text = await readText(c.req.raw, limit)
    if (isNestedTooDeep(text)) throw new Problem('malformed_json', `The JSON is nested more than ${MAX_DEPTH} deep.`)
    const value = parseJson(text)
    const errors = UNSTORABLE.test(text) ? unstorable(value, '') : []
    if (errors.length > 0) {
      throw new Problem('validation_failed', 'The body holds text that cannot be stored.', {
        errors: errors.slice(0, 100),
      })
    }
    c.set('body', text)
    c.req.raw = new Request(c.req.raw, { body: text })
    await next()
  }
}

/** The same for a call that may be made without a body, which then means `{}`. */
export function optionalJsonBody(limit: number): MiddlewareHandler<AppEnv> {
  const json = jsonBody(limit)
  return async (c, next) => {
    const text = await readText(c.req.raw, limit)
    const is_empty = text.trim() === ''
    const headers = new Headers(c.req.raw.headers)
    if (is_empty) headers.set('content-type', 'application/json')
    c.req.raw = new Request(c.req.raw, { headers, body: is_empty ? '{}' : text })
    return json(c, next)
  }
}

/**
 * For calls that take a file: looks at the content type only, and at that only when there is a body. Whoever reads the
 * body bounds it.
 *
 * @param type - the content type, without parameters
 */
export function streamBody(type: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const given = c.req.header('content-type') ?? ''
    const is_empty = c.req.raw.body === null || c.req.header('content-length') === '0'
    if (!is_empty && given.split(';', 1)[0]?.trim().toLowerCase() !== type) {
      throw new Problem('unsupported_media_type', `Send ${type}, and say so in Content-Type.`, {
        errors: [{ field: 'Content-Type', detail: `must be ${type}` }],
        headers: { accept: type },
      })
    }
    await next()
  }
}

/**
 * For calls that take no body: what someone sends all the same was meant to change what the call does, and must not be
 * lost in silence. `{}` is what some clients send for nothing.
 */
export const noBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const text = await readText(c.req.raw, EMPTY_LIMIT)
  if (!/^\s*(?:\{\s*\}\s*)?$/.test(text)) {
    throw new Problem('validation_failed', 'This call takes no body: nothing in it would be heeded.', {
      errors: [{ field: 'body', detail: 'must be left out' }],
    })
  }
  await next()
}

/** Bytes that are read to tell whether a body is empty. */
const EMPTY_LIMIT = 10_000

async function readText(request: Request, limit: number): Promise<string> {
  const tooLarge = () => new Problem('body_too_large', `The body is over ${limit} bytes. Send less at a time.`)
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge()
  const bytes = await readUpTo(request.body, limit)
  if (!bytes) throw tooLarge()
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw new Problem('malformed_json', 'The body is not UTF-8.')
  }
}

function parseJson(text: string): unknown {
  if (text.trim() === '') throw new Problem('malformed_json', 'The body is empty. Send a JSON object.')
  try {
    return JSON.parse(text)
  } catch (error) {
    // The engine's message quotes the text around the fault: only the place is passed on.
    const place = /line \d+ column \d+/.exec(error instanceof Error ? error.message : '')?.[0]
    throw new Problem(
      'malformed_json',
      place ? `The JSON breaks off at ${place}.` : 'The JSON is not complete or not valid.',
    )
  }
}

/** Levels of objects and arrays. What comes later walks them by recursion and would run out of stack. */
const MAX_DEPTH = 64

/** Whether JSON is nested deeper than anything that walks it may go. */
export function isNestedTooDeep(text: string): boolean {
  let depth = 0
  let is_string = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (is_string) {
      if (char === BACKSLASH) i++
      else if (char === QUOTE) is_string = false
    } else if (char === QUOTE) is_string = true
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) return true
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--
  }
  return false
}

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d]

/**
 * Escapes of NUL and of surrogates (raw ones do not survive UTF-8); pairs of surrogates are sorted out afterwards. And the
 * name `__proto__`, escaped or not: an object's copy loses it in silence, and a filter by it would mean everyone.
 */
const UNSTORABLE = /\\u(?:0000|d[89a-f])|__proto__|\\u00(?:5f|7[024]|6f)/i

function unstorable(value: unknown, path: string): FieldError[] {
  if (typeof value === 'string') {
    if (value.includes('\0')) return [{ field: path || 'body', detail: 'must not contain the character NUL' }]
    return value.isWellFormed() ? [] : [{ field: path || 'body', detail: 'must not contain half of a surrogate pair' }]
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const field = path ? `${path}.${key}` : key
    if (key === '__proto__') return [{ field, detail: 'is not a name that can be used' }]
    return [...unstorable(key, path), ...unstorable(inner, field)]
  })
}
