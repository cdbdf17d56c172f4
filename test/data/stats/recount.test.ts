import { execFile } from 'node:child_process'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { flushEvents } from '../../../src/events/flush.ts'
import { ensurePartitions } from '../../../src/events/partitions.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { countedCampaigns, recountCampaign } from '../../../src/stats/recount.ts'
import { recountActivity } from '../../../src/stats/recount-activity.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { event } from '../events/events.ts'

const databases: TestDatabase[] = []
let t: TestDatabase
let campaign_id: number
let reader: number
async function open() {
  t = await openTestDatabase()
  databases.push(t)
  const seeded = await frozenCampaign(t, 150)
  campaign_id = seeded.campaign_id
  const id = (position: number) => seeded.subscriber_ids[position] ?? 0
  reader = id(0)
  await t.sql(
    `update deliveries set state = 'sent', sent_at = '2026-09-01T06:00:00Z', lease_token = gen_random_uuid() where campaign_id = $1 and batch = 0`,
    [campaign_id],
  )
  await t.sql('update batches set sent = size, open = 0 where campaign_id = $1 and n = 0', [campaign_id])
  await t.sql(`update campaigns set started_at = '2026-09-01T05:00:00Z' where id = $1`, [campaign_id])
  const place = { country: 'DE', device: 'phone', client: 'gmail' } as const
  await flushEvents(t.db, [
    event('open', campaign_id, reader, { occurred_at: '2026-09-20T10:00:00.000Z', ...place }),
    event('open', campaign_id, id(1), { occurred_at: '2026-09-21T10:00:00.000Z', verdict: 'unsure' }),
    event('open', campaign_id, reader, { occurred_at: '2026-11-24T10:00:00.000Z', ...place }),
    event('click', campaign_id, reader, { occurred_at: '2026-11-24T10:01:00.000Z', ...place }),
    event('click', campaign_id, id(2), { occurred_at: '2026-11-24T10:02:00.000Z', verdict: 'machine', reason: 'head' }),
    event('unsubscribe', campaign_id, id(2), { occurred_at: '2026-11-24T11:00:00.000Z' }),
    event('open', campaign_id, null, { occurred_at: '2026-11-24T12:00:00.000Z' }),
  ])
  await recordFeedback(t.db, [
    {
      ...{ event_id: crypto.randomUUID(), source: 'ses', kind: 'delivered', campaign_id, subscriber_id: reader },
      ...{ recipient: null, occurred_at: '2026-11-24T06:00:05.000Z', diagnostic: null, raw: null },
    },
  ])
}
beforeAll(open)
afterAll(async () => {
  for (const database of databases) await database.close()
})

const TABLES = ['batches', 'recipient_stats', 'campaign_hourly', 'campaign_breakdown', 'campaign_stats'] as const

/** All counters as they stand. */
const counters = async () =>
  Object.fromEntries(
    await Promise.all(
      TABLES.map(async (table) => [
        table,
        await t.sql(`select to_jsonb(x) - 'due_at' as row from ${table} x order by (to_jsonb(x) - 'due_at')::text`),
      ]),
    ),
  )

const recount = (repair = false) => recountCampaign(t.db, campaign_id, repair)

test('what the flush, the ledger and feedback keep is what a recount finds', async () => {
  const before = await counters()
  expect(await countedCampaigns(t.db)).toEqual([campaign_id])
  expect(await recount(true)).toEqual([])
  expect(await counters()).toEqual(before)
})

