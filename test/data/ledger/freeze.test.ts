import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Audience } from '../../../src/campaigns/audience.ts'
import { freezePage } from '../../../src/ledger/freeze.ts'
import { seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const everyone = (list_id: number, more: Partial<Audience> = {}): Audience => ({
  include: [list_id],
  exclude: [],
  where: {},
  sample: null,
  ...more,
})

async function frozen(campaign_id: number) {
  const rows = await t.sql<{ id: number }>(
    'select subscriber_id::int as id from deliveries where campaign_id = $1 order by 1',
    [campaign_id],
  )
  return rows.map((row) => row.id)
}

/** Freezes to the end in pages of `size`. */
async function freezeAll(campaign_id: number, audience: Audience, size: number) {
  let from = 0
  for (let pages = 1; pages < 1000; pages++) {
    const page = await freezePage(t.db, campaign_id, from, audience, size)
    if (!page) throw new Error('the freeze lost its place')
    if (page.complete) return { pages, batch_count: page.batch_count }
    from = page.frozen_to
  }
  throw new Error('the freeze never ends')
}

test('pages freeze everyone once, in batches of at most 100 that sum to the audience', async () => {
  const { campaign_id, list_id, subscriber_ids } = await seedCampaign(t, 730)
  expect(await freezeAll(campaign_id, everyone(list_id), 250)).toEqual({ pages: 3, batch_count: 9 })
  expect(await frozen(campaign_id)).toEqual(subscriber_ids)
  const batches = await t.sql(
    `select b.n, b.size, b.open, count(d.*)::int as rows from batches b
     join deliveries d on d.campaign_id = b.campaign_id and d.batch = b.n
     where b.campaign_id = $1 group by b.n, b.size, b.open order by b.n`,
    [campaign_id],
  )
  expect(batches.map((b) => b.n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  for (const b of batches) expect([b.size, b.open]).toEqual([b.rows, b.rows])
})

test('whoever asked for a pause is left out until it is over', async () => {
  const { campaign_id, list_id, subscriber_ids } = await seedCampaign(t, 4)
  const [pausing, over, back] = subscriber_ids
  await t.sql(`update subscribers set paused_until = now() + interval '1 hour' where id = $1`, [pausing])
  await t.sql(`update subscribers set paused_until = now() - interval '1 second' where id = $1`, [over])
  await t.sql('update subscribers set paused_until = null where id = $1', [back])
  await freezeAll(campaign_id, everyone(list_id), 100)
  expect(await frozen(campaign_id)).toEqual(subscriber_ids.filter((id) => id !== pausing))
})

test('an audience that is an exact multiple of the page still comes to its end', async () => {
  const { campaign_id, list_id } = await seedCampaign(t, 200)
  expect(await freezeAll(campaign_id, everyone(list_id), 100)).toEqual({ pages: 3, batch_count: 2 })
})

test('the same page run by many at once is frozen once', async () => {
  const { campaign_id, list_id } = await seedCampaign(t, 300)
  const runs = await Promise.all(
    Array.from({ length: 8 }, () => freezePage(t.db, campaign_id, 0, everyone(list_id), 150)),
  )
  expect(runs.filter(Boolean)).toHaveLength(1)
  expect(await frozen(campaign_id)).toHaveLength(150)
})

test('a repeated page does not read as the end', async () => {
  const { campaign_id, list_id } = await seedCampaign(t, 300)
  await freezePage(t.db, campaign_id, 0, everyone(list_id), 150)
  expect(await freezePage(t.db, campaign_id, 0, everyone(list_id), 150)).toBeNull()
  const [row] = await t.sql('select frozen_at from campaigns where id = $1', [campaign_id])
  expect(row?.frozen_at).toBeNull()
})

test('who joins after the start is not in the audience', async () => {
  const { campaign_id, list_id, subscriber_ids } = await seedCampaign(t, 3)
  const late = await seedCampaign(t, 1)
  await t.sql('insert into list_members (list_id, subscriber_id) values ($1, $2)', [list_id, late.subscriber_ids[0]])
  await freezeAll(campaign_id, everyone(list_id), 100)
  expect(await frozen(campaign_id)).toEqual(subscriber_ids)
})

test('whoever is on two lists is frozen once; excluded, unsubscribed and other people are not', async () => {
  const { campaign_id, list_id, subscriber_ids } = await seedCampaign(t, 10)
  const other = await seedCampaign(t, 5)
  const out = await seedCampaign(t, 1)
  const join = (list: number, subscriber: number | undefined) =>
    t.sql('insert into list_members (list_id, subscriber_id) values ($1, $2)', [list, subscriber])
  await join(other.list_id, subscriber_ids[0])
  await join(out.list_id, subscriber_ids[1])
  await t.sql(`update list_members set status = 'unsubscribed', unsubscribed_at = now() where subscriber_id = $1`, [
    subscriber_ids[2],
  ])
  await t.sql(`update subscribers set status = 'complained' where id = $1`, [subscriber_ids[3]])
  await t.sql('update campaigns set audience_max_id = (select max(id) from subscribers) where id = $1', [campaign_id])
  const audience = everyone(list_id, { include: [list_id, other.list_id], exclude: [out.list_id] })
  await freezeAll(campaign_id, audience, 4)
  const gone = new Set(subscriber_ids.slice(1, 4))
  const wanted = [...subscriber_ids, ...other.subscriber_ids].filter((id) => !gone.has(id))
  expect(await frozen(campaign_id)).toEqual(wanted.sort((a, b) => a - b))
})

test('attributes must be equal; a sample takes its share and always the same people', async () => {
  const { list_id, subscriber_ids } = await seedCampaign(t, 2000)
  await t.sql(`update subscribers set attributes = '{"plan": "pro"}' where id = any($1::bigint[])`, [
    subscriber_ids.slice(0, 1500),
  ])
  const run = async (sample: Audience['sample']) => {
    const [row] = await t.sql<{ id: number }>(
      `insert into campaigns (name, subject, template_id, sender_id, audience, status, snapshot, audience_max_id, started_at)
       select name, subject, template_id, sender_id, audience, 'sending', snapshot, (select max(id) from subscribers), now()
       from campaigns limit 1 returning id::int as id`,
    )
    const id = row?.id ?? 0
    await freezeAll(id, everyone(list_id, { where: { plan: 'pro' }, sample }), 300)
    return frozen(id)
  }
  expect(await run(null)).toEqual(subscriber_ids.slice(0, 1500))
  const first = await run({ percent: 20, seed: 7 })
  expect(first.length).toBeGreaterThan(220)
  expect(first.length).toBeLessThan(380)
  expect(await run({ percent: 20, seed: 7 })).toEqual(first)
  expect(await run({ percent: 20, seed: 8 })).not.toEqual(first)
})

test('a paused campaign does not freeze', async () => {
  const { campaign_id, list_id } = await seedCampaign(t, 3, { status: 'paused' })
  expect(await freezePage(t.db, campaign_id, 0, everyone(list_id))).toBeNull()
})
