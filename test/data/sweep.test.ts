// What stands still because a queue, a sender or a dispatcher let it lie, and is brought on its way again by cron.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { consumeDeadDispatch } from '../../src/dispatch/consume.ts'
import { dispatchCampaign } from '../../src/dispatch/dispatch.ts'
import type { BatchPointer, DispatchMessage } from '../../src/dispatch/message.ts'
import { claimBatch } from '../../src/ledger/claim.ts'
import { freezePage } from '../../src/ledger/freeze.ts'
import { advance } from '../../src/ledger/record.ts'
import { ledgerSums } from '../../src/ledger/sums.ts'
import { openSlots } from '../../src/providers/slots.ts'
import { sendBatch } from '../../src/sending/batch.ts'
import { consumeDeadSends } from '../../src/sending/consume.ts'
import type { Sender } from '../../src/sending/sender.ts'
import { frozenCampaign, seedCampaign } from '../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { minute } from '../support/minute.ts'
import { openGate } from '../support/open-gate.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'
import { ScriptedProvider, scriptedSender } from './sending/scripted.ts'

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
/** As after a full sweep a moment ago, with nothing on its way. */
beforeEach(async () => {
  await r.redis.del(r.keys.wake)
  await r.redis.set(r.keys.swept, String(Date.now()))
  await t.sql(`update campaigns set status = 'cancelled' where status = 'sending'`)
})

const cron = () => minute({ db: t.db, redis: r.redis, redis_keys: r.keys })

async function watch<T extends { campaign_id: number }>(seeded: T): Promise<T> {
  await r.redis.zadd(r.keys.wake, { score: 0, member: String(seeded.campaign_id) })
  return seeded
}

/** Time passes for a campaign: what it waits for is so much nearer. */
async function passMinutes(campaign_id: number, minutes: number) {
  await t.sql(
    `update batches set due_at = due_at - make_interval(mins => $2), lease_until = lease_until - make_interval(mins => $2)
     where campaign_id = $1`,
    [campaign_id, minutes],
  )
  await t.sql('update campaigns set updated_at = updated_at - make_interval(mins => $2) where id = $1', [
    campaign_id,
    minutes,
  ])
}

/** @returns the pointers that were put on the queue */
async function dispatch(...messages: DispatchMessage[]) {
  const queued: BatchPointer[] = []
  const sends = {
    sendBatch: async (batch: Iterable<{ body: BatchPointer }>) => {
      for (const { body } of batch) queued.push(body)
    },
  }
  const dispatcher = { db: t.db, now: () => new Date(), dispatch: { send: async () => undefined }, sends }
  for (const message of messages) await dispatchCampaign(dispatcher, message)
  return queued
}

async function send(pointers: readonly BatchPointer[], provider: ScriptedProvider, more: Partial<Sender> = {}) {
  const s = await scriptedSender(t.db, provider, more)
  const answers = []
  for (const pointer of pointers) {
    answers.push(await sendBatch(s, pointer, 1, { started: Date.now(), slots: openSlots() }))
  }
  return answers
}

const sums = async (campaign_id: number) => (await ledgerSums(t.db, [campaign_id])).get(campaign_id)

const status = async (campaign_id: number) =>
  (await t.sql('select status from campaigns where id = $1', [campaign_id]))[0]?.status

const carriedBy = (...providers: ScriptedProvider[]) =>
  providers.flatMap(({ carried }) => carried.map((mail) => mail.subscriber_id)).sort((a, b) => a - b)

/** Everything the ledger holds of a campaign. */
const ledger = async (campaign_id: number) => [
  await t.sql('select * from batches where campaign_id = $1 order by n', [campaign_id]),
  await t.sql('select * from deliveries where campaign_id = $1 order by subscriber_id', [campaign_id]),
]

describe('lost queue messages', () => {
  test('are sent again, once', async () => {
    const { campaign_id } = await watch(await frozenCampaign(t, 150))
    await t.sql(`update batches set due_at = now() - interval '1 minute' where campaign_id = $1 and n = 1`, [
      campaign_id,
    ])
    expect((await cron()).pointers).toEqual([{ campaign_id, batch: 1 }])
    expect((await cron()).pointers).toEqual([])
  })

  test('a queue that forgets everything delays a campaign, and takes nobody from it', async () => {
    const { campaign_id, subscriber_ids } = await watch(await seedCampaign(t, 250))
    expect(await dispatch({ campaign_id, enqueued: 0 })).toHaveLength(3)
    const provider = new ScriptedProvider()
    await send((await cron()).pointers, provider)
    expect(provider.carried).toEqual([])
    await passMinutes(campaign_id, 16)
    await send((await cron()).pointers, provider)
    expect(carriedBy(provider)).toEqual(subscriber_ids)
    expect(await status(campaign_id)).toBe('sent')
  })

  test('a queue that stands still is not filled up: two pointers an hour for a batch, and none is ever forgotten', async () => {
    const { campaign_id } = await watch(await frozenCampaign(t, 250))
    const sent: BatchPointer[] = []
    const HOURS = 6
    for (let minutes = 0; minutes < HOURS * 60; minutes += 10) {
      await passMinutes(campaign_id, 10)
      sent.push(...(await cron()).pointers)
    }
    for (const batch of [0, 1, 2]) {
      const n = sent.filter((pointer) => pointer.batch === batch).length
      expect(n).toBeGreaterThanOrEqual(HOURS)
      expect(n).toBeLessThanOrEqual(HOURS * 2)
    }
  })
})