describe('each wrong counter is found, put right, and found right', () => {
  test.each<[string, (typeof TABLES)[number], string]>([
    ['a batch', 'batches', 'update batches set sent = sent - 1, failed = failed + 1 where n = 0'],
    ['a batch without a row', 'batches', 'delete from batches where n = 1'],
    ['a recipient', 'recipient_stats', 'update recipient_stats set opens = opens + 1 where opens = 2'],
    ['a recipient as people', 'recipient_stats', 'update recipient_stats set human_clicks = 7 where opens = 2'],
    ['a first open', 'recipient_stats', `update recipient_stats set first_opened_at = '2026-11-25' where opens = 2`],
    ['a recipient without a row', 'recipient_stats', 'delete from recipient_stats where opens = 2'],
    ['a row of somebody who did nothing', 'recipient_stats', 'insert into recipient_stats values (1, 4242, 1)'],
    ['an hour', 'campaign_hourly', 'update campaign_hourly set clicks = 0 where clicks > 0'],
    ['an hour without a row', 'campaign_hourly', 'delete from campaign_hourly where unsubscribes = 1'],
    ['an hour that never was', 'campaign_hourly', `insert into campaign_hourly values (1, '2026-12-01', 0, 5)`],
    ['a country', 'campaign_breakdown', `update campaign_breakdown set human_opens = 9 where value = 'DE'`],
    ['a client that never was', 'campaign_breakdown', `insert into campaign_breakdown values (1, 'client', 'x', 1)`],
    ['a total', 'campaign_stats', 'update campaign_stats set opens = opens - 1'],
    ['a number of people', 'campaign_stats', 'update campaign_stats set human_unique_clicks = 0'],
    ['what was delivered', 'campaign_stats', 'update campaign_stats set delivered = 2, complaints = 1'],
    ['all totals', 'campaign_stats', 'delete from campaign_stats'],
  ])('%s', async (_, table, plant) => {
    const right = await counters()
    await t.sql(plant)
    const wrong = await counters()
    expect(wrong).not.toEqual(right)
    const found = await recount()
    expect(new Set(found.map((difference) => difference.table))).toEqual(new Set([table]))
    expect(found[0]).toMatchObject({ rows: 1, examples: [{ key: { campaign_id } }] })
    expect(await counters()).toEqual(wrong)
    expect((await recount(true)).map((difference) => difference.table)).toEqual(
      found.map((difference) => difference.table),
    )
    expect(await recount()).toEqual([])
    expect(await counters()).toEqual(right)
  })
})

test('a difference shows both sides', async () => {
  await t.sql('update campaign_stats set delivered = 5')
  const [{ examples: [shown] = [] } = {}] = await recount(true)
  expect(shown).toMatchObject({ key: { campaign_id }, kept: { delivered: 5 }, counted: { delivered: 1 } })
})

test('flushes that run beside a repair lose nothing', async () => {
  await t.sql('update campaign_stats set opens = 0, clicks = 77')
  await t.sql('update campaign_hourly set opens = 0')
  const opens = Array.from({ length: 40 }, (_, n) =>
    event('open', campaign_id, reader, { occurred_at: new Date(Date.UTC(2026, 10, 24, 13, n)).toISOString() }),
  )
  await Promise.all([
    ...opens.map((open) => flushEvents(t.db, [open])),
    recount(true),
    recount(true),
    ...opens.map((open) => flushEvents(t.db, [open])),
  ])
  expect(await recount()).toEqual([])
  expect(await t.sql('select opens, clicks from campaign_stats')).toEqual([{ opens: 44, clicks: 2 }])
})

describe('what is kept of subscribers', () => {
  const activity = async () => [
    await t.sql('select to_jsonb(x) as row from subscriber_activity x order by subscriber_id'),
    await t.sql('select to_jsonb(x) as row from subscriber_days x order by subscriber_id, day'),
  ]
  // Days are kept for ninety of them: these are told by today.
  beforeAll(async () => {
    await flushEvents(t.db, [event('click', campaign_id, reader, { occurred_at: new Date().toISOString() })])
  })

  test.each([40, 10_000])('equals a recount in slices of %i', async (slice) => {
    expect(await recountActivity(t.db, true, slice)).toEqual([])
  })

  test.each<[string, string, string]>([
    [
      'a last open',
      'subscriber_activity',
      `update subscriber_activity set last_opened_at = '2026-11-25' where last_clicked_at is not null`,
    ],
    [
      'somebody without a row',
      'subscriber_activity',
      'delete from subscriber_activity where last_clicked_at is not null',
    ],
    [
      'somebody who did nothing',
      'subscriber_activity',
      'insert into subscriber_activity values (140, now(), null, now())',
    ],
    [
      'somebody who is no more',
      'subscriber_activity',
      'insert into subscriber_activity values (4242, now(), null, now())',
    ],
    ['a day', 'subscriber_days', 'update subscriber_days set clicks = clicks + 1 where day = current_date'],
    ['a day without a row', 'subscriber_days', 'delete from subscriber_days where day = current_date'],
  ])('%s is found and put right', async (_, table, plant) => {
    const right = await activity()
    await t.sql(plant)
    const found = await recountActivity(t.db, false, 40)
    expect(found).toMatchObject([{ table, rows: 1, examples: [{ key: { subscriber_id: expect.any(Number) } }] }])
    expect(await recountActivity(t.db, true, 40)).toEqual(found)
    expect(await recountActivity(t.db, false)).toEqual([])
    expect(await activity()).toEqual(right)
  })
})

