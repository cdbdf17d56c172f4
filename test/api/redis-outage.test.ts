import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker({ UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1' })
  api = await openApi(worker)
})
afterAll(() => worker.close())

test('without Redis no campaign starts or is scheduled, and the answer says why', async () => {
  const sender = { name: 'S', from_name: 'A', from_email: 'a@example.com', postal_address: 'Street 1' }
  const source = '<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">leave</a></p>'
  await api.post('/senders', sender)
  await api.post('/lists', { name: 'L' })
  await api.post('/templates', { name: 'T', format: 'html', source })
  await api.post('/subscribers', { email: 'ada@example.com', list_ids: [1] })
  const content = { name: 'C', subject: 's', template_id: 1, sender_id: 1, audience: { include: [1] } }
  expect((await api.post('/campaigns', content)).status).toBe(201)
  for (const [path, body] of [
    ['/campaigns/1/send', undefined],
    ['/campaigns/1/schedule', { scheduled_at: '2099-01-01T00:00:00Z' }],
  ] as const) {
    const answer = await api.post(path, body)
    expect([answer.status, answer.body.code]).toEqual([503, 'redis_unavailable'])
    expect(answer.headers.get('retry-after')).toBe('5')
  }
  expect((await api.get<{ status: string }>('/campaigns/1')).body.status).toBe('draft')
  // What does not need Redis goes on.
  expect((await api.get('/campaigns/1/stats')).status).toBe(200)
})
