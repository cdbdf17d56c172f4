import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { everyMinute } from '../../../src/cron.ts'
import type { Database } from '../../../src/db/client.ts'
import type { WebhookPointer } from '../../../src/webhooks/message.ts'
import { forgetWebhooks } from '../../../src/webhooks/retention.ts'
import { noteEndpoints, wakeAt } from '../../../src/webhooks/wake.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { cronOf } from '../../support/minute.ts'
import { openTestRedis, type TestRedis } from '../../support/redis.ts'
import { insertEndpoint } from '../../support/webhooks.ts'
import { event } from '../events/events.ts'

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
/** As after a full sweep a moment ago, with an endpoint that was told of one new subscriber. */
beforeEach(async () => {
  await t.sql('delete from webhook_endpoints')
  await insertEndpoint(t, ['subscriber.created'])
  await t.sql(`insert into subscribers (email) values (gen_random_uuid() || '@example.com')`)
  await r.redis.del(r.keys.wake, r.keys.events, r.keys.webhooks)
  await r.redis.set(r.keys.swept, String(Date.now()))
})

const services = () => ({ db: t.db, redis: r.redis, redis_keys: r.keys })
let asked = 0
/** A database that says that it was asked. */
const asleep = new Proxy({} as Database, {
  get() {
    asked++
    throw new Error('Postgres was asked')
  },
})
/** A minute in which nobody is to ask it. */
async function idle() {
  asked = 0
  expect(await cron(asleep)).toBe(0)
  expect(asked).toBe(0)
}

/** @returns how many pointers it put on the queue */
async function cron(db: Database = t.db): Promise<number> {
  const sent: WebhookPointer[] = []
  const s = await cronOf({ ...services(), db })
  const sendBatch = async (messages: Iterable<{ body: WebhookPointer }>) => {
    for (const { body } of messages) sent.push(body)
  }
  await everyMinute({ ...s, webhooks: { ...s.webhooks, queue: { sendBatch } } })
  return sent.length
}

test('Postgres is left asleep while there is no endpoint, and while nothing is due', async () => {
  await idle()
  await noteEndpoints(services())
  await wakeAt(services(), [Date.now() + 3_600_000])
  await idle()
  // Told by mail that came in, on an installation without webhooks.
  await r.redis.del(r.keys.webhooks)
  await wakeAt(services(), [Date.now() - 120_000])
  await idle()
})

test('a minute that has come is looked at once', async () => {
  await noteEndpoints(services())
  await wakeAt(services(), [Date.now() - 120_000, Date.now() - 60_001])
  expect(await cron()).toBe(1)
  expect(await r.redis.smembers(r.keys.webhooks)).toEqual(['enabled'])
  await idle()
})

test('what another part of the minute has written down goes in the same minute', async () => {
  await t.sql('delete from webhook_messages')
  await t.sql(`update webhook_endpoints set events = '{subscriber.unsubscribed}'`)
  await noteEndpoints(services())
  const [person] = await t.sql<{ id: string }>('select id from subscribers limit 1')
  const left = event('unsubscribe', 1, Number(person?.id), { scope: 'all' })
  await r.redis.rpush(r.keys.events, JSON.stringify(left))
  expect(await cron()).toBe(1)
})

test('the hour finds what Redis has forgotten', async () => {
  await r.redis.set(r.keys.swept, '0')
  expect(await cron()).toBe(1)
  expect(await r.redis.smembers(r.keys.webhooks)).toEqual(['enabled'])
  await t.sql(`update webhook_endpoints set enabled = false, disabled_reason = 'test'`)
  await r.redis.set(r.keys.swept, '0')
  expect(await cron()).toBe(0)
  expect(await r.redis.smembers(r.keys.webhooks)).toEqual([])
})

test('messages go after 30 days with their tries, and a secret once it no longer signs', async () => {
  await t.sql(`insert into subscribers (email) values (gen_random_uuid() || '@example.com')`)
  await t.sql(`insert into webhook_attempts (message_id, duration_ms) select id, 1 from webhook_messages`)
  await t.sql(`update webhook_messages set created_at = now() - interval '31 days'
    where id = (select min(id) from webhook_messages)`)
  await t.sql(`update webhook_endpoints set previous_secret = 'whsec_old', previous_until = now() + interval '1 hour'`)
  const forget = () => forgetWebhooks(t.db, Date.now() + 10_000, () => new Date())
  const left = async () => (await t.sql('select count(*)::int as n from webhook_attempts'))[0]?.n
  await forget()
  expect(await left()).toBe(1)
  expect(await t.sql('select 1 from webhook_endpoints where previous_secret is not null')).toHaveLength(1)
  await t.sql(`update webhook_endpoints set previous_until = now() - interval '1 second'`)
  await forget()
  expect(await t.sql('select 1 from webhook_endpoints where previous_secret is not null')).toEqual([])
  expect(await left()).toBe(1)
})
