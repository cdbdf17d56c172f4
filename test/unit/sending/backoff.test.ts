import { expect, test } from 'vitest'
import { backoff, MAX_QUEUE_DELAY } from '../../../src/sending/backoff.ts'

test('waits longer after each attempt, then gives up', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7].map((attempts) => backoff(attempts, undefined, 0))
  expect(waits).toEqual([60, 300, 900, 3600, 14_400, 43_200, null])
})

test('a hint makes it longer, never shorter, and nothing passes what the queue takes', () => {
  expect(backoff(1, 600, 0)).toBe(600)
  expect(backoff(3, 5, 0)).toBe(900)
  expect(backoff(1, 10 ** 9, 1)).toBe(MAX_QUEUE_DELAY)
  expect(backoff(7, 600, 0)).toBeNull()
})

test('spreads what failed together by up to a fifth', () => {
  expect(backoff(2, undefined, 0.5)).toBe(330)
  expect(backoff(2, undefined, 1)).toBe(360)
})
