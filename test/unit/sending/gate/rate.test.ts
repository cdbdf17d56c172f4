import { describe, expect, test } from 'vitest'
import { AskedAccount, MINUTE, SECOND } from './asked.ts'

describe('starts', () => {
  test('are promised one after the other', () => {
    const a = new AskedAccount({ rate_per_second: 50 })
    expect([0, 0, 0, 0].map((at) => a.granted(at).starts_in_ms)).toEqual([0, 2000, 4000, 6000])
    expect(a.granted(7000).starts_in_ms).toBe(1000)
    expect(a.granted(60_000)).toMatchObject({ starts_in_ms: 0, rate_per_second: 50 })
  })

  test('are promised a minute ahead at most', () => {
    const a = new AskedAccount({ rate_per_second: 1 })
    a.granted(0)
    expect(a.refused(0)).toEqual({ wait_ms: 40_000, factor: 'rate', reason: null })
    expect(a.granted(40_000).starts_in_ms).toBe(60_000)
  })

  test('come earlier when the last promise’s mails were not all sent', () => {
    const a = new AskedAccount({ rate_per_second: 50 })
    a.granted(0)
    const last = a.granted(0)
    a.giveBack(last.id, { sent: 25 }, 0)
    expect(a.granted(0).starts_in_ms).toBe(2500)
  })

  test('do not when somebody was promised a later one, nor come before now', () => {
    const a = new AskedAccount({ rate_per_second: 50 })
    const first = a.granted(0)
    const second = a.granted(0)
    a.giveBack(first.id, {}, 0)
    expect(a.granted(0).starts_in_ms).toBe(4000)
    const b = new AskedAccount({ rate_per_second: 50 })
    const late = b.granted(0)
    b.giveBack(late.id, {}, 1500)
    expect(b.granted(1500).starts_in_ms).toBe(0)
    expect(second.starts_in_ms).toBe(2000)
  })

  test('of those who go ahead are at once whatever others were promised, who make up for it', () => {
    const a = new AskedAccount({ rate_per_second: 10 })
    a.granted(0)
    expect(a.granted(0, { mails: 5, ahead: true }).starts_in_ms).toBe(0)
    expect(a.granted(0).starts_in_ms).toBe(10_500)
  })

  test('of those who go ahead are one after the other among themselves, and unused ones come back', () => {
    const a = new AskedAccount({ rate_per_second: 10 })
    a.granted(0)
    a.granted(0, { mails: 5, ahead: true })
    const second = a.granted(0, { mails: 5, ahead: true })
    expect(second.starts_in_ms).toBe(500)
    a.giveBack(second.id, {}, 0)
    expect(a.granted(0, { mails: 5, ahead: true }).starts_in_ms).toBe(500)
    expect(a.granted(0).starts_in_ms).toBe(11_000)
  })

  test('go by the lower of our rate and the service’s', () => {
    const a = new AskedAccount({ rate_per_second: 50 })
    a.learn({ rate_per_second: 14, per_day: 50_000, sent_last_day: 0 }, 0)
    expect(a.granted(0).rate_per_second).toBe(14)
    a.limits = { ...a.limits, rate_per_second: 5 }
    expect(a.granted(0).rate_per_second).toBe(5)
    a.limits = { ...a.limits, rate_per_second: null }
    expect(a.standing(0).rate_per_second).toBe(14)
  })
})

