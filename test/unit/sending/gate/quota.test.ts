// The day and what the service itself says about it.
import { describe, expect, test } from 'vitest'
import { AskedAccount, HOUR, MINUTE } from './asked.ts'

describe('a day', () => {
  test('is used up by what was granted, and unused mails come back', () => {
    const a = new AskedAccount({ per_day: 100 })
    const first = a.granted(0, { mails: 60 })
    const second = a.granted(0, { mails: 60 })
    expect([first.mails, second.mails]).toEqual([60, 35])
    expect(a.refused(0)).toEqual({ wait_ms: MINUTE, factor: 'day', reason: null })
    a.giveBack(first.id, { sent: 10 }, 0)
    expect(a.granted(0).mails).toBe(50)
  })

  test('has a share that only single mails get', () => {
    const a = new AskedAccount({ per_day: 100 })
    a.giveBack(a.granted(0).id, { sent: 95 }, 0)
    expect(a.refused(0).factor).toBe('day')
    expect(a.granted(0, { ahead: true }).mails).toBe(5)
    expect(a.refused(0, { ahead: true }).factor).toBe('day')
  })

  test('ends when the first hour is a day old; the wait is an hour at most', () => {
    const a = new AskedAccount({ per_day: 20 })
    a.giveBack(a.granted(30 * MINUTE).id, { sent: 19 }, 30 * MINUTE)
    expect(a.refused(31 * MINUTE).wait_ms).toBe(HOUR)
    expect(a.refused(24 * HOUR + 50 * MINUTE).wait_ms).toBe(10 * MINUTE)
    expect(a.granted(25 * HOUR).mails).toBe(19)
  })

  test('counts all mails of a permit that nobody gave back, from its end on', () => {
    const a = new AskedAccount({ per_day: 100 })
    a.granted(0, { mails: 50, hold_ms: 90 * MINUTE })
    expect(a.granted(10 * HOUR).mails).toBe(45)
    expect(a.standing(10 * HOUR)).toMatchObject({ sent_last_day: 50, per_day: 100 })
    expect(a.refused(26 * HOUR - 1).factor).toBe('day')
    // Those of the other permit, which ended after a quarter of an hour, count on.
    expect(a.granted(26 * HOUR).mails).toBe(50)
  })

  test('stands as before after an eviction', () => {
    const a = new AskedAccount({ per_day: 100 })
    a.giveBack(a.granted(0).id, { sent: 95 }, 0)
    a.evict()
    expect(a.refused(0).factor).toBe('day')
  })
})

describe('the service’s own word', () => {
  const QUOTA = { rate_per_second: 14, per_day: 200, sent_last_day: 0 }

  test('is asked for by one permit at a time, and once an hour also when there was none', () => {
    const a = new AskedAccount()
    expect([0, 1, 5 * MINUTE - 1, 5 * MINUTE].map((at) => a.granted(at).learn)).toEqual([true, false, false, true])
    a.learn(null, 6 * MINUTE)
    expect([7 * MINUTE, 66 * MINUTE - 1, 66 * MINUTE].map((at) => a.granted(at).learn)).toEqual([false, false, true])
    a.learn({ ...QUOTA, per_day: 50_000 }, 67 * MINUTE)
    expect(a.granted(80 * MINUTE).learn).toBe(false)
  })

  test('counts what others sent by the same account, and what we sent since', () => {
    const a = new AskedAccount()
    a.learn({ ...QUOTA, sent_last_day: 100 }, 0)
    const permit = a.granted(0, { mails: 60 })
    expect(a.granted(0).mails).toBe(30)
    a.giveBack(permit.id, { sent: 50 }, 0)
    expect(a.granted(0).mails).toBe(10)
    expect(a.standing(0)).toMatchObject({ sent_last_day: 150, per_day: 200 })
  })

  test('does not make what others sent count against our own limit', () => {
    const a = new AskedAccount({ per_day: 100 })
    a.learn({ ...QUOTA, per_day: 50_000, sent_last_day: 5000 }, 0)
    expect(a.granted(0).mails).toBe(95)
    expect(a.standing(0)).toMatchObject({ sent_last_day: 0, per_day: 100 })
  })

  test('is not believed when it counts less than we do', () => {
    const a = new AskedAccount()
    a.giveBack(a.granted(0).id, { sent: 100 }, 0)
    a.learn(QUOTA, 0)
    expect(a.granted(0).mails).toBe(90)
  })

  test('that the day is full is asked for again each hour, by one mail', () => {
    const a = new AskedAccount()
    a.learn({ ...QUOTA, sent_last_day: 200 }, 0)
    expect(a.refused(HOUR - 1).factor).toBe('day')
    const asker = a.granted(HOUR)
    expect(asker).toMatchObject({ mails: 1, learn: true })
    expect(a.refused(HOUR).factor).toBe('day')
    a.learn({ ...QUOTA, per_day: 50_000, sent_last_day: 200 }, HOUR)
    expect(a.granted(HOUR).mails).toBe(100)
  })

  test('never lets that one mail exceed a limit of ours', () => {
    const a = new AskedAccount({ per_day: 20 })
    a.giveBack(a.granted(0).id, { sent: 19 }, 0)
    expect(a.refused(2 * HOUR).factor).toBe('day')
  })

  test('no longer holds after a day without a new one, and limits nothing where it says "unlimited"', () => {
    const a = new AskedAccount()
    a.learn(QUOTA, 0)
    expect(a.standing(24 * HOUR - 1).per_day).toBe(200)
    expect(a.standing(24 * HOUR)).toMatchObject({ per_day: null, rate_per_second: null })
    a.learn({ rate_per_second: 0, per_day: -1, sent_last_day: 3 }, 24 * HOUR)
    expect(a.granted(24 * HOUR)).toMatchObject({ mails: 100, rate_per_second: null })
  })
})
