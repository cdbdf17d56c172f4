import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectDatabase } from '../../../src/db/client.ts'
import { consumeDeadEvents, consumeEvents } from '../../../src/events/consume.ts'
import type { Touched } from '../../../src/events/flush.ts'
import { connectRedis } from '../../../src/redis/client.ts'
import { eventShard } from '../../../src/redis/keys.ts'
import { optoutsOf } from '../../../src/tracking/optouts.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { openTestRedis, type TestRedis } from '../../support/redis.ts'
import { AT, countEvents, differences, event, forgetEvents } from './events.ts'

let t: TestDatabase
let r: TestRedis
beforeAll(async () => {
  t = await openTestDatabase()
  r = openTestRedis()
})
afterAll(async () => {
  await r.close()
  await t.close()
})
beforeEach(async () => {
  await forgetEvents(t)
})

/** A message that keeps what was answered for it: the first answer counts, as in the queue. */
function message(body: unknown, attempts = 1) {
  const kept = { answer: 'none' as 'none' | 'ack' | number }
  const answer = (value: 'ack' | number) => {
    if (kept.answer === 'none') kept.answer = value
  }
  return {
    id: crypto.randomUUID(),
    body,
    attempts,
    ack: () => answer('ack'),
    retry: ({ delaySeconds }: { delaySeconds: number }) => answer(delaySeconds),
    kept,
  }
}
const answers = (messages: ReturnType<typeof message>[]) => messages.map(({ kept }) => kept.answer)
const services = (more = {}) => ({
  db: t.db,
  redis: r.redis,
  redis_keys: r.keys,
  now: () => new Date(AT),
  onFlushed: async () => {},
  ...more,
})

test('writes a batch, tells who was touched, and acknowledges', async () => {
  const touched: Touched[] = []
  const messages = [message(event('open', 1, 1)), message(event('click', 1, 2))]
  await consumeEvents(services({ onFlushed: async (some: Touched[]) => touched.push(...some) }), messages)
  expect(answers(messages)).toEqual(['ack', 'ack'])
  expect(touched).toHaveLength(2)
  expect(await countEvents(t)).toBe(2)
  expect(await differences(t)).toEqual([])
})

test('a repeated message counts once', async () => {
  const open = event('open', 1, 1)
  await consumeEvents(services(), [message(open), message(open)])
  await consumeEvents(services(), [message(open)])
  expect(await countEvents(t)).toBe(1)
  expect(await differences(t)).toEqual([])
})

test('without Postgres every event comes back, later each time', async () => {
  const db = connectDatabase(t.url.replace(/t_[0-9a-f]+$/, 'missing'), t.proxy)
  const messages = [1, 2, 5, 50].map((attempts) => message(event('open', 1, 1), attempts))
  await consumeEvents(services({ db }), messages)
  expect(answers(messages)).toEqual([10, 20, 160, 900])
})

test('an unsubscribe holds the next mail back from its first delivery on, while Postgres is away', async () => {
  const db = connectDatabase(t.url.replace(/t_[0-9a-f]+$/, 'missing'), t.proxy)
  const left = event('unsubscribe', 1, 77)
  const later = Date.parse(left.occurred_at) + 1000
  await r.redis.zadd(r.keys.optouts, { score: later, member: '78' })
  await consumeEvents(services({ db }), [
    message(left),
    message(event('unsubscribe', 1, 78)),
    message(event('open', 1, 79)),
  ])
  const known = await optoutsOf(r.redis, r.keys, [77, 78, 79])
  expect([...known]).toEqual([
    [77, Date.parse(left.occurred_at)],
    [78, later],
  ])
})

test('without Redis an unsubscribe is written all the same', async () => {
  const messages = [message(event('unsubscribe', 1, 1))]
  await consumeEvents(services({ redis: connectRedis('http://127.0.0.1:9', 'none') }), messages)
  expect(answers(messages)).toEqual(['ack'])
  expect(await countEvents(t)).toBe(1)
})

test('when the settling fails the events come back, and then count once', async () => {
  const open = event('open', 1, 1)
  const onFlushed = async () => {
    throw new Error('no ledger')
  }
  const first = [message(open)]
  await consumeEvents(services({ onFlushed }), first)
  expect(answers(first)).toEqual([10])
  await consumeEvents(services(), [message(open, 2)])
  expect(await countEvents(t)).toBe(1)
})

test('what cannot be read is set apart, and the rest is written', async () => {
  const messages = [message({ kind: 'open' }), message(event('open', 1, 1)), message(undefined)]
  await consumeEvents(services(), messages)
  expect(answers(messages)).toEqual(['ack', 'ack', 'ack'])
  expect(await r.redis.lrange(r.keys.quarantine, 0, -1)).toEqual(['{"kind":"open"}', 'undefined'])
  expect(await r.redis.get(r.keys.quarantined)).toBe('2')
  const again = [message('x'), message(event('open', 1, 2))]
  await consumeEvents(services({ redis: connectRedis('http://127.0.0.1:1', 'x') }), again)
  expect(answers(again)).toEqual([10, 'ack'])
})

test('events given up by the queue go back to the buffer, whatever they are, and none is dropped', async () => {
  const open = event('open', 1, 1)
  const messages = [message(open), message(null)]
  const away = services({ redis: connectRedis('http://127.0.0.1:1', 'x') })
  await consumeDeadEvents(away, messages)
  expect(answers(messages)).toEqual([10, 10])
  const again = messages.map(({ body }) => message(body))
  await consumeDeadEvents(services(), again)
  expect(answers(again)).toEqual(['ack', 'ack'])
  expect(await r.redis.lrange(eventShard(r.keys, new Date(AT)), 0, -1)).toEqual([JSON.stringify(open), 'null'])
})
