import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROBLEMS } from '../../src/http/problem.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { request } from './client.ts'

let worker: TestWorker
let document: Document
beforeAll(async () => {
  worker = await openTestWorker()
  document = (await request<Document>('/openapi.json')).body
})
afterAll(() => worker.close())

interface Operation {
  operationId: string
  tags: string[]
  summary: string
  security?: object[]
  parameters?: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { required: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: object }>
}

interface Document {
  openapi: string
  info: { title: string; version: string }
  servers: { url: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> }
}

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )

/** Every object in the document, with the key it stands under. */
function* walk(value: unknown, key = ''): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [key, value as Record<string, unknown>]
  for (const [name, inner] of Object.entries(value)) yield* walk(inner, name)
}

describe('the OpenAPI document', () => {
  test('is 3.1 and says where the API is', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(document.servers).toEqual([{ url: 'https://mail.test' }])
    expect(document.components.securitySchemes).toHaveProperty('api_key')
  })

  test('names every route of this part', () => {
    const routes = operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    expect(routes).toEqual(
      expect.arrayContaining([
        'GET /health',
        'POST /api/v1/api-keys',
        'GET /api/v1/api-keys',
        'DELETE /api/v1/api-keys/{id}',
        'POST /api/v1/senders',
        'GET /api/v1/senders',
        'GET /api/v1/senders/{id}',
        'PATCH /api/v1/senders/{id}',
        'DELETE /api/v1/senders/{id}',
        'GET /api/v1/settings',
        'PUT /api/v1/settings',
        'GET /api/v1/accounts',
        'POST /api/v1/campaigns/{id}/send',
        'POST /api/v1/campaigns/{id}/schedule',
        'DELETE /api/v1/campaigns/{id}/schedule',
        'POST /api/v1/campaigns/{id}/pause',
        'POST /api/v1/campaigns/{id}/resume',
        'POST /api/v1/campaigns/{id}/cancel',
        'POST /api/v1/campaigns/{id}/retry-failed',
        'POST /api/v1/campaigns/{id}/resolve-unconfirmed',
        'POST /api/v1/campaigns/{id}/send-to-new',
        'POST /api/v1/templates',
        'GET /api/v1/templates',
        'GET /api/v1/templates/{id}',
        'PATCH /api/v1/templates/{id}',
        'DELETE /api/v1/templates/{id}',
        'POST /api/v1/templates/{id}/preview',
        'POST /api/v1/templates/preview',
        'POST /api/v1/templates/{id}/recompile',
        'GET /api/v1/templates/{id}/versions',
        'GET /api/v1/templates/{id}/versions/{version}',
        'POST /api/v1/partials',
        'GET /api/v1/partials',
        'GET /api/v1/partials/{id}',
        'PATCH /api/v1/partials/{id}',
        'DELETE /api/v1/partials/{id}',
      ]),
    )
  })

  test('names nothing that is not there: every operation answers, none as 404 route or 405', async () => {
    for (const { method, path } of operations()) {
      const answer = await request(path.replace(/\{\w+\}/g, '1'), { method: method.toUpperCase() })
      expect(answer.status, `${method} ${path}`).toBe(path === '/health' ? 200 : 401)
      if (path !== '/health') expect(answer.body.code).toBe('not_authenticated')
    }
  })

  test('has a unique id, a tag, a summary and an answer for every operation', () => {
    const ids = operations()
      .map(({ operation }) => operation.operationId)
      .filter(Boolean)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operation } of operations()) {
      expect(operation.tags, path).toHaveLength(1)
      expect(operation.summary, path).toMatch(/\w/)
      expect(
        Object.keys(operation.responses).some((status) => /^2/.test(status)),
        path,
      ).toBe(true)
      if (path.startsWith('/api/')) {
        expect(operation.security, path).toEqual([{ api_key: [] }])
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['4XX', '5XX']))
      }
    }
  })

  test('declares exactly the parameters that a path holds', () => {
    for (const { path, operation } of operations()) {
      const held = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect(
        declared.map(({ name }) => name),
        path,
      ).toEqual(held)
      expect(
        declared.every(({ required }) => required),
        path,
      ).toBe(true)
    }
  })

  test('has no dangling reference, no unused schema and no pattern that is not one', () => {
    const used = new Set<string>()
    for (const [, object] of walk(document)) {
      if (typeof object.$ref === 'string') {
        const name = object.$ref.replace('#/components/schemas/', '')
        expect(document.components.schemas).toHaveProperty(name)
        used.add(name)
      }
      if (typeof object.pattern === 'string') {
        expect(object.pattern).not.toMatch(/\/[a-z]+$/)
        expect(() => new RegExp(object.pattern as string, 'u')).not.toThrow()
      }
      expect(object).not.toHaveProperty('nullable')
    }
    expect(Object.keys(document.components.schemas).filter((name) => !used.has(name))).toEqual([])
  })

  test('refuses unknown fields in every request body, as the API does', () => {
    for (const { path, operation } of operations()) {
      const schema = operation.requestBody?.content['application/json']?.schema
      if (!schema) continue
      const name = '$ref' in schema ? String(schema.$ref).replace('#/components/schemas/', '') : ''
      expect(document.components.schemas[name], path).toMatchObject({ type: 'object', additionalProperties: false })
    }
  })
})

describe('the reference at /docs', () => {
  test('shows every operation, and is allowed nothing from elsewhere', async () => {
    const { status, headers, body } = await request<string>('/docs')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/html/)
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'; script-src 'self'/)
    for (const { path, operation } of operations()) {
      expect(body).toContain(`<code>${path}</code>`)
      expect(body).toContain(operation.summary.replaceAll("'", '&#39;'))
    }
  })

  test('loads only what this Worker serves, and that is served', async () => {
    for (const page of ['/', '/docs', '/problems']) {
      const { body } = await request<string>(page)
      expect(body).not.toMatch(/<script(?![^>]*src=)|<style| style=| on\w+=/)
      const assets = [...body.matchAll(/(?:src|<link[^>]*href)="([^"]+)"/g)].map(([, url]) => url ?? '')
      expect(assets.length).toBeGreaterThan(0)
      for (const asset of assets) {
        const answer = await request<string>(asset)
        expect([answer.status, answer.body.length > 500]).toEqual([200, true])
        expect(answer.headers.get('content-type')).toMatch(asset.endsWith('.css') ? /^text\/css/ : /^text\/javascript/)
      }
    }
  })

  test('leads nowhere that does not answer', async () => {
    for (const page of ['/', '/docs', '/problems']) {
      const { body } = await request<string>(page)
      const links = [...body.matchAll(/<a [^>]*href="([^"#]+)"/g)].map(([, url]) => url ?? '')
      for (const link of new Set(links)) expect((await request<string>(link)).status, link).toBe(200)
      const anchors = [...body.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
      for (const id of anchors) expect(body).toContain(`id="${id}"`)
    }
  })
})

test('the page of error codes explains every code', async () => {
  const { body } = await request<string>('/problems')
  for (const code of Object.keys(PROBLEMS)) expect(body).toContain(`<tr id="${code}">`)
})
