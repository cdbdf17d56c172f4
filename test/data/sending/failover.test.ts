// Accounts of a pool, each with its real gate: what one cannot carry the next does, and nobody gets two mails or none.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resumeCampaign } from '../../../src/campaigns/transitions.ts'
import { freezePage } from '../../../src/ledger/freeze.ts'
import { ledgerSums } from '../../../src/ledger/sums.ts'
import { ConnectionRefused, type Outcome, type Provider } from '../../../src/providers/provider.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { sendBatch } from '../../../src/sending/batch.ts'
import type { AccountLimits } from '../../../src/sending/permit.ts'
import type { Answer, Sender } from '../../../src/sending/sender.ts'
import { seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { realGate, UNLIMITED } from '../../support/open-gate.ts'
import { ScriptedProvider, SENT, scriptedSender } from './scripted.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const MINUTE = 60_000
const STOP: Outcome = { kind: 'stop', answer: '535 5.7.8 bad credentials' }
const UNKNOWN: Outcome = { kind: 'unknown', answer: 'no answer in time' }
const BLOCKED: Outcome = { kind: 'never', answer: '554 5.7.1 relay access denied', dead: false, policy: true }

/** Two accounts, `a` before `b`, under a clock that only the test moves. */
async function twoAccounts(size: number, limits: { a?: Partial<AccountLimits>; b?: Partial<AccountLimits> } = {}) {
  const { campaign_id, list_id, subscriber_ids } = await seedCampaign(t, size)
  await freezePage(t.db, campaign_id, 0, { include: [list_id], exclude: [], where: {}, sample: null })
  const [a, b] = [new ScriptedProvider(), new ScriptedProvider()]
  let clock = Date.now()
  const gates = new Map([
    ['a', realGate(() => clock)],
    ['b', realGate(() => clock)],
  ])
  const account = (name: 'a' | 'b', provider: ScriptedProvider) => ({
    name,
    provider: provider as Provider,
    limits: { ...UNLIMITED, ...limits[name] },
  })
  const pool = [account('a', a), account('b', b)]
  const s: Sender = await scriptedSender(t.db, a, {
    candidates: () => pool,
    gate: (name) => gates.get(name) ?? realGate(() => clock),
    now: () => new Date(clock),
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  })
  return {
    campaign_id,
    subscriber_ids,
    a,
    b,
    gates,
    wait: (ms: number) => {
      clock += ms
    },
    run: (batch = 0): Promise<Answer> =>
      sendBatch(s, { campaign_id, batch }, 1, { started: clock, slots: openSlots() }),
    sums: async () => (await ledgerSums(t.db, [campaign_id])).get(campaign_id),
    campaign: async () => (await t.sql('select status, status_reason from campaigns where id = $1', [campaign_id]))[0],
    carriers: () =>
      t.sql(
        `select account, state, count(*)::int as n from deliveries where campaign_id = $1 group by 1, 2 order by 1, 2`,
        [campaign_id],
      ),
  }
}

describe('an account that refuses us', () => {
  test('hands on what it has not sent: everybody gets one mail, and the ledger says from whom', async () => {
    const w = await twoAccounts(90)
    w.a.answer = (_, nth) => (nth > 25 ? STOP : SENT)
    expect(await w.run()).toEqual({ retry_seconds: 1 })
    expect(await w.sums()).toMatchObject({ sent: 25, open: 65, failed: 0 })
    expect(await w.run()).toEqual({ ack: true })
    expect(await w.campaign()).toEqual({ status: 'sent', status_reason: null })
    expect(await w.carriers()).toEqual([
      { account: 'a', state: 'sent', n: 25 },
      { account: 'b', state: 'sent', n: 65 },
    ])
    const sent = [...w.a.carried.slice(0, 25), ...w.b.carried].map((mail) => mail.subscriber_id)
    expect(sent.sort((x, y) => x - y)).toEqual(w.subscriber_ids)
  })

  test('is tried again after a while by one batch, and carries the rest once it answers', async () => {
    const w = await twoAccounts(400)
    w.a.answer = () => STOP
    await w.run(0)
    await w.run(0)
    expect([w.a.groups, w.b.carried.length]).toEqual([1, 100])
    w.wait(MINUTE)
    // Still refusing: the probe costs one group, and its batch goes to the other.
    expect(await w.run(1)).toEqual({ retry_seconds: 1 })
    await w.run(1)
    expect([w.a.groups, w.b.carried.length]).toEqual([2, 200])
    w.a.answer = () => SENT
    w.wait(MINUTE)
    await w.run(2)
    expect([w.a.groups, w.b.carried.length]).toEqual([2, 300])
    w.wait(MINUTE)
    await w.run(3)
    expect(w.b.carried).toHaveLength(300)
    expect(await w.sums()).toMatchObject({ sent: 400, open: 0 })
    expect((await w.campaign())?.status).toBe('sent')
  })

  test('pauses the campaign only when the pool is empty, with every reason; resumed, it goes on with whoever answers', async () => {
    const w = await twoAccounts(50)
    w.a.answer = () => STOP
    w.b.answer = () => ({ kind: 'stop', answer: '530 must log in' })
    expect(await w.run()).toEqual({ retry_seconds: 1 })
    expect(await w.campaign()).toEqual({ status: 'sending', status_reason: null })
    expect(await w.run()).toEqual({ ack: true })
    expect(await w.campaign()).toEqual({
      status: 'paused',
      status_reason: 'Account b: 530 must log in; Account a: 535 5.7.8 bad credentials',
    })
    expect(await w.sums()).toMatchObject({ open: 50, failed: 0 })
    w.b.answer = () => SENT
    await resumeCampaign(t.db, w.campaign_id)
    await w.gates.get('b')?.reopen()
    expect(await w.run()).toEqual({ ack: true })
    expect(await w.carriers()).toEqual([{ account: 'b', state: 'sent', n: 50 }])
  })

  test('by policy, whoever the recipient is, blames nobody on the list', async () => {
    const w = await twoAccounts(45)
    w.a.answer = () => BLOCKED
    expect(await w.run()).toEqual({ retry_seconds: 1 })
    expect(await w.sums()).toMatchObject({ open: 45, failed: 0 })
    await w.run()
    expect(await w.sums()).toMatchObject({ sent: 45, failed: 0 })
  })

  test('by policy is theirs in the end, when they alone are left and refuse whatever its owner does', async () => {
    const w = await twoAccounts(3)
    w.a.answer = w.b.answer = () => BLOCKED
    for (let resumed = 0; (await w.campaign())?.status !== 'sent' && resumed < 10; resumed++) {
      await resumeCampaign(t.db, w.campaign_id)
      for (const gate of w.gates.values()) await gate.reopen()
      await w.run()
      await w.run()
    }
    expect(await w.campaign()).toMatchObject({ status: 'sent' })
    expect(await w.sums()).toMatchObject({ failed: 3, open: 0 })
  })

  test('by policy for some only is about those', async () => {
    const w = await twoAccounts(45)
    w.a.answer = (_, nth) => (nth % 10 === 0 ? BLOCKED : SENT)
    await w.run()
    expect(await w.sums()).toMatchObject({ sent: 41, failed: 4, open: 0 })
    expect(
      await t.sql(`select distinct reason from deliveries where state = 'failed' and campaign_id = $1`, [
        w.campaign_id,
      ]),
    ).toEqual([{ reason: 'blocked' }])
  })
})

describe('an account that is silent', () => {
  test('is left after three connections that cannot be opened, at no cost to anybody', async () => {
    const w = await twoAccounts(30)
    w.a.refuse = new ConnectionRefused({ kind: 'later', answer: 'no answer in time' })
    for (let i = 0; i < 3; i++) expect(await w.run()).toEqual({ retry_seconds: 5 })
    expect(await w.campaign()).toEqual({ status: 'sending', status_reason: 'Account a: no answer in time' })
    expect(await w.run()).toEqual({ ack: true })
    expect([w.a.connects, w.b.connects]).toEqual([3, 1])
    expect(await w.campaign()).toEqual({ status: 'sent', status_reason: null })
    expect(
      await t.sql('select distinct attempts::int as n from deliveries where campaign_id = $1', [w.campaign_id]),
    ).toEqual([{ n: 1 }])
  })

  test('after it took mails: those are unconfirmed and stay with nobody, the rest goes to the next', async () => {
    const w = await twoAccounts(60)
    w.a.answer = (_, nth) => (nth > 17 ? UNKNOWN : SENT)
    await w.run()
    expect(await w.sums()).toMatchObject({ sent: 17, unconfirmed: 3, open: 40 })
    await w.run()
    expect(await w.sums()).toMatchObject({ sent: 57, unconfirmed: 3, open: 0 })
    const again = w.b.carried.filter((mail) => w.a.carried.some((m) => m.subscriber_id === mail.subscriber_id))
    expect(again).toEqual([])
  })

  test('without another, the campaign keeps sending and says what it waits for', async () => {
    const w = await twoAccounts(10)
    w.a.refuse = new ConnectionRefused({ kind: 'later', answer: 'connection refused' })
    w.b.refuse = new ConnectionRefused({ kind: 'later', answer: 'connection reset' })
    for (let i = 0; i < 6; i++) await w.run()
    expect(await w.run()).toEqual({ ack: true })
    expect([w.a.connects, w.b.connects]).toEqual([3, 3])
    expect((await w.campaign())?.status).toBe('sending')
    const [batch] = await t.sql(
      `select due_at > now() + interval '30 seconds' as later, due_at < now() + interval '70 seconds' as soon from batches where campaign_id = $1`,
      [w.campaign_id],
    )
    expect(batch).toEqual({ later: true, soon: true })
    w.b.refuse = null
    w.wait(MINUTE)
    // The first is tried first, by one connection.
    await w.run()
    await w.run()
    expect([w.a.connects, await w.carriers()]).toEqual([4, [{ account: 'b', state: 'sent', n: 10 }]])
  })
})

test('an account at the end of its day leaves the rest to the next', async () => {
  const w = await twoAccounts(100, { a: { per_day: 40 } })
  await w.run()
  await w.run()
  expect(await w.carriers()).toEqual([
    // The last twentieth of a day is kept for single mails.
    { account: 'a', state: 'sent', n: 38 },
    { account: 'b', state: 'sent', n: 62 },
  ])
})

test('one that is only busy is waited for, not passed over', async () => {
  const w = await twoAccounts(20, { a: { max_connections: 1 } })
  const gate = w.gates.get('a')
  const busy = await gate?.take({ mails: 1, limits: { ...UNLIMITED, max_connections: 1 }, hold_ms: 10 * MINUTE })
  expect(busy).toHaveProperty('id')
  const running = w.run()
  await new Promise((resolve) => setTimeout(resolve, 50))
  if (!busy || !('id' in busy)) throw new Error('no permit')
  const nothing = { used: 0, sent: 0, silent: 0, throttled: 0, throttled_seconds: null, stop: null, trouble: null }
  await gate?.giveBack(busy.id, nothing, UNLIMITED)
  await running
  expect([w.a.carried.length, w.b.carried.length]).toEqual([20, 0])
})
