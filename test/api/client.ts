// A caller of the API under test, with keys of the scopes it needs.
import { exports } from 'cloudflare:workers'
import { hashApiKey, newApiKey } from '../../src/auth/key.ts'
import { SCOPES, type Scope } from '../../src/auth/scopes.ts'
import { api_keys } from '../../src/auth/table.ts'
import type { ProblemCode } from '../../src/http/problem.ts'
import type { TestWorker } from '../support/worker.ts'

export const ORIGIN = 'https://mail.test'

// A test names the shape it expects of an answer; the Worker's own schemas are what is under test.
export interface Answer<Body> {
  status: number
  headers: Headers
  body: Body
}

export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  code: ProblemCode
  request_id: string
  errors: { field: string; detail: string }[]
}

type Init = Omit<RequestInit, 'body' | 'headers'> & { headers?: Record<string, string>; body?: BodyInit | null }

/** One request to the Worker under test; `path` begins with a slash. Nothing is added to it. */
export async function request<Body = ProblemBody>(path: string, init: Init = {}): Promise<Answer<Body>> {
  const response = await exports.default.fetch(ORIGIN + path, init)
  const text = await response.text()
  const is_json = text !== '' && /[/+]json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, body: (is_json ? JSON.parse(text) : text) as Body }
}

/** Puts a key into the database, past the API. */
export async function insertApiKey({ db }: TestWorker, scopes: readonly Scope[] = SCOPES) {
  const { key, prefix } = await newApiKey(crypto.getRandomValues(new Uint8Array(32)))
  const hash = await hashApiKey(key)
  const [row] = await db
    .insert(api_keys)
    .values({ name: 'test', prefix, hash, scopes: [...scopes] })
    .returning({ id: api_keys.id })
  if (!row) throw new Error('no key was inserted')
  return { id: row.id, key }
}

/** A caller with a key of its own; paths are those under /api/v1. */
export async function openApi(worker: TestWorker, scopes: readonly Scope[] = SCOPES) {
  const { id, key } = await insertApiKey(worker, scopes)
  const call = <Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    request<Body>(`/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    id,
    key,
    get: <Body = ProblemBody>(path: string) => call<Body>('GET', path),
    post: <Body = ProblemBody>(path: string, body?: unknown, headers?: Record<string, string>) =>
      call<Body>('POST', path, body, headers),
    put: <Body = ProblemBody>(path: string, body?: unknown, headers?: Record<string, string>) =>
      call<Body>('PUT', path, body, headers),
    patch: <Body = ProblemBody>(path: string, body?: unknown, headers?: Record<string, string>) =>
      call<Body>('PATCH', path, body, headers),
    delete: <Body = ProblemBody>(path: string, headers?: Record<string, string>) =>
      call<Body>('DELETE', path, undefined, headers),
  }
}
