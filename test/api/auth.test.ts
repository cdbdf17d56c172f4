import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authenticate, requireScope } from '../../src/auth/authenticate.ts'
import { SCOPES } from '../../src/auth/scopes.ts'
import { answerError } from '../../src/http/failure.ts'
import { createRouter } from '../../src/http/route.ts'
import { DEVELOPMENT_BOOTSTRAP_SECRET } from '../../src/tokens/development.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { insertApiKey, openApi, request } from './client.ts'

let worker: TestWorker
beforeAll(async () => {
  worker = await openTestWorker()
})
afterAll(() => worker.close())

interface CreatedKey {
  id: number
  key: string
  prefix: string
  scopes: string[]
}

const bootstrap = (body: unknown) =>
  request<CreatedKey & { code?: string; errors?: unknown }>('/api/v1/api-keys', {
    method: 'POST',
    headers: { authorization: `Bearer ${DEVELOPMENT_BOOTSTRAP_SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('the bootstrap secret', () => {
  test('makes no key without the scope admin', async () => {
    const answer = await bootstrap({ name: 'first', scopes: ['read'] })
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    expect(answer.body.errors).toEqual([{ field: 'scopes', detail: 'must include admin: this is the first key' }])
  })

  test('opens nothing else', async () => {
    const headers = { authorization: `Bearer ${DEVELOPMENT_BOOTSTRAP_SECRET}` }
    expect((await request('/api/v1/api-keys', { headers })).status).toBe(401)
    expect((await request('/api/v1/senders', { headers })).status).toBe(401)
  })

  test('makes the first admin key once, also when asked in parallel, and then no more until it is revoked', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map((n) => bootstrap({ name: `first ${n}`, scopes: SCOPES })))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403])
    const made = answers.find(({ status }) => status === 201)
    expect(made?.body.key).toMatch(/^emk_[\w-]{43}$/)
    expect(await worker.sql('select count(*)::int as n from api_keys')).toEqual([{ n: 1 }])

    const late = await bootstrap({ name: 'late', scopes: ['admin'] })
    expect([late.status, late.body.code]).toEqual([403, 'bootstrap_closed'])

    await worker.sql('update api_keys set revoked_at = now()')
    expect((await bootstrap({ name: 'again', scopes: ['admin'] })).status).toBe(201)
  })
})

describe('a call without a good key', () => {
  test.each([
    ['no header', undefined],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['a key without a scheme', 'emk_abc'],
    ['an empty key', 'Bearer '],
  ])('is 401 with %s', async (_, authorization) => {
    const answer = await request('/api/v1/senders', authorization === undefined ? {} : { headers: { authorization } })
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([
      401,
      'not_authenticated',
      'Authorization',
    ])
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="email-marketing-kit"')
  })

  test('is 401 with a key of another installation, and says that the token is invalid', async () => {
    const authorization = `Bearer emk_${'A'.repeat(43)}`
    const answer = await request('/api/v1/senders', { headers: { authorization } })
    expect([answer.status, answer.body.code]).toEqual([401, 'not_authenticated'])
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  test('is 401 before anything else is told: no unknown path, no body is looked at', async () => {
    expect((await request('/api/v1/nothing')).status).toBe(401)
    const answer = await request('/api/v1/senders', { method: 'POST', body: 'x'.repeat(2_000_000) })
    expect(answer.status).toBe(401)
  })
})

describe('scopes', () => {
  const calls = [
    ['GET', '/senders', 'read', 200],
    ['GET', '/senders/999999', 'read', 404],
    ['POST', '/senders', 'write', 415],
    ['PATCH', '/senders/999999', 'write', 415],
    ['DELETE', '/senders/999999', 'write', 404],
    ['GET', '/templates', 'read', 200],
    ['GET', '/templates/999999', 'read', 404],
    ['POST', '/templates', 'write', 415],
    ['PATCH', '/templates/999999', 'write', 415],
    ['DELETE', '/templates/999999', 'write', 404],
    ['POST', '/templates/preview', 'read', 415],
    ['POST', '/templates/999999/preview', 'read', 415],
    ['GET', '/settings', 'read', 200],
    ['PUT', '/settings', 'send', 415],
    ['GET', '/api-keys', 'admin', 200],
    ['POST', '/api-keys', 'admin', 415],
    ['DELETE', '/api-keys/999999', 'admin', 404],
  ] as const

  test.each(calls)('%s %s needs %s', async (method, path, needed, otherwise) => {
    for (const scope of SCOPES) {
      const { key } = await insertApiKey(worker, [scope])
      const answer = await request(`/api/v1${path}`, { method, headers: { authorization: `Bearer ${key}` } })
      if (scope === needed) expect(answer.status).toBe(otherwise)
      else {
        expect([answer.status, answer.body.code]).toEqual([403, 'scope_missing'])
        expect(answer.body.detail).toContain(needed)
        expect(answer.headers.get('www-authenticate')).toContain(`scope="${needed}"`)
      }
    }
  })
})

describe('API keys', () => {
  test('are shown once and kept as a hash', async () => {
    const api = await openApi(worker)
    const { status, body } = await api.post<CreatedKey>('/api-keys', { name: 'ci', scopes: ['read', 'read', 'write'] })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      name: 'ci',
      scopes: ['read', 'write'],
      prefix: body.key.slice(0, 12),
      last_used_at: null,
    })
    const [row] = await worker.sql<Record<string, unknown>>('select * from api_keys where id = $1', [body.id])
    expect(JSON.stringify(row)).not.toContain(body.key)
    const { body: listed } = await api.get<{ data: CreatedKey[] }>('/api-keys')
    expect(listed.data.find(({ id }) => id === body.id)).toBeDefined()
    expect(JSON.stringify(listed)).not.toContain(body.key)
    expect(JSON.stringify(listed)).not.toContain('hash')
  })

  test('refuse an Idempotency-Key, whose answer would have to keep the secret', async () => {
    const api = await openApi(worker)
    const answer = await api.post('/api-keys', { name: 'x', scopes: ['read'] }, { 'idempotency-key': 'a' })
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([
      400,
      'bad_idempotency_key',
      'Idempotency-Key',
    ])
  })

  test.each([
    [{ scopes: ['read'] }, 'name'],
    [{ name: ' ', scopes: ['read'] }, 'name'],
    [{ name: 'x' }, 'scopes'],
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['root'] }, 'scopes.0'],
    [{ name: 'x', scopes: ['read'], key: 'emk_mine' }, 'key'],
  ])('are refused when %j', async (body, field) => {
    const api = await openApi(worker)
    const answer = await api.post('/api-keys', body)
    expect([answer.status, answer.body.errors.map((error) => error.field)]).toEqual([422, [field]])
  })

  test('stop working at once where they are revoked', async () => {
    const api = await openApi(worker)
    const other = await openApi(worker)
    expect((await other.get('/senders')).status).toBe(200)
    expect((await api.delete(`/api-keys/${other.id}`)).status).toBe(204)
    expect((await other.get('/senders')).status).toBe(401)
    expect((await api.delete(`/api-keys/${other.id}`)).status).toBe(204)
    const { body } = await api.get<{ data: CreatedKey[] }>('/api-keys')
    expect(body.data.find(({ id }) => id === other.id)).toBeUndefined()
  })

  test('stop working in other isolates once these ask again, ten seconds later', async () => {
    const { id, key } = await insertApiKey(worker, ['read'])
    let now = Date.parse('2026-01-01T00:00:00Z')
    const other = createRouter()
    other.onError((error, c) => answerError(error, c, ''))
    other.use(authenticate({ db: worker.db, bootstrap_secret: 'unused', now: () => new Date(now) }))
    other.get('/', requireScope('read'), (c) => c.text('in'))
    const call = async () => {
      const context = createExecutionContext()
      const response = await other.request('/', { headers: { authorization: `Bearer ${key}` } }, {}, context)
      await waitOnExecutionContext(context)
      return response.status
    }
    expect(await call()).toBe(200)
    await worker.sql('update api_keys set revoked_at = now() where id = $1', [id])
    now += 9_999
    expect(await call()).toBe(200)
    now += 1
    expect(await call()).toBe(401)
  })

  test('note their last use, to the minute', async () => {
    const api = await openApi(worker)
    await api.get('/senders')
    const lastUse = async () => {
      const [row] = await worker.sql<{ at: string | null }>(
        'select last_used_at::text as at from api_keys where id = $1',
        [api.id],
      )
      return row?.at ?? null
    }
    await expect.poll(lastUse).not.toBeNull()
  })

  test('of which the last admin cannot revoke itself, nor two admins each other', async () => {
    await worker.sql('update api_keys set revoked_at = now()')
    const one = await openApi(worker)
    const refused = await one.delete(`/api-keys/${one.id}`)
    expect([refused.status, refused.body.code]).toEqual([409, 'last_admin_key'])
    expect((await one.get('/senders')).status).toBe(200)

    const two = await openApi(worker)
    await Promise.all([one.get('/senders'), two.get('/senders')])
    const statuses = await Promise.all([one.delete(`/api-keys/${two.id}`), two.delete(`/api-keys/${one.id}`)])
    expect(statuses.map(({ status }) => status).sort()).toEqual([204, 409])
    expect(await worker.sql('select count(*)::int as n from api_keys where revoked_at is null')).toEqual([{ n: 1 }])
  })

  test('that do not exist are 404', async () => {
    await worker.sql('update api_keys set revoked_at = now()')
    const api = await openApi(worker)
    const answer = await api.delete('/api-keys/999999')
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
      404,
      'not_found',
      'There is no API key 999999.',
    ])
  })
})
