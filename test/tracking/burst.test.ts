import { afterAll, expect, test } from 'vitest'
import { signRecipient } from '../../src/tokens/recipient.ts'
import type { TrackingEvent } from '../../src/tracking/event.ts'
import { openEdge } from './edge.ts'

const edge = await openEdge()
afterAll(() => edge.close())

const openAt = async (subscriber_id: number, options = {}) =>
  edge.ask(`/t/o/${await signRecipient(edge.signing_keys, 'open', 7, subscriber_id)}`, {}, options)
const people = (events: unknown[]) =>
  (events as TrackingEvent[]).map((event) => event.subscriber_id).sort((a, b) => Number(a) - Number(b))
const EVERYBODY = Array.from({ length: 250 }, (_, n) => n + 1)

test('a burst of readers is recorded, every one once, with few commands', async () => {
  await Promise.all(EVERYBODY.map((id) => openAt(id)))
  expect(people((await edge.arrived()).redis)).toEqual(EVERYBODY)
  expect(edge.commands()).toBeLessThan(EVERYBODY.length / 10)
})

test('without Redis the queue gets the whole burst', async () => {
  await Promise.all(EVERYBODY.map((id) => openAt(id, { redis_down: true })))
  const { redis, queue } = await edge.arrived()
  expect(redis).toEqual([])
  expect(people(queue)).toEqual(EVERYBODY)
})
