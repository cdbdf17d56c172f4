import { env, exports } from 'cloudflare:workers'
import { afterAll, expect, test, vi } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { openTestRedis } from '../support/redis.ts'

const { redis, keys: redis_keys, prefix, close } = openTestRedis()
Object.assign(env, { REDIS_PREFIX: prefix })
afterAll(close)

const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
const token = await signRecipient(keys, 'unsubscribe', 7, 42)
const ask = (path: string, init: RequestInit = {}) => exports.default.fetch(`https://mail.test${path}`, init)

test('an open reaches the Redis, and the prefix, that the Worker was given', async () => {
  const open = await signRecipient(keys, 'open', 7, 42)
  expect((await ask(`/t/o/${open}.gif`)).headers.get('Content-Type')).toBe('image/gif')
  const line = await vi.waitFor(async () => {
    const lists = await Promise.all(redis_keys.event_shards.map((list) => redis.lrange(list, 0, -1)))
    const [line] = lists.flat()
    if (!line) throw new Error('not yet')
    return JSON.parse(line)
  })
  expect(line).toMatchObject({ kind: 'open', campaign_id: 7, subscriber_id: 42, country: null })
  expect(line.event_id).toMatch(/^[0-9a-f-]{36}$/)
  expect(Math.abs(Date.parse(line.occurred_at) - Date.now())).toBeLessThan(60_000)
})

test('an unsubscribe is in Redis when it is answered', async () => {
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  expect((await ask(`/u/${token}`, { method: 'POST', body })).status).toBe(200)
  expect(await redis.zscore(redis_keys.optouts, '42')).not.toBeNull()
})

test('robots are sent away', async () => {
  expect(await (await ask('/robots.txt')).text()).toBe('User-agent: *\nDisallow: /\n')
  expect((await ask('/robots.txt', { method: 'POST' })).status).toBe(405)
})

test.each([
  '/',
  '/t',
  '/t/',
  '/t/x/y',
  '/u',
  '/u/',
  `/u/${token}/more`,
  '/t/o',
  '/t/o/',
  '/api/v1/x',
  '//',
  '/favicon.ico',
])('%s is a 404 page', async (path) => {
  const response = await ask(path)
  expect(response.status).toBe(404)
  expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
  expect(await response.text()).toContain('<html lang="en">')
})
