import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { pauseCampaign, resumeCampaign } from '../../src/campaigns/transitions.ts'
import { underWatch } from '../../src/campaigns/wake.ts'
import type { Database } from '../../src/db/client.ts'
import { frozenCampaign } from '../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { minute } from '../support/minute.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'

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
/** As after a full sweep a moment ago: no part is due by the hour. */
beforeEach(async () => {
  await r.redis.del(r.keys.wake, r.keys.events)
  await r.redis.set(r.keys.swept, String(Date.now()))
  await t.sql(`update campaigns set status = 'cancelled' where status = 'sending'`)
})

/** A database that says whether it was asked. */
function watched(db: Database) {
  const seen = { asked: 0 }
  const proxy = new Proxy(db, {
    get(target, key) {
      seen.asked++
      const value = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { seen, db: proxy }
}

const cron = (db: Database = t.db) => minute({ db, redis: r.redis, redis_keys: r.keys })

async function watchedCampaign(size: number) {
  const seeded = await frozenCampaign(t, size)
  await r.redis.zadd(r.keys.wake, { score: 0, member: String(seeded.campaign_id) })
  return seeded
}

test('with nothing to do Postgres is not asked', async () => {
  await r.redis.zadd(r.keys.wake, { score: Date.now() + 3_600_000, member: '1' })
  const idle = watched(t.db)
  await cron(idle.db)
  expect(idle.seen.asked).toBe(0)
})

test('once an hour, and when Redis cannot say, everything is looked at', async () => {
  await r.redis.del(r.keys.swept)
  const due = watched(t.db)
  await cron(due.db)
  expect(due.seen.asked).toBeGreaterThan(0)
  expect(Number(await r.redis.get(r.keys.swept))).toBeGreaterThan(Date.now() - 60_000)
})

test('a campaign that Redis has forgotten is watched again after the hourly look', async () => {
  const { campaign_id } = await watchedCampaign(3)
  await r.redis.del(r.keys.wake, r.keys.swept)
  await cron()
  expect(Number(await r.redis.zscore(r.keys.wake, String(campaign_id)))).toBe(0)
})

test('a campaign that is resumed while cron looks at it as paused stays watched', async () => {
  const { campaign_id } = await watchedCampaign(3)
  await pauseCampaign(t.db, campaign_id, 'test')
  const services = { redis: r.redis, redis_keys: r.keys }
  const resumed = await underWatch(services, campaign_id, 0, async () => {
    await cron()
    expect(await r.redis.zscore(r.keys.wake, String(campaign_id))).toBeNull()
    return resumeCampaign(t.db, campaign_id)
  })
  expect(resumed).toBe(true)
  expect(Number(await r.redis.zscore(r.keys.wake, String(campaign_id)))).toBe(0)
})

test('events in the buffer are written, and prove that an unconfirmed mail arrived', async () => {
  const { campaign_id, subscriber_ids } = await watchedCampaign(1)
  await t.sql(`update deliveries set state = 'unconfirmed', reason = 'no_answer' where campaign_id = $1`, [campaign_id])
  await t.sql('update batches set open = 0, unconfirmed = 1 where campaign_id = $1', [campaign_id])
  const event = {
    event_id: crypto.randomUUID(),
    kind: 'open',
    campaign_id,
    subscriber_id: subscriber_ids[0],
    link: 0,
    occurred_at: new Date().toISOString(),
    country: null,
  }
  await r.redis.rpush(r.keys.events, JSON.stringify(event))
  await cron()
  const [row] = await t.sql('select state from deliveries where campaign_id = $1', [campaign_id])
  expect(row?.state).toBe('sent')
  const [stats] = await t.sql('select opens, unique_opens from campaign_stats where campaign_id = $1', [campaign_id])
  expect(stats).toEqual({ opens: 1, unique_opens: 1 })
})

test('once an hour, single mails whose pointers were lost get new ones', async () => {
  const [mail] = await t.sql<{ id: string }>(
    `with s as (insert into transactional_sends (purpose, campaign_id, content) values ('test', 1, '{}') returning id)
     insert into transactional_mails (send_id, email, state, due_at)
     select id, 'a@example.com', 'queued', now() - interval '1 hour' from s returning id`,
  )
  expect((await cron()).mails).toEqual([])
  await r.redis.set(r.keys.swept, '0')
  expect((await cron()).mails).toEqual([Number(mail?.id)])
})
