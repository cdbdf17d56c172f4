import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bufferedEvents } from '../../../src/events/buffered.ts'
import { type DrainOptions, drainEvents } from '../../../src/events/drain.ts'
import type { Touched } from '../../../src/events/flush.ts'
import { connectRedis, type Redis } from '../../../src/redis/client.ts'
import type { TrackingEvent } from '../../../src/tracking/event.ts'
import { optoutsOf } from '../../../src/tracking/optouts.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { openTestRedis, redisEngines, type TestRedis } from '../../support/redis.ts'
import { AT, countEvents, crowd, differences, event, forgetEvents } from './events.ts'
import { loseAnswers } from './lossy.ts'

/** When all events have happened. */
const NOW = Date.parse(AT) + 86_400_000
const anyOf = <T>(list: T[]) => list[Math.floor(Math.random() * list.length)] as T

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

describe.each(redisEngines())('over $engine', (engine) => {
  let r: TestRedis
  beforeEach(() => {
    r = openTestRedis(engine)
  })
  afterEach(async () => {
    expect(await differences(t)).toEqual([])
    await forgetEvents(t)
    await r.close()
  })

  /** Into a list of some minute, or the one list that there was before. */
  const push = (lines: (TrackingEvent | string)[]) =>
    r.redis.rpush(
      anyOf([r.keys.events, ...r.keys.event_shards]),
      ...lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))),
    )
  const drain = (options: Partial<DrainOptions> = {}, redis: Redis = r.redis) =>
    drainEvents(t.db, redis, r.keys, {
      until: Number.POSITIVE_INFINITY,
      now: () => new Date(NOW),
      onFlushed: async () => {},
      ...options,
    })
  /** What is left in Redis: nothing, once all is in SQL. */
  const left = async () => (await r.redis.keys(`${r.prefix}*`)).sort()

  test('an empty buffer costs nothing and leaves nothing', async () => {
    expect(await drain()).toEqual({ lines: 0, inserted: 0, quarantined: 0, complete: true })
    expect(await left()).toEqual([])
  })

  test('writes everything in slices and tells who was touched', async () => {
    await push(crowd(95, 1000))
    await push([event('open', 9, 9)])
    const touched: Touched[] = []
    const counts = await drain({ slice: 10, onFlushed: async (some) => touched.push(...some) })
    expect(counts).toEqual({ lines: 96, inserted: 96, quarantined: 0, complete: true })
    expect(touched).toContainEqual({ campaign_id: 9, subscriber_id: 9 })
    expect(await countEvents(t)).toBe(96)
    expect(await left()).toEqual([])
  })

  test('10,000 events from 4 edges, 3 drainers at once that die between write and delete: each counts once', async () => {
    const events = crowd(10_000)
    let produced = 0
    const edge = async () => {
      while (produced < events.length) {
        const part = events.slice(produced, produced + 250)
        produced += part.length
        await push(part)
      }
    }
    let deaths = 0
    const drainer = async () => {
      for (let calm = 0; calm < 2; ) {
        try {
          const { lines } = await drain({
            slice: 500,
            onFlushed: async () => {
              if (Math.random() < 0.25 && deaths < 20) {
                deaths++
                throw new Error('killed')
              }
            },
          })
          calm = produced >= events.length && lines === 0 ? calm + 1 : 0
        } catch (error) {
          if (!(error instanceof Error) || error.message !== 'killed') throw error
        }
      }
    }
    await Promise.all([edge(), edge(), edge(), edge(), drainer(), drainer(), drainer()])
    expect(deaths).toBeGreaterThan(0)
    expect(await countEvents(t)).toBe(10_000)
    expect(await left()).toEqual([])
  })

  test('a drain that died before it deleted is taken up, and adds nothing twice', async () => {
    const events = crowd(300)
    await push(events)
    const killed = drain({
      slice: 100,
      onFlushed: async () => {
        throw new Error('killed')
      },
    })
    await expect(killed).rejects.toThrow('killed')
    expect(await countEvents(t)).toBe(100)
    await push([event('open', 5, 5)])
    expect(await drain()).toMatchObject({ lines: 301, inserted: 201, complete: true })
    expect(await left()).toEqual([])
  })

  test('when the time is up the next run goes on where this one stopped', async () => {
    await push(crowd(1000))
    const start = NOW
    let clock = start
    // One minute a slice, time for two.
    const brief = {
      slice: 300,
      until: start + 90_000,
      now: () => new Date(clock),
      onFlushed: async () => (clock += 60_000),
    }
    expect(await drain(brief)).toEqual({ lines: 600, inserted: 600, quarantined: 0, complete: false })
    clock = start
    expect(await drain(brief)).toEqual({ lines: 400, inserted: 400, quarantined: 0, complete: true })
    expect(await left()).toEqual([])
  })

  test('lines that cannot be read are set apart and do not hold up the others', async () => {
    const bad = ['', 'not json', '{"kind":"open"}', JSON.stringify(event('open', -1, 1)), '"\\u0000"']
    await push([event('open', 1, 1), ...bad, event('open', 1, 2)])
    expect(await drain({ slice: 3 })).toEqual({ lines: 7, inserted: 2, quarantined: 5, complete: true })
    expect(await r.redis.lrange(r.keys.quarantine, 0, -1)).toEqual(bad)
    expect(await left()).toEqual([r.keys.quarantine, r.keys.quarantined])
    expect(await r.redis.get(r.keys.quarantined)).toBe('5')
  })

  test('an open of times to come, or of a month that is forgotten, is set apart; an unsubscribe is honoured', async () => {
    const at = (days: number) => ({ occurred_at: new Date(NOW + days * 86_400_000).toISOString() })
    await push([
      event('open', 1, 1, at(0)),
      event('click', 1, 1, at(0.1)),
      event('open', 1, 1, at(-31)),
      event('unsubscribe', 1, 1, at(40)),
    ])
    expect(await drain({ retention_days: 30 })).toMatchObject({ lines: 4, inserted: 2, quarantined: 2 })
  })

  test('what waits is counted, with the age of the oldest, also while it is being written', async () => {
    const state = () => bufferedEvents(r.redis, r.keys)
    expect(await state()).toEqual({ events: 0, oldest_at: null, quarantined: 0 })
    const at = (second: number) => `2026-11-24T10:00:${10 + second}.000Z`
    const opens = Array.from({ length: 6 }, (_, i) => event('open', 1, 1, { occurred_at: at(i) }))
    await push(opens)
    await r.redis.rpush(r.keys.event_shards[3] ?? '', JSON.stringify(event('open', 1, 2, { occurred_at: at(20) })))
    expect(await state()).toEqual({ events: 7, oldest_at: at(0), quarantined: 0 })
    let clock = NOW
    await drain({ slice: 4, until: NOW, now: () => new Date(clock), onFlushed: async () => (clock += 60_000) })
    const { events, oldest_at } = await state()
    expect([`3 from ${at(4)}`, `6 from ${at(0)}`]).toContain(`${events} from ${oldest_at}`)
    await drain()
    expect(await state()).toEqual({ events: 0, oldest_at: null, quarantined: 0 })
  })

  test('a rename whose answer is lost, with events coming in before its repeat, loses none', async () => {
    const first = crowd(50)
    const second = crowd(50)
    await push(first)
    const lossy = await loseAnswers(r.url, '/multi-exec', 1, () => push(second))
    await drain({}, connectRedis(lossy.url, r.token))
    expect(lossy.lost()).toBe(1)
    await drain()
    await lossy.close()
    expect(await countEvents(t)).toBe(100)
    expect(await left()).toEqual([])
  })

  test('a final delete whose answer is lost is no error', async () => {
    await push(crowd(50))
    const lossy = await loseAnswers(r.url, '/multi-exec', 3, async () => {})
    await drain({}, connectRedis(lossy.url, r.token)).catch(() => null)
    await drain()
    await lossy.close()
    expect(await countEvents(t)).toBe(50)
    expect(await left()).toEqual([])
  })

  test('opt-outs are forgotten once they can wait nowhere any more, and never while some are not in SQL', async () => {
    const now = Date.parse('2026-11-24T12:00:00.000Z')
    await r.redis.zadd(
      r.keys.optouts,
      { score: now - 30 * 3_600_000 - 1, member: '1' },
      { score: now - 30 * 3_600_000, member: '2' },
      { score: now, member: '3' },
    )
    const known = async () => [...(await optoutsOf(r.redis, r.keys, [1, 2, 3])).keys()]
    await push([event('unsubscribe', 1, 1), event('unsubscribe', 1, 2)])
    await expect(
      drain({
        now: () => new Date(now),
        onFlushed: async () => {
          throw new Error('killed')
        },
      }),
    ).rejects.toThrow('killed')
    expect(await known()).toEqual([1, 2, 3])
    // Time for one of the two slices.
    let clock = now
    const brief = { slice: 1, until: now, now: () => new Date(clock), onFlushed: async () => (clock += 60_000) }
    expect(await drain(brief)).toMatchObject({ lines: 1, complete: false })
    expect(await known()).toEqual([1, 2, 3])
    await drain({ now: () => new Date(now) })
    expect(await known()).toEqual([2, 3])
  })
})
