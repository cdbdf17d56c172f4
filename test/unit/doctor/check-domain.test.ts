import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { domainChecker } from '../../../src/doctor/check-domain.ts'
import { checkUrls } from '../../../src/doctor/urls.ts'
import type { AccountState } from '../../../src/sending/permit.ts'
import { startZone, type Zone } from '../../support/dns-zone.ts'
import { type Endpoint, startEndpoint } from '../../support/http-endpoint.ts'
import { BOUNCES, DOMAIN, healthy, RELAY } from './healthy.ts'

let zone: Zone
beforeAll(async () => {
  zone = await startZone()
})
beforeEach(() => {
  zone.records.splice(0, zone.records.length, ...healthy())
  zone.trouble.clear()
  zone.asked.length = 0
})
afterAll(() => zone.stop())

const account: AccountState = {
  ...RELAY,
  pool: null,
  max_connections: 4,
  rate_per_second: null,
  per_day: null,
  warm_up: null,
  standing: null,
}

const checker = (now: { at: number }, accounts: AccountState[] | null = [account]) =>
  domainChecker({
    fetch,
    resolvers: [zone.url],
    sender: {
      listAccounts: async () => {
        if (accounts === null) throw new Error('emk-sender is away')
        return accounts
      },
      sendingDomains: async () => [],
    },
    now: () => new Date(now.at),
  })

test('what a campaign is told: only what is wrong, on the field that names the sender', async () => {
  const check = checker({ at: 0 })
  expect(await check(DOMAIN)).toEqual([])
  const spf = zone.records.find(({ name, type }) => name === BOUNCES && type === 'TXT')
  if (spf) spf.value = 'v=spf1 +all'
  expect(await checker({ at: 0 })('EXAMPLE.com')).toEqual([
    { code: 'spf_pass_all', field: 'sender_id', detail: expect.stringContaining(`${BOUNCES}: It ends in "+all"`) },
  ])
})

test('what was found holds for ten minutes, what could not be looked up for no time', async () => {
  const now = { at: 1_000_000 }
  const check = checker(now)
  await check(DOMAIN)
  const asked = zone.asked.length
  now.at += 599_000
  await check(DOMAIN)
  expect(zone.asked.length).toBe(asked)
  now.at += 2_000
  zone.trouble.set('*', 'SERVFAIL')
  expect(await check(DOMAIN)).toMatchObject([{ code: 'not_looked_up' }])
  zone.trouble.clear()
  expect(await check(DOMAIN)).toEqual([])
})

test('a sending Worker that is away, and names that DNS does not know', async () => {
  expect((await checker({ at: 0 }, null)(DOMAIN)).map(({ code }) => code)).toEqual([])
  zone.asked.length = 0
  expect(await checker({ at: 0 })('localhost')).toEqual([])
  expect(zone.asked).toEqual([])
})

test('a resolver that never answers ends in time for the check', async () => {
  zone.trouble.set('*', 'silence')
  expect(await checker({ at: 0 })(DOMAIN)).toMatchObject([{ code: 'not_looked_up', field: 'sender_id' }])
})

/** An edge that answers as emk-tracking does, or as something else. */
let edge: Endpoint
let serves: 'emk' | 'error' | 'page' | 'redirect' = 'emk'
beforeAll(async () => {
  edge = await startEndpoint((request, _body, response) => {
    if (serves === 'error') return void response.writeHead(522).end()
    if (serves === 'redirect') return void response.writeHead(301, { location: '/' }).end()
    const type = serves === 'emk' && request.url?.startsWith('/t/o/') ? 'image/gif' : 'text/html; charset=utf-8'
    response.writeHead(200, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : 'page')
  })
})
afterAll(() => edge.stop())

const urls = async (tracking_url = edge.url, domain = DOMAIN) => {
  const signal = AbortSignal.timeout(20_000)
  const findings = await checkUrls(domain, { fetch, tracking_url, unsubscribe_url: `${tracking_url}/u/token`, signal })
  for (const { about, what } of findings) expect(about + what).not.toContain('token')
  return findings.map(({ severity, code, what }) =>
    `${severity} ${code} ${/answers with \d+|image\/gif|cannot/.exec(what)?.[0] ?? ''}`.trim(),
  )
}

test('tracking links that answer, and that do not', async () => {
  serves = 'emk'
  expect(await urls()).toEqual(['ok sound'])
  serves = 'error'
  expect(await urls()).toEqual(['error unreachable answers with 522', 'error unreachable answers with 522'])
  serves = 'page'
  expect(await urls()).toEqual(['error unreachable image/gif'])
  serves = 'redirect'
  expect(await urls()).toEqual(['error unreachable answers with 301', 'error unreachable answers with 301'])
  expect(await urls('http://127.0.0.1:1')).toEqual(['error unreachable cannot', 'error unreachable cannot'])
})

test('tracking links without TLS, and of another domain', async () => {
  const answering: typeof fetch = async (input) =>
    new Response(null, { headers: { 'content-type': String(input).includes('/t/o/') ? 'image/gif' : 'text/html' } })
  const at = async (tracking_url: string) => {
    const given = {
      fetch: answering,
      tracking_url,
      unsubscribe_url: `${tracking_url}/u/x`,
      signal: AbortSignal.timeout(20_000),
    }
    return (await checkUrls(DOMAIN, given)).map(({ severity, code }) => `${severity} ${code}`)
  }
  expect(await at('https://news.example.com')).toEqual(['ok sound'])
  expect(await at('http://news.example.com')).toEqual(['error not_https'])
  expect(await at('https://emk.acme.workers.dev')).toEqual(['warning other_domain'])
})
