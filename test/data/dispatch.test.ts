import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dispatcher, dispatchCampaign } from '../../src/dispatch/dispatch.ts'
import type { BatchPointer, DispatchMessage } from '../../src/dispatch/message.ts'
import { seedCampaign } from '../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

/** A queue that keeps what it is given; `fail` makes a send be lost after so many. */
function dispatcher(more: Partial<Dispatcher> = {}) {
  const pointers: BatchPointer[] = []
  const continuations: DispatchMessage[] = []
  const d: Dispatcher = {
    db: t.db,
    dispatch: { send: async (message) => continuations.push(message) },
    sends: {
      sendBatch: async (messages) => {
        for (const { body } of messages) pointers.push(body)
      },
    },
    now: () => new Date(),
    page_size: 500,
    ...more,
  }
  return { d, pointers, continuations }
}

const numbers = (pointers: BatchPointer[]) => pointers.map((p) => p.batch)
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

test('freezes the whole audience and sends one pointer a batch', async () => {
  const { campaign_id } = await seedCampaign(t, 2345)
  const { d, pointers, continuations } = dispatcher()
  await dispatchCampaign(d, { campaign_id, enqueued: 0 })
  expect(numbers(pointers)).toEqual(upTo(24))
  expect(continuations).toEqual([])
})

test('out of time it enqueues its continuation, and nothing is sent twice or left out', async () => {
  const { campaign_id } = await seedCampaign(t, 1700)
  let looks = 0
  const { d, pointers, continuations } = dispatcher({ now: () => new Date(looks++ * 8000) })
  await dispatchCampaign(d, { campaign_id, enqueued: 0 })
  expect(continuations).toHaveLength(1)
  for (let next = continuations.shift(); next; next = continuations.shift()) await dispatchCampaign(d, next)
  expect(numbers(pointers)).toEqual(upTo(17))
})

test('killed between freezing and enqueuing, the same message sends the missing pointers', async () => {
  const { campaign_id } = await seedCampaign(t, 900)
  let sends = 0
  const lost = dispatcher({
    sends: {
      sendBatch: async () => {
        if (++sends === 1) throw new Error('the queue is away')
      },
    },
  })
  await expect(dispatchCampaign(lost.d, { campaign_id, enqueued: 0 })).rejects.toThrow('the queue is away')
  const { d, pointers } = dispatcher()
  await dispatchCampaign(d, { campaign_id, enqueued: 0 })
  expect(numbers(pointers)).toEqual(upTo(9))
})

test('two runs at once freeze everyone once and leave no batch without a pointer', async () => {
  const { campaign_id } = await seedCampaign(t, 1200)
  const a = dispatcher()
  const b = dispatcher()
  await Promise.all([
    dispatchCampaign(a.d, { campaign_id, enqueued: 0 }),
    dispatchCampaign(b.d, { campaign_id, enqueued: 0 }),
  ])
  const [row] = await t.sql('select count(*)::int as n from deliveries where campaign_id = $1', [campaign_id])
  expect(row?.n).toBe(1200)
  expect([...new Set(numbers([...a.pointers, ...b.pointers]))].sort((x, y) => x - y)).toEqual(upTo(12))
})

test('nobody in the audience any more: the campaign ends at once', async () => {
  const { campaign_id } = await seedCampaign(t, 5)
  await t.sql(`update list_members set status = 'unsubscribed', unsubscribed_at = now()`)
  const { d, pointers } = dispatcher()
  await dispatchCampaign(d, { campaign_id, enqueued: 0 })
  expect(pointers).toEqual([])
  const [row] = await t.sql('select status from campaigns where id = $1', [campaign_id])
  expect(row?.status).toBe('sent')
})

test('a campaign that is not sending is left alone', async () => {
  const { campaign_id } = await seedCampaign(t, 5, { status: 'paused' })
  const { d, pointers } = dispatcher()
  await dispatchCampaign(d, { campaign_id, enqueued: 0 })
  await dispatchCampaign(d, { campaign_id: 999_999, enqueued: 0 })
  expect(pointers).toEqual([])
})
