import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { frozenCampaign } from '../support/campaign.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { ORIGIN, openApi } from './client.ts'

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

test('an audience names campaigns that are there, by what people did with them', async () => {
  const { campaign_id, list_id } = await frozenCampaign(worker, 1)
  const sender = { name: 'Engaged', from_name: 'A', from_email: 'a@example.com', postal_address: 'Street 1' }
  const { body: sent_by } = await api.post<{ id: number }>('/senders', sender)
  const template = await api.post<{ id: number }>('/templates', {
    ...{ name: 'T', format: 'html' },
    source: '<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">leave</a></p>',
  })
  const content = { name: 'C', subject: 's', template_id: template.body.id, sender_id: sent_by.id }
  const create = <Body>(conditions: object) =>
    api.post<Body>('/campaigns', { ...content, audience: { include: [list_id], ...conditions } })
  const conditions = { active_within_days: 90, not_opened: campaign_id, clicked: campaign_id }
  const made = await create<{ audience: object }>(conditions)
  expect([made.status, made.body.audience]).toEqual([
    201,
    { include: [list_id], exclude: [], where: {}, sample: null, ...conditions },
  ])
  const bad = await create<{ code: string; errors: { field: string }[] }>({ opened: 987_654, not_clicked: 987_655 })
  expect([bad.status, bad.body.errors.map(({ field }) => field)]).toEqual([
    422,
    ['audience.opened', 'audience.not_clicked'],
  ])
  for (const [field, value] of [
    ['active_within_days', 0],
    ['active_within_days', 4000],
    ['active_within_days', '7'],
    ['opened', null],
    ['clicked', -1],
  ]) {
    const refused = await create<{ errors: { field: string }[] }>({ [String(field)]: value })
    expect([refused.status, refused.body.errors[0]?.field]).toEqual([422, `audience.${field}`])
  }
})

test('recipients come as a file', async () => {
  const { campaign_id, subscriber_ids } = await frozenCampaign(worker, 3)
  const download = async (query: string) => {
    const headers = { authorization: `Bearer ${api.key}` }
    const path = `${ORIGIN}/api/v1/campaigns/${campaign_id}/recipients${query}`
    const response = await exports.default.fetch(path, { headers })
    return {
      headers: response.headers,
      lines: new TextDecoder()
        .decode(await response.arrayBuffer())
        .split(/\r?\n/)
        .slice(0, -1),
    }
  }
  const csv = await download('')
  expect(csv.headers.get('content-type')).toMatch(/^text\/csv/)
  expect(csv.headers.get('content-disposition')).toBe(`attachment; filename="campaign-${campaign_id}-recipients.csv"`)
  expect(csv.lines.map((line) => line.split(',')[0])).toEqual(['subscriber_id', ...subscriber_ids.map(String)])
  const json = await download('?format=ndjson')
  expect(json.headers.get('content-type')).toBe('application/x-ndjson')
  expect(json.lines.map((line) => JSON.parse(line).subscriber_id)).toEqual(subscriber_ids)
  expect((await download('?only=opened')).lines).toHaveLength(1)

  for (const [query, field] of [
    ['?only=everyone', 'only'],
    ['?format=xlsx', 'format'],
    ['?formula_safe=no', 'formula_safe'],
  ]) {
    const refused = await api.get(`/campaigns/${campaign_id}/recipients${query}`)
    expect([refused.status, refused.body.errors[0]?.field]).toEqual([422, field])
  }
  expect((await api.get('/campaigns/424242/recipients')).status).toBe(404)
  const reader = await openApi(worker, ['send'])
  expect((await reader.get(`/campaigns/${campaign_id}/recipients`)).status).toBe(403)
})
