import { describe, expect, test } from 'vitest'
import { addToDay, countDay, type Day, HOUR, leftOf, untilNextHour } from '../../../../src/sending/gate/day.ts'

const NOON = Date.UTC(2026, 0, 1, 12)

describe('an hour counts until its last minute is a day old', () => {
  test.each([
    ['sent at the start of the hour', NOON, NOON + 25 * HOUR],
    ['sent in the middle', NOON + HOUR / 2, NOON + 25 * HOUR],
    ['sent in its last millisecond', NOON + HOUR - 1, NOON + 25 * HOUR],
    ['sent at the start of the next', NOON + HOUR, NOON + 26 * HOUR],
  ])('%s', (_, at, gone) => {
    const day = addToDay([], 7, at)
    expect(countDay(day, gone - 1)).toBe(7)
    expect(countDay(day, gone)).toBe(0)
    expect(untilNextHour(day, at)).toBe(gone - at)
    expect(untilNextHour(day, gone)).toBeNull()
  })
})

test('stays small however long it is kept', () => {
  let day: Day = []
  for (let hour = 0; hour < 200; hour++) {
    for (let i = 0; i < 3; i++) day = addToDay(day, 1, NOON + hour * HOUR + i)
  }
  expect(day.length).toBeLessThanOrEqual(26)
  expect(countDay(day, NOON + 199 * HOUR)).toBe(25 * 3)
})

test('mails that ended in an earlier hour are counted there', () => {
  const day = addToDay(addToDay([], 1, NOON + 2 * HOUR), 5, NOON)
  expect(countDay(day, NOON + 25 * HOUR)).toBe(1)
})

describe('campaigns leave the last twentieth to single mails', () => {
  test.each([
    // limit, count, left to campaigns, left to single mails
    [1, 0, 1, 1],
    [1, 1, 0, 0],
    [2, 0, 1, 2],
    [20, 0, 19, 20],
    [20, 19, 0, 1],
    [20, 25, 0, 0],
    [100, 0, 95, 100],
    [100, 95, 0, 5],
    [50_000, 47_400, 100, 2600],
    [199.5, 0, 190, 199],
  ])('of %d with %d sent, %d and %d', (limit, count, campaigns, ahead) => {
    expect(leftOf({ limit, count }, false)).toBe(campaigns)
    expect(leftOf({ limit, count }, true)).toBe(ahead)
  })
})
