import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROBLEMS } from '../../src/http/problem.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

const post = (body: BodyInit | null, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  request('/api/v1/senders', { method: 'POST', headers: { authorization: `Bearer ${api.key}`, ...headers }, body })

const sender = { name: 'S', from_name: 'A', from_email: 'a@example.com', postal_address: 'Street 1' }

test('an error is a problem document with a code, a request id and the place that explains it', async () => {
  const answer = await api.get('/senders/999999')
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('x-request-id')).toBe(answer.body.request_id)
  expect(answer.body).toEqual({
    type: 'https://mail.test/problems#not_found',
    title: PROBLEMS.not_found[1],
    status: 404,
    detail: 'There is no sender 999999.',
    code: 'not_found',
    request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    errors: [],
  })
})

test('no answer sets a cookie or lets another origin in', async () => {
  for (const path of ['/', '/health', '/api/v1/senders', '/docs', '/nothing']) {
    const { headers } = await request(path, { headers: { origin: 'https://elsewhere.example' } })
    expect(headers.get('set-cookie')).toBeNull()
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  }
})

describe('a body that is not JSON is 400:', () => {
  test.each([
    ['cut off', '{"name": "S",'],
    ['empty', ''],
    ['only blanks', '  '],
    ['a form', 'name=S'],
    ['two documents', '{} {}'],
    ['not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])],
  ])('%s', async (_, body) => {
    const answer = await post(body)
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json'])
  })

  test('nested without end, also in a field that takes anything', async () => {
    const deep = (levels: number) => `${'{"a":'.repeat(levels)}"\\u0000"${'}'.repeat(levels)}`
    for (const levels of [65, 150_000]) {
      const answer = await request('/api/v1/templates/preview', {
        method: 'POST',
        headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/json' },
        body: `{"format": "html", "source": "[[[[{{{{", "data": ${deep(levels)}}`,
      })
      expect([answer.status, answer.body.code]).toEqual([400, 'malformed_json'])
    }
  })

  test('and the answer says where, without quoting what was sent', async () => {
    const answer = await post('{\n "name": "Ada",\n "secret" "hunter2"\n}')
    expect(answer.body.detail).toBe('The JSON breaks off at line 3 column 11.')
  })
})

describe('another content type is 415:', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/json',
    'application/json; charset=latin1',
  ])('%s', async (type) => {
    const answer = await post(JSON.stringify(sender), { 'content-type': type })
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([
      415,
      'unsupported_media_type',
      'Content-Type',
    ])
    expect(answer.headers.get('accept')).toBe('application/json')
  })

  test('none at all', async () => {
    const answer = await post(new TextEncoder().encode(JSON.stringify(sender)), {})
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type'])
  })

  test('but application/json; charset=utf-8 is taken', async () => {
    const answer = await post(JSON.stringify({ ...sender, name: 'charset' }), {
      'content-type': 'application/json; charset=UTF-8',
    })
    expect(answer.status).toBe(201)
  })
})

describe('a body over the limit is 413:', () => {
  test('told by its length', async () => {
    const answer = await post(JSON.stringify({ ...sender, name: 'x'.repeat(1_000_001) }))
    expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large'])
    expect(answer.body.detail).toContain('1000000 bytes')
  })

  test('streamed without a length', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 100_000
        controller.enqueue(new Uint8Array(100_000).fill(32))
        if (sent > 50_000_000) controller.close()
      },
    })
    const answer = await post(body)
    expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large'])
    expect(sent).toBeLessThan(10_000_000)
  })
})

