import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { insertApiKey, request } from './client.ts'

let worker: TestWorker
beforeAll(async () => {
  // The keys of a local run, deployed by mistake.
  worker = await openTestWorker({ ENVIRONMENT: 'production' })
})
afterAll(() => worker.close())

test('a deployed Worker with development keys serves nobody and says which', async () => {
  const { key } = await insertApiKey(worker)
  for (const path of ['/', '/docs', '/openapi.json', '/api/v1/senders', '/t/o/x', '/u/x']) {
    const answer = await request(path, { headers: { authorization: `Bearer ${key}` } })
    expect([answer.status, answer.body.code]).toEqual([500, 'not_configured'])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.body.errors).toEqual([
      { field: 'SIGNING_KEYS', detail: 'is the development key' },
      { field: 'HASH_KEY', detail: 'is the development secret' },
      { field: 'BOOTSTRAP_SECRET', detail: 'is the development secret' },
    ])
  }
})

test('/health says it too', async () => {
  const { status, body } = await request<object>('/health')
  expect(status).toBe(503)
  expect(body).toEqual({
    status: 'failing',
    configuration: [
      'SIGNING_KEYS is the development key',
      'HASH_KEY is the development secret',
      'BOOTSTRAP_SECRET is the development secret',
    ],
    problems: ['the configuration is not complete'],
    ...{ database: 'unknown', redis: 'unknown', cron: 'unknown', database_asked_at: null, last_cron_at: null },
    ...{ buffered_events: null, buffered_seconds: null, quarantined_events: null, open_batches: null },
  })
})
