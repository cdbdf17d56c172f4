// The account's gate as the Durable Object it is: one object a name, asked over RPC, its storage real.

import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import type { AccountGate } from '../../src/sending/gate.ts'
import type { AccountLimits, Asking, Permit, Report } from '../../src/sending/permit.ts'

const MINUTE = 60_000

/** A gate nobody has asked yet. */
const gate = () => env.ACCOUNT_GATE.getByName(crypto.randomUUID()) as unknown as DurableObjectStub<AccountGate>

const limits = (l: Partial<AccountLimits> = {}): AccountLimits => ({
  max_connections: 1,
  rate_per_second: null,
  per_day: null,
  ...l,
})

const asking = (l: AccountLimits, more: Partial<Asking> = {}): Asking => ({
  mails: 100,
  limits: l,
  hold_ms: 15 * MINUTE,
  ...more,
})

const report = (r: Partial<Report> = {}): Report => ({
  used: 0,
  sent: 0,
  silent: 0,
  throttled: 0,
  throttled_seconds: null,
  stop: null,
  trouble: null,
  ...r,
})

async function granted(stub: DurableObjectStub<AccountGate>, asked: Asking): Promise<Permit> {
  const answer = await stub.take(asked)
  if (!('id' in answer)) throw new Error(`no permit, but a wait for ${answer.factor} of ${answer.wait_ms} ms`)
  return answer
}

test('of many who ask at once, as many get a permit as there are connections', async () => {
  const g = gate()
  const l = limits({ max_connections: 3 })
  const answers = await Promise.all(Array.from({ length: 12 }, () => g.take(asking(l))))
  expect(answers.filter((answer) => 'id' in answer)).toHaveLength(3)
  expect(answers.filter((answer) => 'factor' in answer && answer.factor === 'connections')).toHaveLength(9)
})

test('of many who ask at once, nobody gets mails of the day that another has got', async () => {
  const g = gate()
  const l = limits({ max_connections: 40, per_day: 1000 })
  const answers = await Promise.all(Array.from({ length: 20 }, () => g.take(asking(l))))
  const mails = answers.map((answer) => ('id' in answer ? answer.mails : 0))
  expect(mails.reduce((sum, n) => sum + n, 0)).toBe(950)
})

test('accounts do not share a gate', async () => {
  await granted(gate(), asking(limits()))
  await granted(gate(), asking(limits()))
})

test('a permit is extended while it is held, and not after its end', async () => {
  const g = gate()
  const held = await granted(g, asking(limits()))
  expect(await g.extend(held.id, MINUTE)).toBe(true)
  expect(await g.extend(held.id, 0)).toBe(true)
  expect(await g.extend(held.id, MINUTE)).toBe(false)
  expect(await g.extend('nobody', MINUTE)).toBe(false)
  await granted(g, asking(limits()))
})

describe('an evicted gate still knows', () => {
  test('who holds a permit, and until when', async () => {
    const g = gate()
    const before = await granted(g, asking(limits()))
    await evictDurableObject(g)
    expect(await g.take(asking(limits()))).toMatchObject({ factor: 'connections' })
    expect(await g.extend(before.id, 0)).toBe(true)
    await evictDurableObject(g)
    expect(await g.extend(before.id, MINUTE)).toBe(false)
    const next = await granted(g, asking(limits()))
    await g.giveBack(next.id, report(), limits())
    await evictDurableObject(g)
    await granted(g, asking(limits()))
  })

  test('what it has promised and how much it was slowed down', async () => {
    const g = gate()
    const l = limits({ max_connections: 10, rate_per_second: 10 })
    await granted(g, asking(l, { mails: 500 }))
    await evictDurableObject(g)
    const next = await granted(g, asking(l, { mails: 1 }))
    expect(next.starts_in_ms).toBeGreaterThan(0)
    await g.giveBack(next.id, report({ used: 1, throttled: 1 }), l)
    await evictDurableObject(g)
    const { rate_per_second } = await g.standing(l)
    expect(rate_per_second).toBeGreaterThanOrEqual(5)
    expect(rate_per_second).toBeLessThan(10)
  })

  test('what was sent in the last day', async () => {
    const g = gate()
    const l = limits({ per_day: 100 })
    const permit = await granted(g, asking(l))
    expect(permit.mails).toBe(95)
    await g.giveBack(permit.id, report({ used: 90, sent: 90 }), l)
    await evictDurableObject(g)
    expect(await g.standing(l)).toMatchObject({ sent_last_day: 90, per_day: 100 })
    expect(await granted(g, asking(l))).toMatchObject({ mails: 5 })
    await evictDurableObject(g)
    expect(await g.take(asking(l))).toMatchObject({ factor: 'connections' })
  })

  test('that the account is down, and why, until somebody has seen to it', async () => {
    const g = gate()
    const permit = await granted(g, asking(limits()))
    await g.giveBack(permit.id, report({ used: 1, stop: '535 5.7.8 bad credentials' }), limits())
    await evictDurableObject(g)
    const refused = await g.take(asking(limits()))
    expect(refused).toMatchObject({ factor: 'down', reason: '535 5.7.8 bad credentials' })
    expect((await g.standing(limits())).down?.reason).toBe('535 5.7.8 bad credentials')
    await g.reopen()
    await evictDurableObject(g)
    expect(await g.standing(limits())).toMatchObject({ down: null, limited_by: null })
    await granted(g, asking(limits()))
  })

  test('what the service allows, and when it was asked', async () => {
    const g = gate()
    const first = await granted(g, asking(limits({ max_connections: 9 })))
    expect(first.learn).toBe(true)
    await g.learn({ rate_per_second: 14, per_day: 200, sent_last_day: 50 })
    await evictDurableObject(g)
    const second = await granted(g, asking(limits({ max_connections: 9 }), { mails: 40 }))
    expect(second).toMatchObject({ learn: false, rate_per_second: 14 })
    expect(await g.take(asking(limits({ max_connections: 9 })))).toMatchObject({ factor: 'day' })
  })
})
