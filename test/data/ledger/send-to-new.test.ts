// A campaign that looks through its audience once more: only who has no row gets one, whatever happens meanwhile.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { sendToNew } from '../../../src/campaigns/send-to-new.ts'
import { pauseCampaign, resumeCampaign } from '../../../src/campaigns/transitions.ts'
import { type Dispatcher, dispatchCampaign } from '../../../src/dispatch/dispatch.ts'
import type { BatchPointer, DispatchMessage } from '../../../src/dispatch/message.ts'
import { completeCampaign } from '../../../src/ledger/complete.ts'
import { freezePage } from '../../../src/ledger/freeze.ts'
import { seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { openTestRedis, type TestRedis } from '../../support/redis.ts'
import { ledgerActs } from './acts.ts'

let t: TestDatabase
let r: TestRedis
beforeAll(async () => {
  t = await openTestDatabase()
  r = openTestRedis()
})
afterAll(async () => {
  await r.close()
  await t.close()
})
const { sums } = ledgerActs(() => t)

const queued: DispatchMessage[] = []
const pointers: BatchPointer[] = []
beforeEach(() => {
  queued.length = 0
  pointers.length = 0
})

const dispatcher = (page_size: number): Dispatcher => ({
  db: t.db,
  dispatch: { send: async (message) => queued.push(message) },
  sends: {
    sendBatch: async (messages) => {
      for (const { body } of messages) pointers.push(body)
    },
  },
  now: () => new Date(),
  page_size,
})

/** What the queue has for the dispatcher. */
async function dispatch(page_size = 1000) {
  for (let next = queued.shift(); next; next = queued.shift()) await dispatchCampaign(dispatcher(page_size), next)
}

const audienceOf = (list_id: number) => ({ include: [list_id], exclude: [] as number[], where: {}, sample: null })

const again = (campaign_id: number, audience: ReturnType<typeof audienceOf>) =>
  sendToNew(
    { db: t.db, redis: r.redis, redis_keys: r.keys, dispatch: dispatcher(0).dispatch },
    { id: campaign_id, audience },
  )

/** Every open row was sent. */
async function sendAll(campaign_id: number) {
  await t.sql(`update deliveries set state = 'sent' where campaign_id = $1 and state = 'pending'`, [campaign_id])
  await t.sql('update batches set sent = sent + open, open = 0 where campaign_id = $1', [campaign_id])
}

async function sentCampaign(size: number) {
  const seeded = await seedCampaign(t, size)
  queued.push({ campaign_id: seeded.campaign_id, enqueued: 0 })
  await dispatch()
  await sendAll(seeded.campaign_id)
  await completeCampaign(t.db, seeded.campaign_id)
  pointers.length = 0
  return { ...seeded, audience: audienceOf(seeded.list_id) }
}

/** New people on a list. */
async function join(list_id: number, n: number) {
  const rows = await t.sql(
    `with p as (insert into subscribers (email) select gen_random_uuid() || '@example.com' from generate_series(1, $2::int) returning id)
     insert into list_members (list_id, subscriber_id) select $1, id from p returning subscriber_id as id`,
    [list_id, n],
  )
  return rows.map((row) => Number(row.id)).sort((a, b) => a - b)
}

const statusOf = async (campaign_id: number) => {
  const [row] = await t.sql('select status from campaigns where id = $1', [campaign_id])
  return row?.status
}

/** Who waits to be sent to, by batch. */
const waiting = async (campaign_id: number) => {
  const rows = await t.sql<{ batch: number; ids: string[] }>(
    `select batch, array_agg(subscriber_id order by subscriber_id) as ids from deliveries
     where campaign_id = $1 and state = 'pending' group by batch order by batch`,
    [campaign_id],
  )
  return rows.map(({ batch, ids }) => [batch, ids.map(Number)])
}

test('who joined since gets a row in a new batch, and nobody else a second one', async () => {
  const { campaign_id, list_id, audience } = await sentCampaign(230)
  const fresh = await join(list_id, 120)
  await again(campaign_id, audience)
  expect(await statusOf(campaign_id)).toBe('sending')
  await dispatch()
  expect(await waiting(campaign_id)).toEqual([
    [3, fresh.slice(0, 100)],
    [4, fresh.slice(100)],
  ])
  expect(pointers).toEqual([3, 4].map((batch) => ({ campaign_id, batch })))
  expect(await sums(campaign_id)).toMatchObject({ audience: 350, open: 120, sent: 230 })
  await sendAll(campaign_id)
  expect(await completeCampaign(t.db, campaign_id)).toBe(true)
})

test('with nobody new it is sent again by itself', async () => {
  const { campaign_id, audience } = await sentCampaign(30)
  await again(campaign_id, audience)
  await dispatch(10)
  expect([await statusOf(campaign_id), pointers]).toEqual(['sent', []])
  expect(await sums(campaign_id)).toMatchObject({ audience: 30, open: 0, sent: 30 })
})

test('whoever came to the list, not to the database, is new too; who left again, or is excluded, is not', async () => {
  const { campaign_id, list_id, subscriber_ids } = await sentCampaign(20)
  const other = await seedCampaign(t, 3)
  const [old = 0, gone = 0, out = 0] = other.subscriber_ids
  const blocked = await seedCampaign(t, 0)
  const add = (list: number, id: number) =>
    t.sql('insert into list_members (list_id, subscriber_id) values ($1, $2)', [list, id])
  for (const id of [old, gone, out]) await add(list_id, id)
  await t.sql(
    `update list_members set status = 'unsubscribed', unsubscribed_at = now() where list_id = $1 and subscriber_id = $2`,
    [list_id, gone],
  )
  await add(blocked.list_id, out)
  // A ledger row outlives its person.
  await t.sql('delete from subscribers where id = $1', [subscriber_ids[0]])
  const audience = { ...audienceOf(list_id), exclude: [blocked.list_id] }
  await t.sql('update campaigns set audience = $2::jsonb where id = $1', [campaign_id, JSON.stringify(audience)])
  await again(campaign_id, audience)
  await dispatch(7)
  expect(await waiting(campaign_id)).toEqual([[1, [old]]])
  expect(await sums(campaign_id)).toMatchObject({ audience: 21, sent: 20, open: 1 })
})

test('also while the first are still being sent', async () => {
  const { campaign_id, list_id } = await seedCampaign(t, 5)
  queued.push({ campaign_id, enqueued: 0 })
  await dispatch()
  const fresh = await join(list_id, 2)
  await again(campaign_id, audienceOf(list_id))
  await dispatch()
  expect((await waiting(campaign_id)).at(-1)).toEqual([1, fresh])
  expect(await sums(campaign_id)).toMatchObject({ audience: 7, open: 7 })
})

test('not while the audience is being written down, nor from any other state', async () => {
  const { campaign_id, list_id } = await seedCampaign(t, 5)
  const audience = audienceOf(list_id)
  await expect(again(campaign_id, audience)).rejects.toMatchObject({ code: 'wrong_status' })
  await freezePage(t.db, campaign_id, 0, audience)
  for (const status of ['paused', 'cancelled', 'draft']) {
    await t.sql('update campaigns set status = $2 where id = $1', [campaign_id, status])
    await expect(again(campaign_id, audience)).rejects.toMatchObject({ code: 'wrong_status' })
  }
  expect(queued).toEqual([])
})

test('a list that is gone, and with it who was left out, refuses it', async () => {
  const { campaign_id, list_id } = await sentCampaign(2)
  const { list_id: excluded } = await seedCampaign(t, 1)
  await t.sql('delete from mailing_lists where id = $1', [excluded])
  const refused = again(campaign_id, { ...audienceOf(list_id), exclude: [excluded] })
  await expect(refused).rejects.toMatchObject({ code: 'campaign_not_ready', errors: [{ field: 'audience.exclude.0' }] })
  expect(await statusOf(campaign_id)).toBe('sent')
})

test('of many calls at once each new member gets one row', async () => {
  const { campaign_id, list_id, audience } = await sentCampaign(10)
  const fresh = await join(list_id, 25)
  const calls = await Promise.allSettled(Array.from({ length: 5 }, () => again(campaign_id, audience)))
  expect(calls.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  // The message comes twice, and both copies are worked on at once.
  const [message] = queued.splice(0)
  if (!message) throw new Error('nothing was dispatched')
  await Promise.all([dispatchCampaign(dispatcher(6), message), dispatchCampaign(dispatcher(6), message)])
  expect((await waiting(campaign_id)).flatMap(([, ids]) => ids)).toEqual(fresh)
  expect(await sums(campaign_id)).toMatchObject({ audience: 35, open: 25, sent: 10 })
})

test('a pause in the middle holds the freeze, and it goes on from there', async () => {
  const { campaign_id, list_id, audience } = await sentCampaign(20)
  const fresh = await join(list_id, 20)
  await again(campaign_id, audience)
  const page = await freezePage(t.db, campaign_id, 0, audience, 25)
  expect(page).toMatchObject({ complete: false, batch_count: 2 })
  await pauseCampaign(t.db, campaign_id, 'test')
  await dispatch(25)
  expect((await waiting(campaign_id)).flatMap(([, ids]) => ids)).toEqual(fresh.slice(0, 5))
  await resumeCampaign(t.db, campaign_id)
  queued.push({ campaign_id, enqueued: 0 })
  await dispatch(25)
  expect((await waiting(campaign_id)).flatMap(([, ids]) => ids)).toEqual(fresh)
  expect(pointers.map(({ batch }) => batch)).toEqual([1, 2])
  expect(await sums(campaign_id)).toMatchObject({ audience: 40, open: 20, sent: 20 })
})