describe('a lease that ended without its sender', () => {
  test('brings a pointer, not before: the rows that were marked are settled, the others sent', async () => {
    const { campaign_id, subscriber_ids } = await watch(await frozenCampaign(t, 30))
    const dead = { campaign_id, batch: 0, token: crypto.randomUUID(), lease_seconds: 120 }
    await claimBatch(t.db, dead)
    await advance(t.db, { ...dead, account: 'main', group_no: 0, mark: subscriber_ids.slice(0, 20), verdicts: [] })
    await t.sql(`update batches set due_at = now() - interval '1 minute' where campaign_id = $1`, [campaign_id])
    expect((await cron()).pointers).toEqual([])
    await passMinutes(campaign_id, 3)
    const { pointers } = await cron()
    expect(pointers).toEqual([{ campaign_id, batch: 0 }])
    const heir = new ScriptedProvider()
    await send(pointers, heir)
    expect(carriedBy(heir)).toEqual(subscriber_ids.slice(20))
    expect(await sums(campaign_id)).toMatchObject({ sent: 10, unconfirmed: 20, open: 0 })
    expect(await status(campaign_id)).toBe('sent')
  })
})

describe('a freeze', () => {
  test('that stands still is dispatched again, once', async () => {
    const { campaign_id } = await watch(await seedCampaign(t, 5))
    expect((await cron()).dispatched).toEqual([])
    await passMinutes(campaign_id, 10)
    const [a, b] = await Promise.all([cron(), cron()])
    expect([...a.dispatched, ...b.dispatched]).toEqual([{ campaign_id, enqueued: 0 }])
    expect((await cron()).dispatched).toEqual([])
  })

  test('that died half-way goes on with the batches to come, and pointers of the others are the sweep’s: everyone is sent', async () => {
    const { campaign_id, list_id, subscriber_ids } = await watch(await seedCampaign(t, 250))
    await freezePage(t.db, campaign_id, 0, { include: [list_id], exclude: [], where: {}, sample: null }, 200)
    await passMinutes(campaign_id, 10)
    const { dispatched, pointers } = await cron()
    expect({ dispatched, pointers }).toEqual({ dispatched: [{ campaign_id, enqueued: 2 }], pointers: [] })
    const queued = await dispatch(...dispatched)
    expect(queued).toEqual([{ campaign_id, batch: 2 }])
    await passMinutes(campaign_id, 6)
    const lost = (await cron()).pointers
    expect(lost.map(({ batch }) => batch).sort()).toEqual([0, 1])
    const provider = new ScriptedProvider()
    await send([...queued, ...lost], provider)
    expect(carriedBy(provider)).toEqual(subscriber_ids)
    expect(await status(campaign_id)).toBe('sent')
  })
})

test('a campaign whose last batch ended unseen is ended, and is no longer watched', async () => {
  const { campaign_id } = await watch(await frozenCampaign(t, 3))
  await t.sql(`update deliveries set state = 'sent' where campaign_id = $1`, [campaign_id])
  await t.sql('update batches set open = 0, sent = size where campaign_id = $1', [campaign_id])
  await cron()
  expect(await status(campaign_id)).toBe('sent')
  expect(await r.redis.zscore(r.keys.wake, String(campaign_id))).toBeNull()
})

test('a batch that waits 20 hours for permits loses nobody, and the wait counts as no attempt', async () => {
  const { campaign_id, subscriber_ids } = await watch(await frozenCampaign(t, 120))
  const provider = new ScriptedProvider()
  const refused = openGate({ take: () => ({ wait_ms: 60_000, factor: 'connections', reason: null }) })
  let asked = 0
  for (let minutes = 0; minutes < 20 * 60; minutes += 31) {
    await passMinutes(campaign_id, 31)
    const { pointers } = await cron()
    asked += pointers.length
    expect(await send(pointers, provider, { gate: () => refused })).toEqual(pointers.map(() => ({ ack: true })))
  }
  expect(asked).toBeGreaterThan(60)
  expect(provider.carried).toEqual([])
  expect(
    await t.sql('select distinct state, attempts::int as attempts from deliveries where campaign_id = $1', [
      campaign_id,
    ]),
  ).toEqual([{ state: 'pending', attempts: 0 }])
  await passMinutes(campaign_id, 31)
  await send((await cron()).pointers, provider)
  expect(carriedBy(provider)).toEqual(subscriber_ids)
  expect(await status(campaign_id)).toBe('sent')
})

test('the dead-letter consumers change no row, and what they were given is on its way again after the next sweep', async () => {
  const { campaign_id } = await watch(await frozenCampaign(t, 5))
  const held = { campaign_id, batch: 0, token: crypto.randomUUID(), lease_seconds: 120 }
  await claimBatch(t.db, held)
  const before = await ledger(campaign_id)
  const acked: unknown[] = []
  const dead = (body: object) => [{ id: '1', timestamp: new Date(), body, attempts: 100, ack: () => acked.push(body) }]
  consumeDeadSends(dead({ campaign_id, batch: 0 }) as unknown as Parameters<typeof consumeDeadSends>[0])
  consumeDeadDispatch(dead({ campaign_id, enqueued: 0 }) as unknown as Parameters<typeof consumeDeadDispatch>[0])
  expect(acked).toHaveLength(2)
  expect(await ledger(campaign_id)).toEqual(before)
  await passMinutes(campaign_id, 4)
  expect((await cron()).pointers).toEqual([{ campaign_id, batch: 0 }])
})
