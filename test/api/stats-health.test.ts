import { exports } from 'cloudflare:workers'
import { neonConfig } from '@neondatabase/serverless'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { frozenCampaign } from '../support/campaign.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Health {
  status: string
  problems: string[]
  database: string
  database_asked_at: string | null
  cron: string
  last_cron_at: string | null
  buffered_events: number
  buffered_seconds: number | null
  quarantined_events: number
  open_batches: number | null
}

/** The pool's own controller cannot cross into the Worker; ours is not looked at. */
const cron = () =>
  (exports.default as unknown as { scheduled(controller: object): Promise<void> }).scheduled({ cron: '* * * * *' })

/** Until the end of the test the Worker reaches no Postgres. */
function cutDatabase() {
  const reachable = neonConfig.fetchEndpoint
  neonConfig.fetchEndpoint = 'http://127.0.0.1:1/sql'
  onTestFinished(() => {
    neonConfig.fetchEndpoint = reachable
  })
}

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()

describe('GET /health', () => {
  beforeEach(async () => {
    const { keys, redis } = worker
    await redis.del(keys.cron_ran, keys.cron_asked, keys.swept, keys.wake, ...keys.event_shards)
  })

  test('before cron has run nothing is known of it, and nothing fails', async () => {
    const { status, body } = await request<Health>('/health')
    expect([status, body]).toEqual([
      200,
      {
        ...{ status: 'ok', problems: [], configuration: [], redis: 'ok' },
        ...{ database: 'unknown', database_asked_at: null, cron: 'unknown', last_cron_at: null },
        ...{ buffered_events: 0, buffered_seconds: null, quarantined_events: 0, open_batches: null },
      },
    ])
  })

  test('says what cron found, without the database being asked again', async () => {
    await frozenCampaign(worker, 201)
    await cron()
    cutDatabase()
    const { status, body } = await request<Health>('/health')
    expect([status, body]).toMatchObject([200, { status: 'ok', database: 'ok', cron: 'ok', open_batches: 3 }])
    expect(body.database_asked_at).toMatch(/^\d{4}-.*Z$/)
    expect(body.last_cron_at).toMatch(/^\d{4}-.*Z$/)

    const deep = await request<Health>('/health?deep=1')
    expect([deep.status, deep.body]).toMatchObject([503, { status: 'failing', database: 'unreachable' }])
    expect((await request<Health>('/health?deep=yes')).status).toBe(422)
  })

  test('asks the database where it is told to', async () => {
    const { status, body } = await request<Health>('/health?deep=1')
    expect([status, body]).toMatchObject([200, { database: 'ok', cron: 'unknown', open_batches: 3 }])
  })

  test('a run that found nothing to do is noted, and what was found before stays', async () => {
    await cron()
    const asked = (await request<Health>('/health')).body.database_asked_at
    await worker.redis.set(worker.keys.cron_ran, ago(3600))
    expect((await request<Health>('/health')).body).toMatchObject({ cron: 'late' })
    await worker.redis.del(worker.keys.wake)
    await cron()
    expect((await request<Health>('/health')).body).toMatchObject({ cron: 'ok', database_asked_at: asked })
  })

  test('a cron that found no database says so, until it finds it again', async () => {
    cutDatabase()
    await cron()
    const { status, body } = await request<Health>('/health')
    expect([status, body]).toMatchObject([
      503,
      { status: 'failing', problems: ['the database cannot be reached'], database: 'unreachable', cron: 'ok' },
    ])
  })

  test('a cron that is late, and events that wait for it, fail', async () => {
    await worker.redis.set(worker.keys.cron_ran, ago(1200))
    await worker.redis.set(
      worker.keys.cron_asked,
      JSON.stringify({ asked_at: ago(8000), database: 'ok', open_batches: 5 }),
    )
    const line = { event_id: 'e1', kind: 'open', campaign_id: 1, subscriber_id: 1, link: 0, country: null }
    await worker.redis.rpush(worker.keys.event_shards[3] ?? '', JSON.stringify({ ...line, occurred_at: ago(1100) }))
    const { status, body } = await request<Health>('/health')
    expect([status, body]).toMatchObject([
      503,
      { status: 'failing', cron: 'late', buffered_events: 1, database: 'unknown', open_batches: null },
    ])
    expect(body.buffered_seconds).toBeGreaterThanOrEqual(1100)
    expect(body.problems).toEqual([
      expect.stringMatching(/^cron has not run since \d{4}-/),
      expect.stringMatching(/^tracking events have waited for 11\d\d seconds/),
    ])
  })
})

test('no line of the log names a person, whatever goes wrong', async () => {
  const log = vi.spyOn(console, 'log')
  onTestFinished(() => log.mockRestore())
  const email = 'very.private@secret-domain.example'
  const { campaign_id, subscriber_ids } = await frozenCampaign(worker, 1)
  await worker.sql('update subscribers set email = $2, first_name = $3 where id = $1', [
    ...[subscriber_ids[0], email, 'Veryprivate'],
  ])
  const list = await api.post<{ id: number }>('/lists', { name: 'Secret list' })
  const create = () => api.post('/subscribers', { email, list_ids: [list.body.id], first_name: 'Veryprivate' })
  await create()
  await api.get(`/subscribers?email=${encodeURIComponent(email)}`)
  await api.get(`/campaigns/${campaign_id}/deliveries`)
  await request(`/u/${email}`)
  await request(`/t/c/${email}/x`)
  // Lines that cannot be read, an event that can, and a statement that fails on what was given.
  const line = { event_id: 'e2', kind: 'open', campaign_id, subscriber_id: subscriber_ids[0], link: 0, country: null }
  await worker.redis.rpush(
    worker.keys.event_shards[0] ?? '',
    JSON.stringify({ ...line, occurred_at: new Date().toISOString() }),
    JSON.stringify({ ...line, event_id: email }),
    `not json ${email}`,
  )
  await worker.redis.del(worker.keys.swept)
  await cron()
  await worker.sql('alter table subscribers rename column first_name to elsewhere')
  onTestFinished(async () => {
    await worker.sql('alter table subscribers rename column elsewhere to first_name')
  })
  const broken = await create()
  expect(broken.status).toBe(500)
  cutDatabase()
  await create()
  await cron()

  const lines = log.mock.calls.map(([text]) => String(text))
  expect(lines.length).toBeGreaterThan(4)
  for (const text of lines) {
    expect(text).not.toMatch(/private|secret|[\w.+-]@[\w-]/i)
    expect(JSON.parse(text)).toMatchObject({ event: expect.stringMatching(/^[a-z_]+$/) })
  }
  const failures = lines.map((text) => JSON.parse(text)).filter(({ event }) => event === 'request_failed')
  expect(failures.map(({ request_id }) => request_id)).toContain(broken.body.request_id)
})
