import { neonConfig } from '@neondatabase/serverless'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
  // From here on the key is known to this isolate.
  await api.get('/senders')
  reachable = neonConfig.fetchEndpoint
})
afterAll(() => worker.close())

// The endpoint of this isolate: of the Worker under test as of the test itself.
let reachable = neonConfig.fetchEndpoint
afterEach(() => {
  neonConfig.fetchEndpoint = reachable
})

test('an unexpected error tells its request id and nothing else', async () => {
  await worker.sql('alter table senders rename column from_email to elsewhere')
  const secret = 'someone.private@example.com'
  const log = vi.spyOn(console, 'log')
  // The driver's message quotes what was to be written: this line of it looks like one of a stack.
  const postal_address = 'Street\n    at private lane'
  const answer = await api.post('/senders', { name: 'S', from_name: 'A', from_email: secret, postal_address })
  const logged = log.mock.calls.flat().join()
  log.mockRestore()
  expect(logged).toContain(answer.body.request_id)
  expect(logged).toContain('insertSender')
  expect(logged).not.toMatch(/private|insert into/)
  await worker.sql('alter table senders rename column elsewhere to from_email')
  expect([answer.status, answer.body.code, answer.body.errors]).toEqual([500, 'internal_error', []])
  expect(answer.body.detail).toContain(answer.body.request_id)
  expect(JSON.stringify(answer.body)).not.toMatch(/insert|select|senders|elsewhere|private|42703/i)
})

test('a database that is gone is 503 for the API, and /health says which part fails', async () => {
  neonConfig.fetchEndpoint = 'http://127.0.0.1:1/sql'
  const answer = await api.get('/senders')
  expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([
    503,
    'database_unavailable',
    '5',
  ])
  expect(JSON.stringify(answer.body)).not.toMatch(/127\.0\.0\.1|postgres/)

  const health = await request<object>('/health?deep=1')
  expect(health.status).toBe(503)
  expect(health.body).toMatchObject({
    ...{ status: 'failing', problems: ['the database cannot be reached'] },
    ...{ database: 'unreachable', redis: 'ok', open_batches: null },
  })

  const unknown = await request('/api/v1/senders', { headers: { authorization: `Bearer emk_${'B'.repeat(43)}` } })
  expect([unknown.status, unknown.body.code]).toEqual([503, 'database_unavailable'])
})
