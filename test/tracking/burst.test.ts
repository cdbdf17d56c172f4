import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { signRecipient } from '../../src/tokens/recipient.ts'
import type { TrackingEvent } from '../../src/tracking/event.ts'
import { openEdge } from './edge.ts'

const edge = await openEdge()
afterAll(() => edge.close())
afterEach(() => vi.restoreAllMocks())

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

test('when what was gathered cannot be kept, its guards try again', async () => {
  vi.spyOn(console, 'log').mockReturnValue()
  edge.forgetBatches()
  const few = EVERYBODY.slice(0, 20)
  await Promise.all(few.map((id) => openAt(id, { redis_down: true, queue_busy: true })))
  const { redis, queue } = await edge.arrived()
  expect(redis).toEqual([])
  // Once by each guard: an event that comes twice has the same id and counts once.
  expect([...new Set(people(queue))]).toEqual(few)
})

test('what nobody can keep is lost aloud, and without a name', async () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  await Promise.all([1, 2, 3, 4, 5].map((id) => openAt(id, { redis_down: true, queue_down: true })))
  await openAt(6, { redis_down: true, queue_down: true })
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    [5, 1].map((events) => ({
      event: 'tracking_events_lost',
      kind: 'open',
      campaign_id: 7,
      event_id: expect.stringMatching(/^event-/),
      events,
      error: 'Error',
      queue_error: 'Error',
    })),
  )
})
