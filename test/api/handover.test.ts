import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { connectRedis } from '../../src/redis/client.ts'
import { redisKeys } from '../../src/redis/keys.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import { signLink } from '../../src/tokens/link.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import type { TrackingEvent } from '../../src/tracking/event.ts'
import { workerBindings } from '../support/bindings.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { ORIGIN, request } from './client.ts'

// emk-tracking is the real Worker behind the binding; it was started with these settings, not with this file's.
const settings = workerBindings({ neon: inject('neon'), redis: inject('redis') })
const redis = connectRedis(settings.UPSTASH_REDIS_REST_URL ?? '', settings.UPSTASH_REDIS_REST_TOKEN ?? '')
const { event_shards } = redisKeys(settings.REDIS_PREFIX ?? '')
const campaign_id = 1 + Math.floor(Math.random() * 1e12)

let worker: TestWorker
let keys: SigningKeys
beforeAll(async () => {
  worker = await openTestWorker()
  keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
})
afterAll(() => worker.close())

const recorded = async () => {
  const lists = await Promise.all(event_shards.map((list) => redis.lrange<string>(list, 0, -1)))
  return lists
    .flat()
    .map((line): TrackingEvent => JSON.parse(line))
    .filter((event) => event.campaign_id === campaign_id)
}

test('/t/o is answered by emk-tracking, which still knows where the request came from', async () => {
  const token = await signRecipient(keys, 'open', campaign_id, 7)
  const response = await exports.default.fetch(`${ORIGIN}/t/o/${token}.gif`, { cf: { country: 'CH' } })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/gif'])
  expect(response.headers.get('x-request-id')).toBeNull()
  await response.arrayBuffer()
  await expect.poll(recorded).toMatchObject([{ kind: 'open', subscriber_id: 7, country: 'CH' }])
})

test('/t/c redirects without an API key', async () => {
  const [recipient, link] = await Promise.all([
    signRecipient(keys, 'click', campaign_id, 7),
    signLink(keys, campaign_id, 1, 'https://shop.example.com/'),
  ])
  const { status, headers } = await request(`/t/c/${recipient}/${link}`, { redirect: 'manual' })
  expect([status, headers.get('location')]).toEqual([302, 'https://shop.example.com/'])
})

test('/u shows its page for GET and takes the one-click POST with its body', async () => {
  const token = await signRecipient(keys, 'unsubscribe', campaign_id, 7)
  const page = await request<string>(`/u/${token}`)
  expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)])
  expect((await recorded()).some(({ kind }) => kind === 'unsubscribe')).toBe(false)

  const post = await request(`/u/${token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'List-Unsubscribe=One-Click',
  })
  expect(post.status).toBe(200)
  expect((await recorded()).some(({ kind }) => kind === 'unsubscribe')).toBe(true)
})

test('crawlers and tampered tokens get an answer, never an error', async () => {
  expect((await request<string>('/robots.txt')).body).toContain('Disallow: /')
  for (const path of ['/t/o/nonsense', '/t/o/', '/t/c/a/b', '/t/nothing', '/u/nonsense', '/u']) {
    expect((await request(path, { redirect: 'manual' })).status, path).toBeLessThan(500)
  }
})