describe('throttling', () => {
  /** Takes a permit at `at`, which ends a second later with what `sent` and `throttled` say. */
  function round(a: AskedAccount, at: number, sent: number, throttled: number, seconds: number | null = null) {
    const { id } = a.granted(at)
    a.giveBack(id, { used: sent + throttled, sent, throttled, throttled_seconds: seconds }, at + SECOND)
  }
  const rate = (a: AskedAccount, at: number) => a.standing(at).rate_per_second

  test('of half the mails or more halves the rate, which then comes back by a quarter a minute until the limit', () => {
    const a = new AskedAccount({ rate_per_second: 100 })
    round(a, 0, 20, 80)
    const start = SECOND
    expect(rate(a, start)).toBe(50)
    expect(rate(a, start + MINUTE)).toBeCloseTo(62.5)
    expect(rate(a, start + 3 * MINUTE)).toBeCloseTo(97.7, 1)
    expect(rate(a, start + 4 * MINUTE)).toBe(100)
  })

  test('of some mails lowers it by their share: it comes to rest at what the service takes', () => {
    const a = new AskedAccount({ rate_per_second: 70 })
    let at = 0
    for (let i = 0; i < 60; i++) {
      at += 15 * SECOND
      const goes = rate(a, at) ?? 0
      // The service takes 14 a second.
      const taken = Math.min(1, 14 / goes)
      round(a, at, Math.round(100 * taken), 100 - Math.round(100 * taken))
    }
    expect(rate(a, at + SECOND)).toBeGreaterThan(12)
    expect(rate(a, at + SECOND)).toBeLessThan(18)
  })

  test('of one mail in fifty, again and again, does not bring an account to a crawl', () => {
    const a = new AskedAccount({ rate_per_second: 100 })
    for (let i = 0; i < 100; i++) round(a, i * 15 * SECOND, 98, 2)
    expect(rate(a, 100 * 15 * SECOND)).toBeGreaterThan(90)
  })

  test('on several connections at once is one event', () => {
    const a = new AskedAccount({ rate_per_second: 100 })
    const burst = [a.granted(0), a.granted(0), a.granted(0), a.granted(0)]
    for (const [i, { id }] of burst.entries()) {
      a.giveBack(id, { used: 10, sent: 5, throttled: 5 }, 2000 + i * 4000)
    }
    expect(rate(a, 14_000)).toBeGreaterThanOrEqual(50)
    expect(rate(a, 14_000)).toBeLessThan(53)
  })

  test('that goes on halves it again, at most each ten seconds, and never to nothing', () => {
    const a = new AskedAccount({ rate_per_second: 100 })
    round(a, 0, 50, 50)
    round(a, 5 * SECOND, 50, 50)
    expect(rate(a, 6 * SECOND)).toBeGreaterThan(49)
    round(a, 20 * SECOND, 50, 50)
    expect(rate(a, 21 * SECOND)).toBeLessThan(27.5)
    for (let i = 1; i < 40; i++) round(a, i * 20 * MINUTE, 0, 1)
    expect(rate(a, 40 * 20 * MINUTE)).toBeGreaterThanOrEqual(0.1)
  })

  test('delays others, and says so', () => {
    const a = new AskedAccount({ rate_per_second: 2 })
    round(a, 0, 1, 1)
    expect(rate(a, SECOND)).toBe(1)
    a.granted(2 * SECOND)
    expect(a.refused(2 * SECOND)).toMatchObject({ factor: 'throttled', reason: null })
    expect(a.standing(2 * SECOND).limited_by).toBe('throttled')
    expect(a.standing(2 * SECOND + MINUTE).limited_by).toBeNull()
  })

  test('of an account without a limit gives it half of what its connections sent', () => {
    const a = new AskedAccount()
    const held = [a.granted(0), a.granted(0), a.granted(0), a.granted(0)]
    // 20 a second on each of four.
    a.giveBack(held[0]?.id ?? '', { used: 200, sent: 99, throttled: 101 }, 5 * SECOND)
    const start = 5 * SECOND
    expect(rate(a, start)).toBeCloseTo(39.6)
    expect(rate(a, start + MINUTE)).toBeCloseTo(49.5, 1)
    // Twice what it went at: the limit is lifted.
    expect(rate(a, start + 6 * MINUTE)).not.toBeNull()
    expect(rate(a, start + 7 * MINUTE)).toBeNull()
  })

  test('of an account that sent nothing gives it one mail a second', () => {
    const a = new AskedAccount()
    round(a, 0, 0, 1)
    expect(rate(a, SECOND)).toBe(1)
    expect(a.granted(SECOND)).toMatchObject({ starts_in_ms: 0, rate_per_second: 1 })
  })

  test('that asks for a long wait is a full day: the account is down for so long, an hour at most, its rate as before', () => {
    const a = new AskedAccount({ rate_per_second: 100 })
    round(a, 0, 10, 1, 600)
    expect(a.refused(SECOND)).toMatchObject({ factor: 'down', wait_ms: 600_000, reason: expect.any(String) })
    expect(a.standing(SECOND)).toMatchObject({ rate_per_second: 100, down: { retry_in_ms: 600_000 } })
    // No trial: all may send again.
    a.granted(601 * SECOND)
    round(a, 601 * SECOND, 10, 1, 86_400)
    expect(a.refused(602 * SECOND).wait_ms).toBe(60 * MINUTE)
    a.reopen(602 * SECOND)
    a.granted(602 * SECOND)
  })
})
