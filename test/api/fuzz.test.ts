// Random requests against every operation of the OpenAPI document, always the same ones: whatever comes in, the answer is
// what the document promises or a problem document, and never a failure of ours.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PROBLEMS } from '../../src/http/problem.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { insertApiKey, openApi, type ProblemBody, request } from './client.ts'

/** Requests per operation. */
const ROUNDS = 10
const SEED = 20_261_124

interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}
interface Operation {
  operationId: string
  description: string
  parameters?: { name: string; in: string; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, unknown>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let schemas: Record<string, Schema>
let operations: [method: string, path: string, operation: Operation][]

beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
  const { body: document } = await request<Document>('/openapi.json')
  schemas = document.components.schemas
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => /Scope:/.test(operation.description ?? ''))
      .map(([method, operation]): [string, string, Operation] => [method.toUpperCase(), path, operation]),
  )
  // One row of each kind, so that ids lead somewhere.
  await api.post('/lists', { name: 'L' })
  await api.post('/senders', { name: 'S', from_name: 'A', from_email: 'a@example.com', postal_address: 'Street 1' })
  await api.post('/templates', { name: 'T', format: 'html', source: '<p>{{first_name}}</p>' })
  await api.post('/subscribers', { email: 'ada@example.com', list_ids: [1] })
  await api.post('/suppressions', { suppressions: [{ kind: 'domain', value: 'example.net' }] })
  await api.post('/campaigns', { name: 'C', subject: 's', template_id: 1, sender_id: 1, audience: { include: [1] } })
})
afterAll(() => worker.close())

/** mulberry32: small, and the same everywhere. */
function generator(seed: number) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    chance: (share: number) => next() < share,
    pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T,
  }
}
type Random = ReturnType<typeof generator>

const TEXTS = [
  '',
  ' ',
  'a',
  'Zoë 🎉',
  '\u202eevil',
  '\u0000',
  '\ud800',
  '\u2028',
  '\r\nBcc: x@example.com',
  'x'.repeat(10_000),
  "'; drop table subscribers; --",
  '{{#if',
  '{{constructor}}',
  '<mjml>',
  '__proto__',
  'ada@example.com',
  'a@b',
  '2026-01-31T09:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '0000-01-01T00:00:00Z',
  '%00',
  '%',
]
const NUMBERS = [0, -0, -1, 1, 2, 1.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 63, 999_999]
const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])
const anything = (random: Random): unknown =>
  random.pick<() => unknown>([
    () => random.pick(TEXTS),
    () => random.pick(NUMBERS),
    () => random.pick([true, false, null]),
    () => [],
    () => ({}),
    () => Array.from({ length: 1_001 }, (_, i) => i + 1),
    () => ({ [random.pick(TEXTS)]: random.pick(TEXTS) }),
    () => deep(random.pick([5, 63, 200])),
  ])()

/** A value that the schema describes, with something else in its place now and then. */
function made(schema: Schema, random: Random): unknown {
  if (random.chance(0.12)) return anything(random)
  if (schema.$ref) return made(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, random)
  const union = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (union) return made(random.pick(union), random)
  if (schema.enum) return random.pick(schema.enum)
  if (schema.const !== undefined) return schema.const
  switch (Array.isArray(schema.type) ? random.pick(schema.type) : schema.type) {
    case 'object': {
      const fields = Object.entries(schema.properties ?? {})
      const kept = fields.filter(([name]) => random.chance(schema.required?.includes(name) ? 0.95 : 0.4))
      const object = Object.fromEntries(kept.map(([name, inner]) => [name, made(inner, random)]))
      return random.chance(0.05) ? { ...object, [random.pick(TEXTS)]: 1 } : object
    }
    case 'array':
      return Array.from({ length: random.pick([0, 1, 1, 2]) }, () => made(schema.items ?? {}, random))
    case 'integer':
    case 'number':
      return random.chance(0.7) ? 1 : random.pick(NUMBERS)
    case 'boolean':
      return random.chance(0.5)
    case 'string':
      return random.pick(TEXTS)
    default:
      return anything(random)
  }
}

/** A file of a few records, some of them odd. */
const csvOf = (random: Random) =>
  ['email,first_name,kind', ...Array.from({ length: 3 }, () => `${random.pick(TEXTS)},${random.pick(TEXTS)},"x`)]
    .slice(random.chance(0.2) ? 1 : 0)
    .join(random.pick(['\n', '\r\n', '\r']))

