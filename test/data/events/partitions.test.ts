import { afterAll, beforeEach, expect, test } from 'vitest'
import { flushEvents } from '../../../src/events/flush.ts'
import { ensurePartitions } from '../../../src/events/partitions.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { differences, event } from './events.ts'

const NOVEMBER = new Date('2026-11-24T10:00:00Z')
const opened: TestDatabase[] = []
let t: TestDatabase
beforeEach(async () => {
  t = await openTestDatabase()
  opened.push(t)
})
afterAll(async () => {
  for (const database of opened) await database.close()
})

/** Where the events lie. */
const places = () =>
  t.sql(
    `select c.relname as place, (select count(*) from campaign_events e where e.tableoid = c.oid)::int as events
     from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'campaign_events'::regclass order by 1`,
  )
const on = (occurred_at: string) => event('open', 1, 1, { occurred_at })

test('this and the next month get a partition, once, also when asked many times at once', async () => {
  await Promise.all(Array.from({ length: 4 }, () => ensurePartitions(t.db, NOVEMBER)))
  await ensurePartitions(t.db, NOVEMBER)
  await flushEvents(t.db, [
    on('2026-10-31T23:59:59.999Z'),
    on('2026-11-01T00:00:00.000Z'),
    on('2026-12-31T23:59:59.999Z'),
    on('2027-01-01T00:00:00.000Z'),
  ])
  expect(await places()).toEqual([
    { place: 'campaign_events_2026_11', events: 1 },
    { place: 'campaign_events_2026_12', events: 1 },
    { place: 'campaign_events_default', events: 2 },
  ])
})

test('events that came before their month move into it and still count once', async () => {
  const early = [on('2026-11-05T00:00:00.000Z'), on('2026-12-05T00:00:00.000Z'), on('2026-09-05T00:00:00.000Z')]
  await flushEvents(t.db, early)
  expect(await places()).toEqual([{ place: 'campaign_events_default', events: 3 }])
  await ensurePartitions(t.db, NOVEMBER)
  expect(await places()).toEqual([
    { place: 'campaign_events_2026_11', events: 1 },
    { place: 'campaign_events_2026_12', events: 1 },
    { place: 'campaign_events_default', events: 1 },
  ])
  expect((await flushEvents(t.db, early)).inserted).toBe(0)
  expect(await differences(t)).toEqual([])
})

test('a month is made while events of it are being written, and none is lost', async () => {
  const months = ['2026-11', '2026-12', '2027-01', '2027-02', '2027-03']
  const events = months.flatMap((month) => Array.from({ length: 100 }, () => on(`${month}-10T00:00:00.000Z`)))
  const writes = Array.from({ length: 10 }, (_, i) => flushEvents(t.db, events.slice(i * 50, i * 50 + 50)))
  const makes = months.slice(1).map((month) => ensurePartitions(t.db, new Date(`${month}-01T00:00:00Z`)))
  await Promise.all([...writes, ...makes])
  expect((await places()).reduce((sum, { events: n }) => sum + Number(n), 0)).toBe(500)
  expect(await differences(t)).toEqual([])
})

test('partitions older than the retention are dropped, with what the default one holds of that time', async () => {
  await ensurePartitions(t.db, new Date('2025-09-10T00:00:00Z'))
  await ensurePartitions(t.db, NOVEMBER)
  await flushEvents(t.db, [
    on('2025-08-01T00:00:00.000Z'),
    on('2025-09-30T00:00:00.000Z'),
    on('2025-10-31T00:00:00.000Z'),
    on('2026-11-30T00:00:00.000Z'),
  ])
  // 395 days before 30 November 2026 is 31 October 2025: September is over, October is not.
  await Promise.all([1, 2, 3].map(() => ensurePartitions(t.db, new Date('2026-11-30T00:00:00Z'), 395)))
  expect(await places()).toEqual([
    { place: 'campaign_events_2025_10', events: 1 },
    { place: 'campaign_events_2026_11', events: 1 },
    { place: 'campaign_events_2026_12', events: 0 },
    { place: 'campaign_events_default', events: 0 },
  ])
})
