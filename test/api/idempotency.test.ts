import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forgetIdempotencyKeys } from '../../src/http/idempotency.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { ORIGIN, openApi, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

const sender = (name: string) => ({ name, from_name: 'A', from_email: 'a@example.com', postal_address: 'Street 1' })
const key = () => ({ 'idempotency-key': crypto.randomUUID() })
const count = async (name: string) => {
  const [row] = await worker.sql<{ n: number }>('select count(*)::int as n from senders where name = $1', [name])
  return row?.n
}

interface Sender {
  id: number
}

test('the same request with the same key has the same answer and one effect', async () => {
  const headers = key()
  const first = await api.post<Sender>('/senders', sender('repeated'), headers)
  const second = await api.post<Sender>('/senders', sender('repeated'), headers)
  expect([first.status, second.status]).toEqual([201, 201])
  expect(second.body).toEqual(first.body)
  expect(first.headers.get('idempotency-replayed')).toBeNull()
  expect(second.headers.get('idempotency-replayed')).toBe('true')
  expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
  expect(await count('repeated')).toBe(1)
})

test('requests in parallel with the same key have one effect; the others are told to wait or get its answer', async () => {
  const headers = key()
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => api.post<Sender & { code?: string }>('/senders', sender('raced'), headers)),
  )
  const made = answers.filter(({ status }) => status === 201)
  const waiting = answers.filter(({ status }) => status === 409)
  expect(made.length).toBeGreaterThanOrEqual(1)
  expect(made.length + waiting.length).toBe(8)
  expect(new Set(made.map(({ body }) => body.id)).size).toBe(1)
  for (const { body, headers } of waiting) {
    expect(body.code).toBe('idempotency_in_progress')
    expect(headers.get('retry-after')).toBe('1')
  }
  expect(await count('raced')).toBe(1)
})

test('another request with the same key is refused and has no effect', async () => {
  const headers = key()
  const { body } = await api.post<Sender>('/senders', sender('original'), headers)
  for (const answer of [
    await api.post('/senders', sender('another'), headers),
    await api.post('/templates/preview?x=1', sender('original'), headers),
    await api.patch(`/senders/${body.id}`, { name: 'another' }, headers),
    await api.delete(`/senders/${body.id}`, headers),
  ].filter(({ body: problem }) => problem.code !== 'validation_failed')) {
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([
      422,
      'idempotency_key_reused',
      'Idempotency-Key',
    ])
  }
  expect(await count('another')).toBe(0)
  expect(await count('original')).toBe(1)
})

test('an answer without a body is repeated too', async () => {
  const { body } = await api.post<Sender>('/senders', sender('deleted'))
  const headers = key()
  const first = await api.delete(`/senders/${body.id}`, headers)
  const second = await api.delete(`/senders/${body.id}`, headers)
  expect([first.status, second.status]).toEqual([204, 204])
  expect(second.headers.get('idempotency-replayed')).toBe('true')
})

test('a key belongs to the API key it came with', async () => {
  const other = await openApi(worker)
  const headers = key()
  await api.post('/senders', sender('mine'), headers)
  const answer = await other.post('/senders', sender('theirs'), headers)
  expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([201, null])
})

test('a refused call is not kept: the same key may try again', async () => {
  const headers = key()
  expect((await api.post('/senders', { ...sender('corrected'), from_email: 'a' }, headers)).status).toBe(422)
  expect((await api.post('/senders', sender('corrected'), headers)).status).toBe(201)
})

test('a failed call is not kept: the same key may try again', async () => {
  const headers = key()
  await worker.sql('alter table senders rename to senders_away')
  expect((await api.post('/senders', sender('recovered'), headers)).status).toBe(500)
  await worker.sql('alter table senders_away rename to senders')
  const again = await api.post('/senders', sender('recovered'), headers)
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, null])
})

test('a call without a good API key leaves no trace and learns nothing', async () => {
  const headers = key()
  await api.post('/senders', sender('guarded'), headers)
  const answer = await request('/api/v1/senders', {
    method: 'POST',
    headers: { ...headers, authorization: 'Bearer emk_wrong', 'content-type': 'application/json' },
    body: JSON.stringify(sender('guarded')),
  })
  expect(answer.status).toBe(401)
  const reader = await openApi(worker, ['read'])
  expect((await reader.post('/senders', sender('guarded'), headers)).status).toBe(403)
})

test('a caller who gives up finds the answer when they ask again', async () => {
  const headers = key()
  const giving_up = new AbortController()
  const first = exports.default
    .fetch(`${ORIGIN}/api/v1/senders`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${api.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(sender('abandoned')),
      signal: giving_up.signal,
    })
    .catch(() => null)
  await expect
    .poll(() => worker.sql('select 1 from idempotency_keys where key = $1', [headers['idempotency-key']]))
    .toHaveLength(1)
  giving_up.abort()
  await first
  await expect
    .poll(async () => (await api.post('/senders', sender('abandoned'), headers)).status, { timeout: 5000 })
    .toBe(201)
  expect(await count('abandoned')).toBe(1)
})

describe('a call that died', () => {
  test('is waited for, then its key runs anew', async () => {
    const headers = key()
    await api.post('/senders', sender('dead'), headers)
    await worker.sql('update idempotency_keys set status = null, body = null where key = $1', [
      headers['idempotency-key'],
    ])
    await worker.sql("delete from senders where name = 'dead'")
    const waiting = await api.post('/senders', sender('dead'), headers)
    expect([waiting.status, waiting.body.code]).toEqual([409, 'idempotency_in_progress'])
    await worker.sql("update idempotency_keys set created_at = now() - interval '3 minutes' where key = $1", [
      headers['idempotency-key'],
    ])
    expect((await api.post('/senders', sender('dead'), headers)).status).toBe(201)
  })
})

test.each(['', 'a b', 'ä', 'x'.repeat(256)])('the key %j is refused', async (value) => {
  const answer = await api.post('/senders', sender('refused key'), { 'idempotency-key': value })
  expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([
    400,
    'bad_idempotency_key',
    'Idempotency-Key',
  ])
  expect(await count('refused key')).toBe(0)
})

test('answers are kept for a day: an older key is free again, and cron removes it', async () => {
  const headers = key()
  await api.post('/senders', sender('yesterday'), headers)
  await worker.sql("update idempotency_keys set created_at = now() - interval '25 hours' where key = $1", [
    headers['idempotency-key'],
  ])
  const answer = await api.post('/senders', sender('today'), headers)
  expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([201, null])

  await worker.sql("update idempotency_keys set created_at = now() - interval '25 hours' where key = $1", [
    headers['idempotency-key'],
  ])
  const [before] = await worker.sql<{ n: number }>('select count(*)::int as n from idempotency_keys')
  expect(await forgetIdempotencyKeys(worker.db)).toBe(1)
  expect(await worker.sql('select count(*)::int as n from idempotency_keys')).toEqual([{ n: (before?.n ?? 0) - 1 }])
})
