import { afterAll, afterEach, expect, test } from 'vitest'
import { encodeBase64url } from '../../src/tokens/base64url.ts'
import { signLink, signRecipientLink } from '../../src/tokens/link.ts'
import { mac } from '../../src/tokens/mac.ts'
import { ANYBODY, NOBODY } from '../../src/tokens/nobody.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { clickBase } from '../../src/tokens/urls.ts'
import { keysWith, NOTHING, NOW, ORIGIN, openEdge, READER } from './edge.ts'

const edge = await openEdge()
const TARGET = 'https://shop.example/a%2Fb/%7Eq;p?x=1&y=a+b&&z=%C3%A9&u=https://other.example/?a=b#frag/ment'
const token = await signRecipient(edge.signing_keys, 'click', 7, 42)
const half = await signLink(edge.signing_keys, 7, 3, TARGET)
const path = (recipient = token, link = half) => `${clickBase('', recipient)}/${link}`
const CLICK = {
  event_id: expect.stringMatching(/^event-/),
  kind: 'click',
  campaign_id: 7,
  subscriber_id: 42,
  link: 3,
  occurred_at: NOW,
  ...READER,
}
afterEach(async () => expect(await edge.arrived()).toEqual(NOTHING))
afterAll(() => edge.close())

function expectRedirect(response: Response, url = TARGET) {
  expect(response.status).toBe(302)
  expect(response.headers.get('Location')).toBe(url)
  expect(response.headers.get('Cache-Control')).toBe('no-store')
  expect(response.headers.get('Referrer-Policy')).toBe('no-referrer')
  expect(response.headers.get('Set-Cookie')).toBeNull()
}

test('two good halves redirect to the very URL and record a click', async () => {
  expectRedirect(await edge.ask(`${ORIGIN}${path()}`, { cf: { country: 'FR' } }))
  expect(await edge.arrived()).toEqual({ ...NOTHING, redis: [{ ...CLICK, country: 'FR' }] })
})

test('a URL that is not ASCII redirects to where a browser would go', async () => {
  const iri = await signLink(edge.signing_keys, 7, 4, 'https://bücher.example/größe?q=日本 x#é')
  expectRedirect(
    await edge.ask(path(token, iri)),
    'https://xn--bcher-kva.example/gr%C3%B6%C3%9Fe?q=%E6%97%A5%E6%9C%AC%20x#%C3%A9',
  )
  expect((await edge.arrived()).redis).toEqual([{ ...CLICK, link: 4 }])
})

test.each([
  'https://shop.example/go?u=https%253A%252F%252Fother.example%252F%253Fa%253Db&x=%2525',
  'https://shop.example/a//b/../c/./%2e%2e/d;v=1?',
  'https://shop.example/#/app?route=%23#two',
  'https://user:pa%40ss@shop.example:8443/?q=%00%0D%0ASet-Cookie:a=b',
  'http://[2001:db8::1]/?[]={}|\\^`"<>\'',
  'HTTPS://SHOP.example/Path',
])('%s is redirected to as it was written', async (url) => {
  expectRedirect(await edge.ask(path(token, await signLink(edge.signing_keys, 7, 3, url))), url)
  expect((await edge.arrived()).redis).toEqual([CLICK])
})

test.each([
  'javascript:alert(1)',
  'JavaScript:alert(1)//https://shop.example/',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'https:javascript:alert(1)',
  '//evil.example/',
  '/\\evil.example/',
  'https://shop.example/\r\nLocation: https://evil.example/',
])('%j leads nowhere, though its signature is good', async (url) => {
  const signed = `1.7.3.${encodeBase64url(new TextEncoder().encode(url))}`
  const tag = await mac(edge.signing_keys.signing, 'link', new TextEncoder().encode(signed), 16)
  const response = await edge.ask(path(token, `${signed}.${encodeBase64url(tag)}`))
  expect([response.status, response.headers.get('Location')]).toEqual([404, null])
})

test('what was added to the address changes nothing', async () => {
  expectRedirect(await edge.ask(`${path()}?utm_source=x&url=https://evil.example/#top`))
  expect((await edge.arrived()).redis).toEqual([CLICK])
})

test('HEAD redirects, and is recorded as a machine', async () => {
  expectRedirect(await edge.ask(path(), { method: 'HEAD' }))
  expect((await edge.arrived()).redis).toEqual([
    { ...CLICK, method: 'HEAD', verdict: 'machine', reason: 'head', device: null, client: null },
  ])
})

test('for everybody: the event names nobody', async () => {
  expectRedirect(await edge.ask(path(await signRecipient(edge.signing_keys, 'click', 7, ANYBODY))))
  expect((await edge.arrived()).redis).toEqual([{ ...CLICK, subscriber_id: null }])
})

