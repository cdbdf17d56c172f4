import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { flushEvents } from '../../../src/events/flush.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { countEvents, crowd, differences, event, forgetEvents } from './events.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())
afterEach(async () => {
  expect(await differences(t)).toEqual([])
  await forgetEvents(t)
})

test('nothing to write asks nothing', async () => {
  expect(await flushEvents(t.db, [])).toEqual({ inserted: 0, touched: [] })
})

test('moves the recipient, the totals, the uniques and the hours', async () => {
  const later = { occurred_at: '2026-11-24T11:00:00.000Z' }
  const flushed = await flushEvents(t.db, [
    event('open', 1, 10, later),
    event('open', 1, 10),
    event('click', 1, 10, { link: 2, country: 'DE' }),
    event('open', 1, 11),
    event('open', 2, 10),
  ])
  expect(flushed.inserted).toBe(5)
  expect(flushed.touched).toEqual([
    { campaign_id: 1, subscriber_id: 10 },
    { campaign_id: 1, subscriber_id: 11 },
    { campaign_id: 2, subscriber_id: 10 },
  ])
  const [stats] = await t.sql('select * from campaign_stats where campaign_id = 1')
  expect(stats).toMatchObject({ opens: 3, unique_opens: 2, clicks: 1, unique_clicks: 1, unsubscribes: 0 })
  const hours = await t.sql(
    `select to_char(hour at time zone 'utc', 'HH24') as hour, link, opens, clicks from campaign_hourly
     where campaign_id = 1 order by 1, 2`,
  )
  expect(hours).toEqual([
    { hour: '10', link: 0, opens: 2, clicks: 0 },
    { hour: '10', link: 2, opens: 0, clicks: 1 },
    { hour: '11', link: 0, opens: 1, clicks: 0 },
  ])
})

test('an earlier open that arrives later is the first open, and not a second reader', async () => {
  await flushEvents(t.db, [event('open', 1, 10, { occurred_at: '2026-11-24T12:00:00.000Z' })])
  await flushEvents(t.db, [event('open', 1, 10, { occurred_at: '2026-11-24T09:00:00.000Z' })])
  const rows = await t.sql(
    `select first_opened_at = '2026-11-24T09:00:00Z' as first, unique_opens from recipient_stats join campaign_stats using (campaign_id)`,
  )
  expect(rows).toEqual([{ first: true, unique_opens: 1 }])
})

test('the same event twice in one flush counts once', async () => {
  const open = event('open', 1, 10)
  expect((await flushEvents(t.db, [open, open])).inserted).toBe(1)
})

test('a replay inserts nothing and changes nothing, but still says whom it is about', async () => {
  const events = crowd(1000)
  expect((await flushEvents(t.db, events)).inserted).toBe(1000)
  const before = await t.sql('select md5(string_agg(s::text, $1 order by s::text)) from recipient_stats s', [','])
  const again = await flushEvents(t.db, [...events].reverse())
  expect(again.inserted).toBe(0)
  expect(again.touched.length).toBe(new Set(events.map((e) => `${e.campaign_id}:${e.subscriber_id}`)).size)
  expect(await t.sql('select md5(string_agg(s::text, $1 order by s::text)) from recipient_stats s', [','])).toEqual(
    before,
  )
})

test('flushes of the same and of overlapping events at once count each event once', async () => {
  const events = crowd(3000, 50)
  const shuffled = () => [...events].sort(() => Math.random() - 0.5)
  const flushes = Array.from({ length: 6 }, (_, i) => flushEvents(t.db, shuffled().slice(0, i % 2 ? 3000 : 2000)))
  const inserted = (await Promise.all(flushes)).reduce((sum, flushed) => sum + flushed.inserted, 0)
  expect(inserted).toBe(3000)
  expect(await countEvents(t)).toBe(3000)
})

test('different events of the same readers at once do not lose a count', async () => {
  await Promise.all(Array.from({ length: 8 }, () => flushEvents(t.db, crowd(500, 20))))
  expect(await countEvents(t)).toBe(4000)
})

test('an unknown campaign and an unknown subscriber are recorded and harm nothing', async () => {
  const events = [
    event('open', 999_999, 1),
    event('unsubscribe', 999_999, 888_888),
    event('unsubscribe', 999_999, 1, { scope: 'all' }),
  ]
  expect((await flushEvents(t.db, events)).inserted).toBe(3)
  expect(await t.sql('select * from consents')).toEqual([])
})
