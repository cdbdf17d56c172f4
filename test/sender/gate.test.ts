// The account's gate as the Durable Object it is: one object a name, asked over RPC.

import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import type { AccountGate } from '../../src/sending/gate.ts'
import type { AccountLimits, Permit } from '../../src/sending/permit.ts'

const NOW = Date.UTC(2026, 0, 1)
const MINUTE = 60_000

/** A gate nobody has asked yet. */
const gate = () => env.ACCOUNT_GATE.getByName(crypto.randomUUID()) as unknown as DurableObjectStub<AccountGate>

const limits = (max_connections: number, rate_per_second: number | null = null): AccountLimits => ({
  max_connections,
  rate_per_second,
})

/** @param at - ms after the first question */
async function granted(stub: DurableObjectStub<AccountGate>, mails: number, l: AccountLimits, at = 0): Promise<Permit> {
  const answer = await stub.take(mails, l, NOW + at)
  if (!('id' in answer)) throw new Error(`no permit, but a wait of ${answer.wait_ms} ms`)
  return answer
}

describe('connections', () => {
  test('are granted up to the limit, and one given back is granted again', async () => {
    const g = gate()
    const first = await granted(g, 100, limits(2))
    await granted(g, 100, limits(2))
    expect(await g.take(100, limits(2), NOW)).toEqual({ wait_ms: 1000 })
    await g.giveBack(first.id, 0, limits(2), NOW)
    await granted(g, 100, limits(2))
    expect(await g.take(100, limits(2), NOW)).toEqual({ wait_ms: 1000 })
  })

  test('with one there is one batch at a time', async () => {
    const g = gate()
    const answers = await Promise.all(Array.from({ length: 10 }, () => g.take(100, limits(1), NOW)))
    expect(answers.filter((answer) => 'id' in answer)).toHaveLength(1)
  })

  test('a permit that nobody gives back ends by itself, after the longest a batch may take', async () => {
    const g = gate()
    const lost = await granted(g, 100, limits(1))
    expect(await g.take(100, limits(1), NOW + 14 * MINUTE)).toEqual({ wait_ms: 1000 })
    await granted(g, 100, limits(1), 15 * MINUTE)
    // Coming back after all, it ends nobody else's.
    await g.giveBack(lost.id, 0, limits(1), NOW + 15 * MINUTE)
    expect(await g.take(100, limits(1), NOW + 15 * MINUTE)).toEqual({ wait_ms: 1000 })
  })

  test('an unknown permit, and one given back twice, change nothing', async () => {
    const g = gate()
    const first = await granted(g, 100, limits(2, 10))
    await granted(g, 100, limits(2, 10))
    await g.giveBack('nobody', 100, limits(2, 10), NOW)
    expect(await g.take(100, limits(2, 10), NOW)).toEqual({ wait_ms: 1000 })
    await g.giveBack(first.id, 0, limits(2, 10), NOW)
    await g.giveBack(first.id, 100, limits(2, 10), NOW)
    await granted(g, 100, limits(2, 10), 0)
    expect(await g.take(100, limits(2, 10), NOW)).toEqual({ wait_ms: 1000 })
  })

  test('limits are those of the call: a new deployment’s take effect at once', async () => {
    const g = gate()
    await granted(g, 100, limits(1))
    await granted(g, 100, limits(2))
    expect(await g.take(100, limits(1), NOW)).toEqual({ wait_ms: 1000 })
  })

  test('accounts do not share a gate', async () => {
    await granted(gate(), 100, limits(1))
    await granted(gate(), 100, limits(1))
  })

  test('an evicted gate counts anew, and takes back what it does not know', async () => {
    const g = gate()
    const before = await granted(g, 100, limits(1))
    await evictDurableObject(g)
    await granted(g, 100, limits(1))
    await g.giveBack(before.id, 50, limits(1, 10), NOW)
    expect(await g.take(100, limits(1), NOW)).toEqual({ wait_ms: 1000 })
  })
})