/** What may stand in a header. */
const lineOf = (value: unknown) =>
  String(value)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 1000)

function requestOf(method: string, path: string, operation: Operation, random: Random) {
  const ids = ['1', '1', '1', '999999', '0', '-1', '1e3', '%00', '%', '1%2f2', '٣', '9'.repeat(30), "1'--"]
  const address = path.replace(/\{\w+\}/g, () => random.pick(ids))
  const query = new URLSearchParams()
  for (const { name, in: place, schema } of operation.parameters ?? []) {
    if (place === 'query' && random.chance(0.4)) query.append(name, String(made(schema, random)))
  }
  if (random.chance(0.1)) query.append(random.pick(['limit', 'cursor', '\0', 'x']), random.pick(TEXTS))
  const headers: Record<string, string> = { authorization: `Bearer ${api.key}` }
  if (random.chance(0.2)) headers['idempotency-key'] = random.pick(['k', 'k2', 'with blank', 'x'.repeat(256)])
  for (const { name, in: place, schema } of operation.parameters ?? []) {
    if (place === 'header' && random.chance(0.9))
      headers[name] = random.chance(0.7) ? '0' : lineOf(made(schema, random))
  }
  const [[type, { schema }] = ['application/json', { schema: undefined }]] = Object.entries(
    operation.requestBody?.content ?? {},
  )
  if (method === 'GET' || (!schema && random.chance(0.8))) return { address, query, init: { method, headers } }
  headers['content-type'] = random.chance(0.95) ? type : random.pick(['text/plain', 'application/xml'])
  const text = type === 'text/csv' ? csvOf(random) : (JSON.stringify(made(schema ?? {}, random)) ?? '')
  const body = random.chance(0.05) ? text.slice(0, -1) : text
  return { address, query, init: { method, headers, body } }
}

test('random requests are answered as documented or refused with a problem document', async () => {
  const random = generator(SEED)
  const codes = new Set<string>()
  expect(operations.length).toBeGreaterThan(40)
  for (const [method, path, operation] of operations) {
    for (let round = 0; round < ROUNDS; round++) {
      const { address, query, init } = requestOf(method, path, operation, random)
      const search = query.size > 0 ? `?${query}` : ''
      const answer = await request<ProblemBody>(address + search, init)
      const what = `${method} ${address}${search.slice(0, 200)} ${(init.body ?? '').slice(0, 500)}`
      if (answer.status < 400) {
        expect(Object.keys(operation.responses), what).toContain(String(answer.status))
        continue
      }
      expect(answer.status, what).toBeLessThan(500)
      expect(answer.headers.get('content-type'), what).toBe('application/problem+json')
      const { code, status, title, detail, errors } = answer.body
      expect([status, title], what).toEqual([answer.status, PROBLEMS[code][1]])
      expect(PROBLEMS[code][0], what).toBe(answer.status)
      expect(detail, what).not.toMatch(/^$|undefined|\[object|select |insert into|Failed query/)
      for (const { field, detail } of errors) expect([field === '', detail === ''], what).toEqual([false, false])
      codes.add(code)
    }
  }
  expect([...codes]).toEqual(expect.arrayContaining(['validation_failed', 'not_found', 'malformed_json']))
})

test('each operation wants exactly the scope that the document names', async () => {
  const keys = new Map<string, string>()
  for (const scope of ['read', 'write', 'send', 'admin'] as const) {
    keys.set(scope, (await insertApiKey(worker, [scope])).key)
  }
  for (const [method, path, operation] of operations) {
    const needed = /Scope: `(\w+)`/.exec(operation.description)?.[1]
    for (const [scope, key] of keys) {
      // An id that nothing has, and a parameter that nothing knows: whoever is let in gets no further.
      const address = `${path.replace(/\{\w+\}/g, '999999999')}?nothing=1`
      const answer = await request(address, { method, headers: { authorization: `Bearer ${key}` } })
      const expected = scope === needed ? /^(?:validation_failed|unsupported_media_type)$/ : /^scope_missing$/
      expect(answer.body.code, `${method} ${path} with ${scope}`).toMatch(expected)
    }
    const answer = await request(path.replace(/\{\w+\}/g, '1'), { method })
    expect([answer.status, answer.body.code], `${method} ${path} without a key`).toEqual([401, 'not_authenticated'])
  }
})
