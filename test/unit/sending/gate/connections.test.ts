import { expect, test } from 'vitest'
import { AskedAccount, MINUTE, NOW } from './asked.ts'

test('are granted up to the limit, and one given back is granted again', () => {
  const a = new AskedAccount({ max_connections: 2 })
  const first = a.granted(0)
  a.granted(0)
  expect(a.refused(0)).toEqual({ wait_ms: 1000, factor: 'connections', reason: null })
  a.giveBack(first.id, {}, 0)
  a.granted(0)
  expect(a.refused(0).factor).toBe('connections')
})

test('a permit ends by itself so long after its start, and then nothing about it counts any more', () => {
  const a = new AskedAccount({ max_connections: 1, rate_per_second: 10 })
  const lost = a.granted(0, { hold_ms: MINUTE })
  expect(a.refused(MINUTE - 1).factor).toBe('connections')
  const next = a.granted(MINUTE)
  expect(a.extend(lost.id, MINUTE, MINUTE)).toBe(false)
  expect(a.giveBack(lost.id, { used: 1, stop: '535 no' }, MINUTE)).toBe(false)
  expect(a.standing(MINUTE)).toMatchObject({ connections: 1, down: null })
  expect(a.giveBack(next.id, {}, MINUTE)).toBe(true)
  expect(a.giveBack(next.id, {}, MINUTE)).toBe(false)
})

test('a permit that starts later ends later, also when it is extended before', () => {
  const a = new AskedAccount({ rate_per_second: 10 })
  a.granted(0, { mails: 300 })
  const later = a.granted(0, { hold_ms: MINUTE })
  expect(later.starts_in_ms).toBe(30_000)
  expect(a.extend(later.id, MINUTE, 0)).toBe(true)
  expect(a.extend(later.id, MINUTE, 89_999)).toBe(true)
  expect(a.extend(later.id, MINUTE, 149_998)).toBe(true)
  expect(a.extend(later.id, MINUTE, 209_998)).toBe(false)
})

test('limits are those of the call: fewer connections than are held end nobody’s permit', () => {
  const a = new AskedAccount({ max_connections: 3 })
  const held = [a.granted(0), a.granted(0), a.granted(0)]
  a.limits = { ...a.limits, max_connections: 1 }
  expect(a.refused(0).factor).toBe('connections')
  for (const { id } of held) expect(a.extend(id, MINUTE, 0)).toBe(true)
  for (const { id } of held.slice(1)) a.giveBack(id, {}, 0)
  expect(a.refused(0).factor).toBe('connections')
  a.giveBack(held[0]?.id ?? '', {}, 0)
  a.granted(0)
})

test('the next one that falls free is for whoever asked ahead and had to wait, however many others ask', () => {
  const a = new AskedAccount({ max_connections: 2 })
  const batches = [a.granted(0), a.granted(0)]
  expect(a.refused(0, { ahead: true })).toEqual({ wait_ms: 250, factor: 'connections', reason: null })
  a.giveBack(batches[0]?.id ?? '', {}, 0)
  for (let i = 0; i < 5; i++) a.refused(i)
  const ahead = a.granted(10, { mails: 1, ahead: true })
  // Served, it leaves the next one to whoever asks first.
  a.giveBack(ahead.id, { sent: 1 }, 20)
  a.granted(30)
})

test('is kept for a minute only: who asked may have died', () => {
  const a = new AskedAccount({ max_connections: 1 })
  const batch = a.granted(0)
  a.refused(0, { ahead: true })
  a.giveBack(batch.id, {}, 0)
  a.refused(MINUTE - 1)
  a.granted(MINUTE)
})

test('those who wait for a start in all of them are not what holds others up: the rate is', () => {
  const a = new AskedAccount({ max_connections: 2, rate_per_second: 10 })
  a.granted(0)
  a.granted(0)
  expect(a.refused(1).factor).toBe('rate')
  expect(a.standing(1).limited_by).toBe('rate')
  expect(a.refused(10_001).factor).toBe('connections')
})

test('a clock that is set back stretches nothing', () => {
  const a = new AskedAccount({ max_connections: 1 })
  a.granted(0, { hold_ms: MINUTE })
  const hour_ago = -60 * MINUTE
  expect(a.refused(hour_ago).factor).toBe('connections')
  expect(a.refused(hour_ago + MINUTE - 1).factor).toBe('connections')
  a.evict()
  a.granted(hour_ago + MINUTE)
  expect(a.state.clock).toBe(NOW + MINUTE)
})
