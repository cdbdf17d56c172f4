import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env, exports } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { openTestRedis } from '../support/redis.ts'

const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
const token = await signRecipient(keys, 'unsubscribe', 7, 42)
afterEach(() => vi.restoreAllMocks())

/** A Worker that has not been built yet, with other settings. */
async function ask(path: string, settings: Partial<TrackingEnv>, init: RequestInit<IncomingRequestCfProperties> = {}) {
  vi.resetModules()
  const { default: worker } = await import('../../workers/tracking.ts')
  const ctx = createExecutionContext()
  const request = new Request<unknown, IncomingRequestCfProperties>(`https://mail.test${path}`, init)
  const response = await worker.fetch(request, { ...env, ...settings } as TrackingEnv, ctx)
  await waitOnExecutionContext(ctx)
  return response
}

test('the Worker as configured answers', async () => {
  expect((await exports.default.fetch(`https://mail.test/u/${token}`)).status).toBe(200)
  const robots = await exports.default.fetch('https://mail.test/robots.txt')
  expect(await robots.text()).toBe('User-agent: *\nDisallow: /\n')
})

test('it writes to the Redis and under the prefix it is given', async () => {
  const { redis, keys: redis_keys, prefix, close } = openTestRedis()
  const open = await signRecipient(keys, 'open', 7, 42)
  await ask(`/t/o/${open}.gif`, { REDIS_PREFIX: prefix })
  const [line = ''] = await redis.lrange(redis_keys.events, 0, -1)
  expect(JSON.parse(line)).toMatchObject({ kind: 'open', campaign_id: 7, subscriber_id: 42 })
  expect(JSON.parse(line).event_id).toMatch(/^[0-9a-f-]{36}$/)
  await close()
})

test('without Redis the real queue takes an unsubscribe', async () => {
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  const settings = { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1' }
  expect((await ask(`/u/${token}`, settings, { method: 'POST', body })).status).toBe(200)
})

test.each([
  ['the development key in production', { ENVIRONMENT: 'production' }, /development key/],
  ['no keys', { SIGNING_KEYS: '' }, /SIGNING_KEYS is empty/],
  ['malformed keys', { SIGNING_KEYS: '1:signing:short-secret' }, /SIGNING_KEYS, entry 1/],
])('%s: whatever needs keys answers 500 and the log says why', async (_name, settings, reason) => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  for (const path of [`/t/o/${token}.gif`, `/t/c/${token}/1.1.1.a.${'A'.repeat(22)}`, `/u/${token}`]) {
    expect((await ask(path, settings)).status).toBe(500)
  }
  expect(lines).toHaveLength(3)
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({ event: 'tracking_failed', refusal: expect.stringMatching(reason) })
    expect(line).not.toContain('short-secret')
  }
  expect((await ask('/robots.txt', settings)).status).toBe(200)
  expect((await ask('/nothing', settings)).status).toBe(404)
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
  const response = await exports.default.fetch(`https://mail.test${path}`)
  expect(response.status).toBe(404)
  expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
  expect(await response.text()).toContain('<html lang="en">')
})
