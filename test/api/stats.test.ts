import { afterAll, beforeAll, expect, test } from 'vitest'
import { frozenCampaign } from '../support/campaign.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

test('numbers say how far they are behind, and series come by hour or day', async () => {
  const { campaign_id } = await frozenCampaign(worker, 1)
  await worker.sql(
    `insert into campaign_hourly (campaign_id, hour, link, opens, human_opens)
     values ($1, '2026-11-24T09:00:00Z', 0, 2, 1), ($1, '2026-11-24T10:00:00Z', 0, 1, 1)`,
    [campaign_id],
  )
  const occurred_at = new Date(Date.now() - 90_000).toISOString()
  const line = { event_id: 'e1', kind: 'open', campaign_id, subscriber_id: 1, link: 0, occurred_at, country: null }
  await worker.redis.rpush(worker.keys.event_shards[0] ?? '', JSON.stringify(line))
  const read = (query: string) =>
    api.get<{ series: object; buffered_events: number; buffered_seconds: number }>(
      `/campaigns/${campaign_id}/stats${query}`,
    )
  const point = { clicks: 0, human_clicks: 0, unsubscribes: 0 }
  const { body } = await read('')
  expect(body.series).toEqual({
    unit: 'hour',
    time_zone: 'UTC',
    points: [
      { ...point, at: '2026-11-24T09:00:00.000Z', opens: 2, human_opens: 1 },
      { ...point, at: '2026-11-24T10:00:00.000Z', opens: 1, human_opens: 1 },
    ],
  })
  expect(body.buffered_events).toBe(1)
  expect(body.buffered_seconds).toBeGreaterThanOrEqual(90)
  expect((await read('?series=day')).body.series).toEqual({
    unit: 'day',
    time_zone: 'UTC',
    points: [{ ...point, at: '2026-11-24T00:00:00.000Z', opens: 3, human_opens: 2 }],
  })
  const bad = await api.get(`/campaigns/${campaign_id}/stats?series=week`)
  expect([bad.status, bad.body.errors[0]?.field]).toEqual([422, 'series'])

  const all = await api.get<{ days: { day: string }[]; totals: object; buffered_events: number }>('/stats/overview')
  expect(all.status).toBe(200)
  expect(all.body).toMatchObject({ time_zone: 'UTC', totals: { campaigns: 1 }, buffered_events: 1 })
  expect(all.body.days).toHaveLength(30)
  expect(all.body.days.at(-1)?.day).toBe(new Date().toISOString().slice(0, 10))
})