describe('npm run recount', () => {
  const run = async (...args: string[]) => {
    const env = { ...process.env, DATABASE_URL: t.url, NEON_PROXY: t.proxy }
    return await new Promise<{ code: number; said: string }>((resolve) => {
      execFile(process.execPath, ['scripts/recount.ts', ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), said: stdout + stderr }),
      )
    })
  }

  test('says what differs and fails; puts it right; and is content', async () => {
    await t.sql('update batches set sent = sent - 1, failed = failed + 1 where n = 0')
    await t.sql('update subscriber_activity set last_opened_at = null')
    const found = await run()
    expect(found.said).toContain(`campaign ${campaign_id}: batches: 1 row differs`)
    expect(found.said).toMatch(/kept {4}.*"failed":1/)
    expect(found.said).toMatch(/subscribers: subscriber_activity: \d rows differ/)
    expect(found.code).toBe(1)
    expect((await run('--repair', '--rejudge')).code).toBe(0)
    expect(await run('--campaign', String(campaign_id))).toEqual({
      code: 0,
      said: '1 campaign: every counter is what it counts\n',
    })
  })

  test('says what is wrong with how it is called', async () => {
    expect(await run('--campaign', 'first')).toEqual({ code: 1, said: '--campaign wants a number, not first\n' })
  })
})

describe('when old events are forgotten', () => {
  beforeEach(async () => {
    await open()
    for (const month of ['2026-09-15', '2026-11-15']) await ensurePartitions(t.db, new Date(`${month}T00:00:00Z`))
    await ensurePartitions(t.db, new Date('2026-12-10T00:00:00Z'), 30)
    expect(await t.sql('select count(*)::int as n from campaign_events')).toEqual([{ n: 5 }])
  })

  test('their counters are not taken back', async () => {
    const before = await counters()
    expect(await recount(true)).toEqual([])
    expect(await counters()).toEqual(before)
    const last_deeds = await t.sql('select * from subscriber_activity order by subscriber_id')
    expect(last_deeds).toHaveLength(2)
    expect(await recountActivity(t.db, true)).toEqual([])
    expect(await t.sql('select * from subscriber_activity order by subscriber_id')).toEqual(last_deeds)
  })

  test.each<[string, string, string]>([
    [
      'an hour of which there are events',
      'campaign_hourly',
      `update campaign_hourly set clicks = 0 where hour > '2026-11-01'`,
    ],
    ['a recipient with less than there are events', 'recipient_stats', 'update recipient_stats set clicks = 0'],
    ['a total that its hours do not add up to', 'campaign_stats', 'update campaign_stats set opens = 99'],
    ['a number of people that there are not', 'campaign_stats', 'update campaign_stats set unique_opens = 99'],
    ['a country with less than there are events', 'campaign_breakdown', 'update campaign_breakdown set opens = 0'],
  ])('%s is still found and put right', async (_, table, plant) => {
    const right = await counters()
    await t.sql(plant)
    expect((await recount(true)).map((difference) => difference.table)).toContain(table)
    expect(await recount()).toEqual([])
    const { [table]: repaired, ...others } = await counters()
    expect(others).toEqual(Object.fromEntries(Object.entries(right).filter(([name]) => name !== table)))
    if (table === 'campaign_hourly' || table === 'campaign_stats') expect(repaired).toEqual(right[table])
  })

  test('a campaign that began later is proved to the last event', async () => {
    await t.sql(`update campaigns set started_at = '2026-11-20T00:00:00Z'`)
    await t.sql(`delete from campaign_hourly where hour < '2026-11-01'`)
    expect(new Set((await recount(true)).map(({ table }) => table))).toEqual(
      new Set(['recipient_stats', 'campaign_breakdown', 'campaign_stats']),
    )
    expect(await recount()).toEqual([])
    expect(await t.sql('select opens, unique_opens, clicks from campaign_stats')).toEqual([
      { opens: 2, unique_opens: 1, clicks: 2 },
    ])
  })
})