describe('a body of the wrong shape is 422 and names the fields:', () => {
  test.each([
    [[], 'body', 'must be an object'],
    ['text', 'body', 'must be an object'],
    [null, 'body', 'must be an object'],
    [{ ...sender, name: null }, 'name', 'must be a string'],
    [{ ...sender, nmae: 'S' }, 'nmae', 'is not known here: remove it'],
    [{ ...sender, '': 1 }, '""', 'is not known here: remove it'],
    [{ ...sender, name: 'a\u0000b' }, 'name', 'must not contain the character NUL'],
    [{ ...sender, name: 'a\ud800b' }, 'name', 'must not contain half of a surrogate pair'],
  ])('%j', async (body, field, detail) => {
    const answer = await api.post('/senders', body)
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    expect(answer.body.errors).toContainEqual({ field, detail })
  })

  test('all of them at once', async () => {
    const answer = await api.post('/senders', { extra: 1 })
    expect(answer.body.errors.map(({ field }) => field).sort()).toEqual([
      'extra',
      'from_email',
      'from_name',
      'name',
      'postal_address',
    ])
    expect(answer.body.detail).toMatch(/and 4 more/)
  })

  test('an answer names a hundred fields at most', async () => {
    const answer = await api.post('/senders', Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`x${i}`, i])))
    expect([answer.status, answer.body.errors.length]).toEqual([422, 100])
    expect(answer.body.detail).toMatch(/and \d{4} more/)
  })

  test.each([
    ['/campaigns', '{"audience": {"include": [1], "where": {"__proto__": "x"}}}', 'audience.where.__proto__'],
    ['/subscribers', '{"email": "a@example.com", "attributes": {"\\u005f_proto__": {"a": 1}}}', 'attributes.__proto__'],
  ])('__proto__ is not lost inside %s', async (path, body, field) => {
    const answer = await request(`/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/json' },
      body,
    })
    expect([answer.status, answer.body.errors]).toEqual([422, [{ field, detail: 'is not a name that can be used' }]])
  })

  test('a number that JSON can write and nobody can read is refused', async () => {
    const answer = await request('/api/v1/subscribers', {
      method: 'POST',
      headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/json' },
      body: '{"email": "a@example.com", "attributes": {"a": [1e999]}}',
    })
    expect([answer.status, answer.body.errors[0]?.field]).toEqual([422, 'attributes.a.0'])
  })

  test('__proto__ is a field like any other', async () => {
    const answer = await post('{"__proto__": {"admin": true}, "name": "S"}')
    expect([answer.status, answer.body.errors.some(({ field }) => field === '__proto__')]).toEqual([422, true])
  })
})

describe('an address or method that does not exist', () => {
  test.each(['/nothing', '/api', '/api/v2/senders', '/docs/nothing', '/api/v1/senders/1/2/3'])(
    '%s is 404',
    async (path) => {
      const answer = await request(path, { headers: { authorization: `Bearer ${api.key}` } })
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    },
  )

  test.each([
    ['DELETE', '/api/v1/senders', 'GET, POST'],
    ['PUT', '/api/v1/senders/1', 'GET, PATCH, DELETE'],
    ['POST', '/health', 'GET'],
    ['DELETE', '/api/v1/settings', 'GET, PUT'],
    ['OPTIONS', '/api/v1/senders', 'GET, POST'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const answer = await request(path, { method, headers: { authorization: `Bearer ${api.key}` } })
    expect([answer.status, answer.body.code, answer.headers.get('allow')]).toEqual([405, 'method_not_allowed', allow])
  })

  test('HEAD is answered like GET, without a body', async () => {
    const answer = await request<string>('/health', { method: 'HEAD' })
    expect([answer.status, answer.body]).toEqual([200, ''])
  })

  test('NUL or broken escapes in an address do no harm', async () => {
    const headers = { authorization: `Bearer ${api.key}` }
    for (const path of [
      '/api/v1/senders/%00',
      '/api/v1/senders/%',
      '/api/v1/senders?limit=%00',
      '/api/v1/senders?cursor=%00',
    ]) {
      expect((await request(path, { headers })).status).toBeLessThan(500)
    }
  })
})

describe('a query', () => {
  test.each([
    ['/lists?name=%00', 'name'],
    ['/suppressions?value=a%00b', 'value'],
    ['/subscribers?%00=1', '\0'],
  ])('with NUL is 422: %s', async (path, field) => {
    const answer = await api.get(path)
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([422, 'validation_failed', field])
  })

  test.each(['/senders/1?fields=name', '/settings?x=', '/accounts?limit=1'])(
    'is refused where a call takes none: %s',
    async (path) => {
      const answer = await api.get(path)
      expect([answer.status, answer.body.errors[0]?.detail]).toEqual([422, 'is not known here: remove it'])
    },
  )

  test('that says one thing twice is 422', async () => {
    const answer = await api.get('/senders?limit=1&limit=2')
    expect([answer.status, answer.body.errors]).toEqual([422, [{ field: 'limit', detail: 'must be given only once' }]])
  })
})

describe('a call without a body', () => {
  test.each([
    ['a wish that it would not heed', '{"scheduled_at": "2030-01-01T00:00:00Z"}'],
    ['something that is no JSON', 'now'],
  ])('is refused with %s', async (_, body) => {
    for (const path of ['/campaigns/1/send', '/campaigns/1/duplicate', '/campaigns/1/send-to-new']) {
      const answer = await request(`/api/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${api.key}` },
        body,
      })
      expect([answer.status, answer.body.errors]).toEqual([422, [{ field: 'body', detail: 'must be left out' }]])
    }
  })

  test('may carry an empty object', async () => {
    expect((await api.post('/campaigns/1/send', {})).body.code).toBe('not_found')
  })
})

describe('a call whose body may be left out', () => {
  const retry = (body: BodyInit | null, type?: string) =>
    request('/api/v1/campaigns/1/retry-failed', {
      method: 'POST',
      headers: { authorization: `Bearer ${api.key}`, ...(type ? { 'content-type': type } : {}) },
      body,
    })

  test.each([
    [null, undefined],
    ['', 'application/json'],
    [' \n', undefined],
    ['{}', 'application/json'],
    ['{"reasons": ["refused"]}', 'application/json'],
  ])('is understood with %j', async (body, type) => {
    expect((await retry(body, type)).body.code).toBe('not_found')
  })

  test.each([
    ['{"reasons": ["refused"]}', 'text/plain', 'unsupported_media_type'],
    ['reasons=refused', 'application/x-www-form-urlencoded', 'unsupported_media_type'],
    ['{"reasons": ', 'application/json', 'malformed_json'],
    ['{"reason": "refused"}', 'application/json', 'validation_failed'],
    [new Uint8Array(1_000_001).fill(32), 'application/json', 'body_too_large'],
  ])('and no other: %j as %s', async (body, type, code) => {
    expect((await retry(body, type)).body.code).toBe(code)
  })
})

test('nothing of all this was half-written', async () => {
  expect(await worker.sql('select name from senders order by name')).toEqual([{ name: 'charset' }])
})
