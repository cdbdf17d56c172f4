import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Audience } from '../../../src/campaigns/audience.ts'
import { countAudience } from '../../../src/campaigns/check/audience.ts'
import { readSpread } from '../../../src/campaigns/check/spread.ts'
import { flushEvents } from '../../../src/events/flush.ts'
import { freezePage } from '../../../src/ledger/freeze.ts'
import { frozenCampaign, type SeededCampaign, seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { event } from '../events/events.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

type Condition = Partial<Omit<Audience, 'include'>>

/** Freezes a new campaign for the list of another. @returns positions on that list */
async function frozenFor({ list_id, subscriber_ids }: SeededCampaign, condition: Condition): Promise<number[]> {
  const audience = { include: [list_id], exclude: [], where: {}, sample: null, ...condition }
  const { campaign_id } = await seedCampaign(t, 0)
  await freezePage(t.db, campaign_id, 0, audience)
  const rows = await t.sql<{ id: number }>(
    'select subscriber_id::int as id from deliveries where campaign_id = $1 order by 1',
    [campaign_id],
  )
  const counted = await countAudience(t.db, audience, await readSpread(t.db, audience))
  expect(counted.count).toBe(rows.length)
  return rows.map(({ id }) => subscriber_ids.indexOf(id))
}

describe('of a campaign that was read by people and machines', () => {
  const [PERSON, APPLE, SCANNED, TEXT_READER, SILENT, NEVER_SENT, BOTH] = [0, 1, 2, 3, 4, 5, 6]
  let earlier: SeededCampaign
  beforeAll(async () => {
    earlier = await frozenCampaign(t, 7)
    const { campaign_id, subscriber_ids } = earlier
    const id = (position: number | undefined) => subscriber_ids[position ?? -1] ?? 0
    await t.sql(`update deliveries set state = 'sent', sent_at = '2026-11-24T06:00:00Z' where campaign_id = $1`, [
      campaign_id,
    ])
    await t.sql(
      `update deliveries set state = 'failed', reason = 'refused' where campaign_id = $1 and subscriber_id = $2`,
      [campaign_id, id(NEVER_SENT)],
    )
    const machine = { verdict: 'machine', reason: 'scanner' } as const
    await flushEvents(t.db, [
      event('open', campaign_id, id(PERSON)),
      event('click', campaign_id, id(PERSON)),
      event('open', campaign_id, id(APPLE), { verdict: 'unsure', reason: 'apple_mpp' }),
      event('open', campaign_id, id(SCANNED), machine),
      event('click', campaign_id, id(SCANNED), machine),
      event('click', campaign_id, id(TEXT_READER), { verdict: 'unsure', reason: 'hosting' }),
      event('open', campaign_id, id(BOTH), machine),
      event('open', campaign_id, id(BOTH), { verdict: 'unsure', reason: 'apple_mpp' }),
    ])
  })

  test.each<[string, (id: number) => Condition, (number | undefined)[]]>([
    ['opened', (opened) => ({ opened }), [PERSON, APPLE, TEXT_READER, BOTH]],
    ['not opened', (not_opened) => ({ not_opened }), [SCANNED, SILENT]],
    ['clicked', (clicked) => ({ clicked }), [PERSON, TEXT_READER]],
    ['not clicked', (not_clicked) => ({ not_clicked }), [APPLE, SCANNED, SILENT, BOTH]],
    ['opened and not clicked', (id) => ({ opened: id, not_clicked: id }), [APPLE, BOTH]],
    [
      'of any of them, within a sample of all',
      (opened) => ({ opened, sample: { percent: 100, seed: 1 } }),
      [PERSON, APPLE, TEXT_READER, BOTH],
    ],
  ])('%s', async (_, condition, expected) => {
    expect(await frozenFor(earlier, condition(earlier.campaign_id))).toEqual(expected)
  })

  test('a campaign that nobody got has nobody who did not open it, and an unknown one nobody at all', async () => {
    const { campaign_id } = await seedCampaign(t, 0)
    expect(await frozenFor(earlier, { not_opened: campaign_id })).toEqual([])
    expect(await frozenFor(earlier, { opened: 424_242 })).toEqual([])
  })

  test('when the events are forgotten, what is known as a person’s stays', async () => {
    await t.sql('delete from campaign_events where campaign_id = $1', [earlier.campaign_id])
    expect(await frozenFor(earlier, { opened: earlier.campaign_id })).toEqual([PERSON])
    expect(await frozenFor(earlier, { clicked: earlier.campaign_id })).toEqual([PERSON])
  })
})

test('active within so many days', async () => {
  const seeded = await seedCampaign(t, 4)
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
  const [today, last_week, last_year] = seeded.subscriber_ids
  await t.sql(
    `insert into subscriber_activity (subscriber_id, last_opened_at, last_active_at)
     select id, at, at from unnest($1::bigint[], $2::timestamptz[]) as x (id, at)`,
    [
      [today, last_week, last_year],
      [ago(0), ago(6.9), ago(365)],
    ],
  )
  expect(await frozenFor(seeded, { active_within_days: 7 })).toEqual([0, 1])
  expect(await frozenFor(seeded, { active_within_days: 1 })).toEqual([0])
  expect(await frozenFor(seeded, { active_within_days: 3650 })).toEqual([0, 1, 2])
})