describe('the rate', () => {
  /** What was promised: from when on, and how many mails, at this many a second. */
  interface Promised {
    from: number
    mails: number
  }

  /** Mails in the fullest second, when each batch goes out evenly from its start on. */
  function busiestSecond(promises: readonly Promised[], rate: number): number {
    const times = promises.flatMap(({ from, mails }) =>
      Array.from({ length: mails }, (_, i) => from + (i * 1000) / rate),
    )
    return Math.max(0, ...times.map((t) => times.filter((other) => other >= t && other < t + 1000).length))
  }

  test('puts batches one after the other', async () => {
    const g = gate()
    const starts: number[] = []
    for (let i = 0; i < 4; i++) starts.push((await granted(g, 100, limits(10, 50))).starts_in_ms)
    expect(starts).toEqual([0, 2000, 4000, 6000])
    expect((await granted(g, 100, limits(10, 50), 7000)).starts_in_ms).toBe(1000)
    expect((await granted(g, 100, limits(10, 50), 60_000)).starts_in_ms).toBe(0)
  })

  test('promises a minute ahead at most', async () => {
    const g = gate()
    await granted(g, 100, limits(10, 1))
    expect(await g.take(100, limits(10, 1), NOW)).toEqual({ wait_ms: 40_000 })
    expect((await granted(g, 100, limits(10, 1), 40_000)).starts_in_ms).toBe(60_000)
  })

  test('the last promise’s unused mails go back', async () => {
    const g = gate()
    await granted(g, 100, limits(10, 50))
    const last = await granted(g, 100, limits(10, 50))
    await g.giveBack(last.id, 75, limits(10, 50), NOW)
    expect((await granted(g, 100, limits(10, 50))).starts_in_ms).toBe(2500)
  })

  test('never go back to before now', async () => {
    const g = gate()
    const late = await granted(g, 100, limits(10, 50))
    await g.giveBack(late.id, 100, limits(10, 50), NOW + 1500)
    expect((await granted(g, 100, limits(10, 50), 1500)).starts_in_ms).toBe(0)
  })

  test('is kept whoever gives back what and when', async () => {
    const rate = 50
    for (let seed = 1; seed <= 20; seed++) {
      let x = seed
      const random = () => {
        x = (x * 48_271) % 2_147_483_647
        return x / 2_147_483_647
      }
      const g = gate()
      const promised: Promised[] = []
      const held: { id: string; entry: Promised; ends: number }[] = []
      for (let at = 0; at < 20_000; at += Math.floor(random() * 700)) {
        for (const done of held.filter(({ ends }) => ends <= at)) {
          held.splice(held.indexOf(done), 1)
          await g.giveBack(done.id, 100 - done.entry.mails, limits(6, rate), NOW + at)
        }
        const answer = await g.take(100, limits(6, rate), NOW + at)
        if (!('id' in answer)) continue
        // Many batches have less to send than they asked for, and some nothing.
        const mails = random() < 0.6 ? Math.floor(random() * 100) : 100
        const entry = { from: at + answer.starts_in_ms, mails }
        promised.push(entry)
        held.push({ id: answer.id, entry, ends: entry.from + (mails / rate) * 1000 })
      }
      expect(busiestSecond(promised, rate)).toBeLessThanOrEqual(rate + 1)
    }
  })
})

describe('mails that go ahead of campaigns', () => {
  test('get the next connection that falls free, however many batches ask for it', async () => {
    const g = gate()
    const batches = [await granted(g, 100, limits(2)), await granted(g, 100, limits(2))]
    expect(await g.takeAhead(1, limits(2), NOW)).toEqual({ wait_ms: 250 })
    await g.giveBack(batches[0]?.id ?? '', 0, limits(2), NOW)
    for (let i = 0; i < 5; i++) expect(await g.take(100, limits(2), NOW + i)).toEqual({ wait_ms: 1000 })
    const ahead = await g.takeAhead(1, limits(2), NOW + 10)
    expect(ahead).toEqual({ id: expect.any(String), starts_in_ms: 0 })
    // Served, it leaves the next one to whoever asks first.
    if ('id' in ahead) await g.giveBack(ahead.id, 0, limits(2), NOW + 20)
    await granted(g, 100, limits(2), 30)
  })

  test('never take more connections than the account has', async () => {
    const g = gate()
    await granted(g, 100, limits(1))
    for (let i = 0; i < 5; i++) expect(await g.takeAhead(1, limits(1), NOW + i)).toEqual({ wait_ms: 250 })
  })

  test('whose sender died keep the connection for a minute only', async () => {
    const g = gate()
    const batch = await granted(g, 100, limits(1))
    await g.takeAhead(1, limits(1), NOW)
    await g.giveBack(batch.id, 0, limits(1), NOW)
    expect(await g.take(100, limits(1), NOW + MINUTE - 1)).toEqual({ wait_ms: 1000 })
    await granted(g, 100, limits(1), MINUTE)
  })

  test('start at once although the rate is promised to others, who then start later', async () => {
    const g = gate()
    await granted(g, 100, limits(10, 10))
    expect(await g.takeAhead(5, limits(10, 10), NOW)).toMatchObject({ starts_in_ms: 0 })
    expect((await granted(g, 100, limits(10, 10))).starts_in_ms).toBe(10_500)
  })
})
