// Sign-ups with a challenge, against an endpoint that checks secret and answer as Turnstile's siteverify is documented to.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { signupFormPages } from '../../src/signup/form-page.ts'
import { askTurnstile, type Turnstile } from '../../src/signup/turnstile.ts'
import { DEVELOPMENT_HASH_KEY } from '../../src/tokens/development.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { cronOf } from '../support/minute.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'

const SECRET = 'a secret of the widget'

let server: Server
let turnstile: Turnstile
/** Answers that were given out, until they are used. */
const solved = new Set<string>()
const asked: URLSearchParams[] = []
/** How the endpoint fails, when it does. */
let failing: 'status' | 'hang up' | null = null

let t: TestDatabase
let r: TestRedis
let app: ReturnType<typeof signupFormPages>
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const form = new URLSearchParams(body)
    asked.push(form)
    if (failing === 'hang up') return void request.socket.destroy()
    if (failing === 'status') return void response.writeHead(500).end('<html>')
    const errors = []
    if (form.get('secret') !== SECRET) errors.push('invalid-input-secret')
    else if (!form.get('response')?.startsWith('answer-')) errors.push('invalid-input-response')
    else if (!solved.delete(form.get('response') ?? '')) errors.push('timeout-or-duplicate')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ success: errors.length === 0, 'error-codes': errors }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  turnstile = { site_key: '1x00"><b>', secret: SECRET, verify_url: `http://127.0.0.1:${port}/siteverify` }
  t = await openTestDatabase()
  r = openTestRedis()
  await t.sql(
    `insert into mailing_lists (name, opt_in, visibility, consent_wording) values ('News', 'single', 'public', 'Yes')`,
  )
  const services = await cronOf({ db: t.db, redis: r.redis, redis_keys: r.keys })
  app = signupFormPages({ ...services, hash_key: DEVELOPMENT_HASH_KEY, turnstile })
})
afterAll(async () => {
  server.close()
  await r.close()
  await t.close()
})

let count = 0
let answer = ''
beforeEach(() => {
  answer = `answer-${++count}`
  asked.length = 0
  failing = null
})

async function post(fields: Record<string, string>, accept = 'application/json') {
  const later: Promise<unknown>[] = []
  const response = await app.request(
    '/subscribe',
    {
      method: 'POST',
      headers: { accept, 'cf-connecting-ip': '192.0.2.7' },
      body: new URLSearchParams({ list: '1', ...fields }),
    },
    {},
    { waitUntil: (promise: Promise<unknown>) => void later.push(promise) } as Parameters<typeof app.request>[3],
  )
  await Promise.all(later)
  return response
}
const stored = async (email: string) => (await t.sql('select 1 from signups where email = $1', [email])).length

test('a solved challenge signs up, once', async () => {
  solved.add(answer)
  const fields = { email: 'a@example.com', 'cf-turnstile-response': answer }
  expect((await post(fields)).status).toBe(202)
  expect(Object.fromEntries(asked[0] ?? [])).toEqual({ secret: SECRET, response: answer, remoteip: '192.0.2.7' })
  expect(await stored('a@example.com')).toBe(1)
  const again = await post(fields)
  expect([again.status, await again.json()]).toMatchObject([403, { code: 'challenge_failed' }])
  expect(await stored('a@example.com')).toBe(1)
})

test('without an answer, or with one that nobody gave out, nothing is stored; the form says so and keeps its fields', async () => {
  for (const given of ['', 'forged', 'x'.repeat(3_000)]) {
    const response = await post(
      { email: 'b@example.com', first_name: 'Bo', 'cf-turnstile-response': given },
      'text/html',
    )
    expect(response.status).toBe(403)
    const html = await response.text()
    expect(html).toContain('value="b@example.com"')
    expect(html).toContain('value="Bo"')
    expect(html).toContain('not a robot')
    expect(html).toContain('data-sitekey="1x00&quot;&gt;&lt;b&gt;"')
    const policy = response.headers.get('content-security-policy')
    expect(policy).toContain('script-src https://challenges.cloudflare.com')
    expect(policy).toContain('frame-src https://challenges.cloudflare.com')
  }
  // What cannot be an answer is not even asked about.
  expect(asked).toHaveLength(1)
  expect(await stored('b@example.com')).toBe(0)
})

test.each(['status', 'hang up'] as const)('while the check fails (%s), people are asked to come back', async (how) => {
  failing = how
  solved.add(answer)
  const fields = { email: 'c@example.com', 'cf-turnstile-response': answer }
  const response = await post(fields)
  expect([response.status, await response.json()]).toMatchObject([503, { code: 'challenge_unavailable' }])
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await post(fields, 'text/html')).status).toBe(503)
  expect(await stored('c@example.com')).toBe(0)
})

test("a wrong secret is the owner's fault, not the reader's", async () => {
  solved.add(answer)
  expect(await askTurnstile({ ...turnstile, secret: 'wrong' }, answer, null)).toBe('unknown')
  expect(await askTurnstile(turnstile, answer, null)).toBe('solved')
})

test('a program that fills in everything is thanked, and nobody else is asked', async () => {
  const response = await post({ email: 'd@example.com', website: 'https://spam.example' })
  expect(response.status).toBe(202)
  expect(asked).toEqual([])
  expect(await stored('d@example.com')).toBe(0)
})
