import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flushEvents } from '../../../src/events/flush.ts'
import { statsOverview } from '../../../src/stats/overview.ts'
import { campaignNumbers, campaignSeries } from '../../../src/stats/store.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { event } from '../events/events.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const DAY = 86_400_000

test('a campaign of which nothing is known yet has zeros and no rates', async () => {
  const { campaign_id } = await frozenCampaign(t, 2)
  expect(await campaignNumbers(t.db, campaign_id)).toMatchObject({
    deliveries: { audience: 2, open: 2, sent: 0 },
    ...{ opens: 0, human_opens: 0, unique_clicks: 0, delivered: 0, bounces: { hard: 0, soft: 0 } },
    rates: { denominator: 'sent', open_rate: null, human_click_rate: null },
    ...{ links: [], countries: [], clients: [], devices: [] },
  })
  expect(await campaignSeries(t.db, campaign_id, 'day')).toEqual({ unit: 'day', time_zone: 'UTC', points: [] })
})

describe('of a campaign that was read', () => {
  let campaign_id: number
  beforeAll(async () => {
    const seeded = await frozenCampaign(t, 4)
    campaign_id = seeded.campaign_id
    const [first = 0, second = 0, third = 0] = seeded.subscriber_ids
    await t.sql(`update deliveries set state = 'sent', sent_at = '2026-11-24T06:00:00Z' where campaign_id = $1`, [
      campaign_id,
    ])
    await t.sql('update batches set sent = size, open = 0 where campaign_id = $1', [campaign_id])
    await t.sql(
      `insert into campaign_links (campaign_id, n, url, text)
       values ($1, 1, 'https://acme.example/a', 'First'), ($1, 2, 'https://acme.example/a', 'Again'), ($1, 3, 'https://acme.example/b', 'Never')`,
      [campaign_id],
    )
    const at = (occurred_at: string) => ({ occurred_at })
    await flushEvents(t.db, [
      event('open', campaign_id, first, {
        ...at('2026-11-24T09:10:00.000Z'),
        country: 'DE',
        device: 'phone',
        client: 'gmail',
      }),
      event('open', campaign_id, first, { ...at('2026-11-24T23:50:00.000Z'), country: 'DE' }),
      event('open', campaign_id, second, { ...at('2026-11-24T09:20:00.000Z'), verdict: 'unsure', reason: 'apple_mpp' }),
      event('click', campaign_id, first, { ...at('2026-11-25T00:10:00.000Z'), link: 2, country: 'AT' }),
      event('click', campaign_id, third, {
        ...at('2026-11-25T00:20:00.000Z'),
        link: 1,
        verdict: 'machine',
        reason: 'head',
      }),
      event('unsubscribe', campaign_id, third, at('2026-11-25T00:30:00.000Z')),
    ])
  })

  test('people and machines stand side by side, and links by their position', async () => {
    expect(await campaignNumbers(t.db, campaign_id)).toEqual({
      campaign_id,
      deliveries: { audience: 4, open: 0, sent: 4, failed: 0, skipped: 0, unconfirmed: 0 },
      ...{ delivered: 0, bounces: { hard: 0, soft: 0 }, blocked: 0, complaints: 0 },
      ...{ opens: 3, unique_opens: 2, human_opens: 2, human_unique_opens: 1 },
      ...{ clicks: 2, unique_clicks: 2, human_clicks: 1, human_unique_clicks: 1 },
      ...{ unsubscribes: 1, unique_unsubscribes: 1 },
      rates: {
        denominator: 'sent',
        open_rate: 0.5,
        human_open_rate: 0.25,
        click_rate: 0.5,
        human_click_rate: 0.25,
        click_to_open_rate: 1,
        human_click_to_open_rate: 1,
        unsubscribe_rate: 0.25,
        complaint_rate: 0,
        bounce_rate: 0,
      },
      links: [
        { n: 1, url: 'https://acme.example/a', text: 'First', clicks: 1, human_clicks: 0 },
        { n: 2, url: 'https://acme.example/a', text: 'Again', clicks: 1, human_clicks: 1 },
        { n: 3, url: 'https://acme.example/b', text: 'Never', clicks: 0, human_clicks: 0 },
      ],
      countries: [
        { value: null, opens: 1, clicks: 1, human_opens: 0, human_clicks: 0 },
        { value: 'DE', opens: 2, clicks: 0, human_opens: 2, human_clicks: 0 },
        { value: 'AT', opens: 0, clicks: 1, human_opens: 0, human_clicks: 1 },
      ],
      clients: [
        { value: null, opens: 2, clicks: 2, human_opens: 1, human_clicks: 1 },
        { value: 'gmail', opens: 1, clicks: 0, human_opens: 1, human_clicks: 0 },
      ],
      devices: [
        { value: null, opens: 2, clicks: 2, human_opens: 1, human_clicks: 1 },
        { value: 'phone', opens: 1, clicks: 0, human_opens: 1, human_clicks: 0 },
      ],
    })
  })

  test('by the hour and by the day of UTC', async () => {
    const nothing = { opens: 0, clicks: 0, human_opens: 0, human_clicks: 0, unsubscribes: 0 }
    expect((await campaignSeries(t.db, campaign_id, 'hour')).points).toEqual([
      { ...nothing, at: '2026-11-24T09:00:00.000Z', opens: 2, human_opens: 1 },
      { ...nothing, at: '2026-11-24T23:00:00.000Z', opens: 1, human_opens: 1 },
      { ...nothing, at: '2026-11-25T00:00:00.000Z', clicks: 2, human_clicks: 1, unsubscribes: 1 },
    ])
    expect((await campaignSeries(t.db, campaign_id, 'day')).points).toEqual([
      { ...nothing, at: '2026-11-24T00:00:00.000Z', opens: 3, human_opens: 2 },
      { ...nothing, at: '2026-11-25T00:00:00.000Z', clicks: 2, human_clicks: 1, unsubscribes: 1 },
    ])
  })

  test('the overview has thirty days, each what happened on it, and mails on the day they set out', async () => {
    await t.sql(`update campaigns set started_at = '2026-11-24T05:00:00Z' where id = $1`, [campaign_id])
    await t.sql(`update campaigns set started_at = '2026-09-01T05:00:00Z' where id <> $1`, [campaign_id])
    await t.sql('update campaign_stats set hard_bounces = 2, complaints = 1 where campaign_id = $1', [campaign_id])
    const { days, totals } = await statsOverview(t.db, new Date('2026-11-25T23:59:00Z'))
    expect(days.map(({ day }) => day)).toEqual(
      Array.from({ length: 30 }, (_, n) => new Date(Date.parse('2026-10-27') + n * DAY).toISOString().slice(0, 10)),
    )
    const mails = { campaigns: 1, sent: 4, hard_bounces: 2, soft_bounces: 0, complaints: 1 }
    const no_mails = { campaigns: 0, sent: 0, hard_bounces: 0, soft_bounces: 0, complaints: 0 }
    expect(days.slice(-3)).toEqual([
      { day: '2026-11-23', ...no_mails, opens: 0, human_opens: 0, clicks: 0, human_clicks: 0, unsubscribes: 0 },
      { day: '2026-11-24', ...mails, opens: 3, human_opens: 2, clicks: 0, human_clicks: 0, unsubscribes: 0 },
      { day: '2026-11-25', ...no_mails, opens: 0, human_opens: 0, clicks: 2, human_clicks: 1, unsubscribes: 1 },
    ])
    expect(totals).toEqual({ ...mails, opens: 3, human_opens: 2, clicks: 2, human_clicks: 1, unsubscribes: 1 })

    const day_before = await statsOverview(t.db, new Date('2026-11-24T12:00:00Z'))
    expect(day_before.totals).toMatchObject({ campaigns: 1, opens: 3, clicks: 0 })
    const next_year = await statsOverview(t.db, new Date('2027-11-24T12:00:00Z'))
    expect(new Set(Object.values(next_year.totals))).toEqual(new Set([0]))
  })
})
