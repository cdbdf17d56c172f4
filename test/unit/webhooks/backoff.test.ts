import { expect, test } from 'vitest'
import { nextDelay } from '../../../src/webhooks/backoff.ts'

/** As docs/webhooks.md promises. */
const MOST_TRIES = 10

test('each wait is longer than the one before, whatever the chance, and the last try comes after three days', () => {
  const waits = Array.from({ length: MOST_TRIES - 1 }, (_, i) => [0, 0.5, 1].map((chance) => nextDelay(i + 1, chance)))
  expect(waits.map(([, middle]) => middle)).toEqual([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400])
  for (const [least = 0, middle, most] of waits)
    expect([least, most]).toEqual([(middle ?? 0) * 0.8, (middle ?? 0) * 1.2])
  expect(nextDelay(MOST_TRIES, 0.5)).toBeNull()
  expect(nextDelay(MOST_TRIES + 5, 0.5)).toBeNull()
})

test('a receiver may ask for more time, for a day at most, and not for less', () => {
  expect(nextDelay(1, 0.5, 600)).toBe(600)
  expect(nextDelay(2, 0.5, 1)).toBe(300)
  expect(nextDelay(1, 0.5, 604_800)).toBe(86_400)
})
