import { afterAll, afterEach, expect, test } from 'vitest'
import { connectRedis } from '../../src/redis/client.ts'
import { ANYBODY, NOBODY } from '../../src/tokens/nobody.ts'
import { signRecipient, verifyRecipient } from '../../src/tokens/recipient.ts'
import { unsubscribeUrl } from '../../src/tokens/urls.ts'
import { optoutsOf, pruneOptouts } from '../../src/tracking/optouts.ts'
import { keysWith, NOTHING, NOW, ORIGIN, openEdge, READER } from './edge.ts'

const edge = await openEdge()
const token = await signRecipient(edge.signing_keys, 'unsubscribe', 7, 42)
const URL_TEXT = unsubscribeUrl(ORIGIN, token)
const AT = String(Date.parse(NOW))
const left = (scope: 'lists' | 'all') => ({
  event_id: expect.stringMatching(/^event-/),
  kind: 'unsubscribe',
  campaign_id: 7,
  subscriber_id: 42,
  link: 0,
  scope,
  occurred_at: NOW,
  ...READER,
  method: 'POST',
})
const ONE_CLICK = { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) }
afterEach(async () => expect(await edge.arrived()).toEqual(NOTHING))
afterAll(() => edge.close())

test('GET shows a page with both choices and changes nothing', async () => {
  const response = await edge.ask(URL_TEXT)
  expect(response.status).toBe(200)
  expect(response.headers.get('Content-Type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('Cache-Control')).toBe('no-store')
  expect(response.headers.get('Referrer-Policy')).toBe('no-referrer')
  expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')
  expect(response.headers.get('Set-Cookie')).toBeNull()
  expect(response.headers.get('Content-Security-Policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
  )
  const html = await response.text()
  expect(html).toContain('<form method="post">')
  expect(html).toContain('name="scope" value="lists"')
  expect(html).toContain('name="scope" value="all"')
  expect(html).not.toContain('<script')
})

test('GET acts on nothing that stands in its address; neither does HEAD', async () => {
  await edge.ask(`${URL_TEXT}?List-Unsubscribe=One-Click&scope=all`)
  const head = await edge.ask(URL_TEXT, { method: 'HEAD' })
  expect(head.status).toBe(200)
})

test('one click, urlencoded: an empty 200, once Redis holds it', async () => {
  const response = await edge.ask(URL_TEXT, ONE_CLICK)
  expect(response.status).toBe(200)
  expect(await response.text()).toBe('')
  expect(await edge.arrived()).toEqual({ ...NOTHING, redis: [left('lists')], optouts: ['42', AT] })
})

test('one click, multipart', async () => {
  const body = new FormData()
  body.set('List-Unsubscribe', 'One-Click')
  expect((await edge.ask(URL_TEXT, { method: 'POST', body })).status).toBe(200)
  expect(await edge.arrived()).toEqual({ ...NOTHING, redis: [left('lists')], optouts: ['42', AT] })
})

test('one click without a content type is not turned away', async () => {
  const body = new TextEncoder().encode('List-Unsubscribe=One-Click')
  expect((await edge.ask(URL_TEXT, { method: 'POST', body })).status).toBe(200)
  expect(await edge.arrived()).toEqual({ ...NOTHING, redis: [left('lists')], optouts: ['42', AT] })
})

test('a repeated click is answered alike', async () => {
  await edge.ask(URL_TEXT, ONE_CLICK)
  expect((await edge.ask(URL_TEXT, ONE_CLICK)).status).toBe(200)
  expect(await edge.arrived()).toEqual({ ...NOTHING, redis: [left('lists'), left('lists')], optouts: ['42', AT] })
})

test.each(['lists', 'all'] as const)('the page posts scope=%s', async (scope) => {
  const response = await edge.ask(URL_TEXT, { method: 'POST', body: new URLSearchParams({ scope }) })
  expect(response.status).toBe(200)
  const html = await response.text()
  expect(html).toContain('You are unsubscribed')
  // Whoever has just left may choose what else they get, at emk-api.
  const [, preferences = ''] = /<a href="https:\/\/api\.test\/preferences\/([\w-]+)">/.exec(html) ?? []
  expect(await verifyRecipient(edge.signing_keys, 'preferences', preferences)).toMatchObject({
    campaign_id: 7,
    subscriber_id: 42,
  })
  expect(await edge.arrived()).toEqual({ ...NOTHING, redis: [left(scope)], optouts: ['42', AT] })
})

test('preferences are offered to nobody who has not left, has a retired key, or where nothing answers', async () => {
  const scope = { method: 'POST', body: new URLSearchParams({ scope: 'all' }) }
  const pages = [
    await edge.ask(URL_TEXT),
    await edge.ask(URL_TEXT, scope, { signing_keys: await keysWith('redirect-only') }),
    await edge.ask(URL_TEXT, scope, { public_url: '' }),
    await edge.ask(URL_TEXT, scope, { redis_down: true, queue_down: true }),
  ]
  expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 503])
  for (const page of pages) expect(await page.text()).not.toContain('preferences')
  await edge.arrived()
})

test('a body that says nothing, is broken or is huge is a 400 and changes nothing', async () => {
  const bodies: RequestInit[] = [
    { body: '' },
    { body: 'scope=some' },
    { body: 'List-Unsubscribe=Two-Clicks' },
    { body: '--x\r\nnonsense', headers: { 'Content-Type': 'multipart/form-data; boundary=y' } },
    { body: 'a', headers: { 'Content-Type': 'multipart/form-data; boundary=' } },
    { body: `${'a'.repeat(20_000)}&scope=all` },
    { body: new Uint8Array([0xff, 0xfe, 0]) },
    {},
  ]
  for (const init of bodies) {
    const response = await edge.ask(URL_TEXT, { method: 'POST', ...init })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('Nothing was changed')
  }
})

test('a junk token is a 404 page and changes nothing', async () => {
  const click = await signRecipient(edge.signing_keys, 'click', 7, 42)
  const foreign = await signRecipient(await keysWith('revoked'), 'unsubscribe', 7, 42)
  const junk = ['x', click, foreign, `${token}A`, token.slice(0, -1), '%00', 'é', '<b>']
  for (let at = 0; at < token.length; at++) {
    junk.push(token.slice(0, at) + (token[at] === 'B' ? 'C' : 'B') + token.slice(at + 1))
  }
  for (const bad of junk) {
    const got = await edge.ask(`/u/${bad}`)
    expect(got.status).toBe(404)
    expect(await got.text()).toContain('This link is not valid')
    expect((await edge.ask(`/u/${bad}`, ONE_CLICK)).status).toBe(404)
  }
})

test('retired keys still unsubscribe, revoked ones do not', async () => {
  for (const state of ['verifying', 'redirect-only'] as const) {
    expect((await edge.ask(URL_TEXT, ONE_CLICK, { signing_keys: await keysWith(state) })).status).toBe(200)
    expect((await edge.arrived()).redis).toEqual([left('lists')])
  }
  expect((await edge.ask(URL_TEXT, ONE_CLICK, { signing_keys: await keysWith('revoked') })).status).toBe(404)
})

test('while Redis is down it is answered with 200 only because the queue holds it', async () => {
  expect((await edge.ask(URL_TEXT, ONE_CLICK, { redis_down: true })).status).toBe(200)
  expect(await edge.arrived()).toEqual({ ...NOTHING, queue: [left('lists')] })
})

test('with Redis and the queue down it is a 503: nobody is told that they have left', async () => {
  const response = await edge.ask(URL_TEXT, ONE_CLICK, { redis_down: true, queue_down: true })
  expect(response.status).toBe(503)
  expect(response.headers.get('Retry-After')).toBe('60')
  expect(await response.text()).toContain('still subscribed')
})

test('a Redis that refuses one of the two writes is not taken for one that holds them', async () => {
  await edge.redis.set(edge.keys.optouts, 'not a sorted set')
  expect((await edge.ask(URL_TEXT, ONE_CLICK)).status).toBe(200)
  await edge.redis.del(edge.keys.optouts)
  expect((await edge.arrived()).queue).toEqual([left('lists')])
})

test('a token that is the same in every mail unsubscribes nobody', async () => {
  const url = unsubscribeUrl(ORIGIN, await signRecipient(edge.signing_keys, 'unsubscribe', 7, ANYBODY))
  for (const init of [{}, ONE_CLICK]) expect((await edge.ask(url, init)).status).toBe(404)
})

test('the sender learns of an opt-out at once, and of a Redis that cannot be asked by an error', async () => {
  await edge.ask(URL_TEXT, ONE_CLICK)
  expect(await optoutsOf(edge.redis, edge.keys, [41, 42, 43])).toEqual(new Map([[42, Date.parse(NOW)]]))
  expect(await optoutsOf(edge.redis, edge.keys, [])).toEqual(new Map())
  await expect(optoutsOf(connectRedis('http://127.0.0.1:1', 'x'), edge.keys, [42])).rejects.toThrow()
  expect(await pruneOptouts(edge.redis, edge.keys, Date.parse(NOW))).toBe(0)
  expect(await pruneOptouts(edge.redis, edge.keys, Date.parse(NOW) + 1)).toBe(1)
  expect(await optoutsOf(edge.redis, edge.keys, [41, 42])).toEqual(new Map())
  await edge.arrived()
})

test("a test mail's link says so and unsubscribes nobody, by one click or from the page", async () => {
  const url = unsubscribeUrl(ORIGIN, await signRecipient(edge.signing_keys, 'unsubscribe', 7, NOBODY))
  for (const init of [{}, ONE_CLICK, { method: 'POST', body: new URLSearchParams({ scope: 'all' }) }]) {
    const response = await edge.ask(url, init)
    expect(response.status).toBe(200)
    const html = await response.text()
    expect(html).toContain('This was a test mail')
    expect(html).not.toContain('<form')
  }
  // Nothing is asked of Redis or the queue, so nothing can be down.
  expect((await edge.ask(url, ONE_CLICK, { redis_down: true, queue_down: true })).status).toBe(200)
})
