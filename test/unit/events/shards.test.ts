import { expect, test } from 'vitest'
import { eventShard, redisKeys } from '../../../src/redis/keys.ts'

test('each minute has one list, the next minute another, and all of them are known', () => {
  const keys = redisKeys('emk:')
  const at = (ms: number) => eventShard(keys, new Date(Date.parse('2026-11-24T10:00:00.000Z') + ms))
  expect(at(0)).toBe(at(59_999))
  const hour = Array.from({ length: 60 }, (_, minute) => at(minute * 60_000))
  expect(new Set(hour)).toEqual(new Set(keys.event_shards))
  expect(hour.every((list, i) => list !== hour[i - 1])).toBe(true)
})