test('a bad recipient half redirects and records nothing', async () => {
  const open = await signRecipient(edge.signing_keys, 'open', 7, 42)
  for (const bad of ['x', `${token}A`, token.slice(1), open, '%00', 'é']) {
    expectRedirect(await edge.ask(path(bad)))
  }
  for (let at = 0; at < token.length; at++) {
    expectRedirect(await edge.ask(path(token.slice(0, at) + (token[at] === 'B' ? 'C' : 'B') + token.slice(at + 1))))
  }
})

test('halves of two campaigns redirect and record nothing', async () => {
  expectRedirect(await edge.ask(path(await signRecipient(edge.signing_keys, 'click', 8, 42))))
  expectRedirect(await edge.ask(path(token, await signLink(edge.signing_keys, 8, 3, TARGET))))
  expectRedirect(await edge.ask(path(token, await signLink(edge.signing_keys, 42, 7, TARGET))))
})

test('a bad link half is a 404 page that leads nowhere', async () => {
  const [key, campaign, n, , mac] = half.split('.')
  const evil = btoa('https://evil.example/').replaceAll('=', '')
  const bad = ['x', half.slice(0, -1), `${half}A`, `${key}.${campaign}.${n}.${evil}.${mac}`, token]
  for (let at = 0; at < half.length; at += 3) {
    bad.push(half.slice(0, at) + (half[at] === 'B' ? 'C' : 'B') + half.slice(at + 1))
  }
  for (const link of bad) {
    const response = await edge.ask(path(token, link))
    expect(response.status).toBe(404)
    expect(response.headers.get('Location')).toBeNull()
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'")
    expect(await response.text()).toContain('This link is broken')
  }
})

test('a missing or extra part is a 404', async () => {
  for (const other of [`/t/c/${token}`, `/t/c/${token}/${half}/more`, '/t/c', '/t/c/', `/t/c//${half}`]) {
    expect((await edge.ask(other)).status).toBe(404)
  }
})

test('retired keys redirect without a record, revoked keys do not redirect', async () => {
  expectRedirect(await edge.ask(path(), {}, { signing_keys: await keysWith('redirect-only') }))
  expect((await edge.ask(path(), {}, { signing_keys: await keysWith('revoked') })).status).toBe(404)
  expectRedirect(await edge.ask(path(), {}, { signing_keys: await keysWith('verifying') }))
  expect((await edge.arrived()).redis).toEqual([CLICK])
})

test('while Redis is down the queue takes the event; with both down the redirect still comes', async () => {
  expectRedirect(await edge.ask(path(), {}, { redis_down: true }))
  expect(await edge.arrived()).toEqual({ ...NOTHING, queue: [CLICK] })
  expectRedirect(await edge.ask(path(), {}, { redis_down: true, queue_down: true }))
})

test("a test mail's link redirects and records nothing", async () => {
  expectRedirect(await edge.ask(path(await signRecipient(edge.signing_keys, 'click', 7, NOBODY))))
})

test('a link made for one reader redirects and is recorded, with that reader’s half', async () => {
  const own = await signRecipientLink(edge.signing_keys, { campaign_id: 7, subscriber_id: 42 }, 3, TARGET)
  expectRedirect(await edge.ask(path(token, own)))
  expect(await edge.arrived()).toEqual({ ...NOTHING, redis: [CLICK] })
  expectRedirect(await edge.ask(path(token, own), {}, { signing_keys: await keysWith('redirect-only') }))
  expectRedirect(await edge.ask(path(token, own), {}, { redis_down: true, queue_down: true }))
})

test('a link made for one reader leads nowhere with any other half', async () => {
  const keys = edge.signing_keys
  const own = await signRecipientLink(keys, { campaign_id: 7, subscriber_id: 42 }, 3, TARGET)
  const recipients = ['x', token.slice(1), `${token}A`]
  for (const [campaign_id, subscriber_id] of [
    [8, 42],
    [7, 43],
    [42, 7],
  ] as const) {
    recipients.push(await signRecipient(keys, 'click', campaign_id, subscriber_id))
  }
  for (const purpose of ['open', 'unsubscribe', 'view'] as const) {
    recipients.push(await signRecipient(keys, purpose, 7, 42))
  }
  for (let at = 0; at < token.length; at++) {
    recipients.push(token.slice(0, at) + (token[at] === 'B' ? 'C' : 'B') + token.slice(at + 1))
  }
  const links = [own.slice(1), `r${half}`, own.replace('r', 'R'), `r${own}`, `${own}A`]
  for (let at = 0; at < own.length; at += 3) {
    links.push(own.slice(0, at) + (own[at] === 'B' ? 'C' : 'B') + own.slice(at + 1))
  }
  for (const broken of [...recipients.map((one) => path(one, own)), ...links.map((link) => path(token, link))]) {
    const response = await edge.ask(broken)
    expect([response.status, response.headers.get('Location')], broken).toEqual([404, null])
  }
})
