import { env, exports } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'

afterEach(() => vi.restoreAllMocks())
const ask = (path: string) => exports.default.fetch(`https://mail.test${path}`)

test.each([
  ['the development key in production', { ENVIRONMENT: 'production' }, /development key/],
  [
    'a development key under another id',
    { ENVIRONMENT: 'production', SIGNING_KEYS: DEVELOPMENT_SIGNING_KEYS.replace('1:signing', '9:signing') },
    /development key/,
  ],
  ['no keys', { SIGNING_KEYS: '' }, /SIGNING_KEYS is empty/],
  ['keys that were never set', { SIGNING_KEYS: undefined }, /SIGNING_KEYS is empty/],
  ['malformed keys', { SIGNING_KEYS: '1:signing:short-secret' }, /SIGNING_KEYS, entry 1/],
])('%s: whatever needs keys answers 500, and the log says why without the secret', async (_name, settings, reason) => {
  Object.assign(env, settings)
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  for (const path of ['/t/o/x.gif', '/t/c/x/y', '/u/x']) expect((await ask(path)).status).toBe(500)
  expect(lines).toHaveLength(3)
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({ event: 'tracking_failed', refusal: expect.stringMatching(reason) })
    expect(line).not.toContain('short-secret')
  }
  expect((await ask('/robots.txt')).status).toBe(200)
  expect((await ask('/nothing')).status).toBe(404)
})
