import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ANYBODY } from '../../../src/tokens/nobody.ts'
import { judge, RULES, RULES_VERSION } from '../../../src/tracking/rules.ts'
import { VERDICTS } from '../../../src/tracking/verdict.ts'
import { classify, eventOf } from '../../../src/tracking/visit.ts'

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const GMAIL = 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)'
const YAHOO = 'YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html'
const OLD_CHROME = CHROME.replace('141', '72')
const HOME = 3320

/** A visit by hand; the network is a home's unless given. */
function seen(
  kind: 'open' | 'click' | 'unsubscribe',
  agent: string | null,
  { asn = HOME, method = 'GET', headers = {} as Record<string, string>, cf = {} } = {},
) {
  const given = new Headers({ ...headers, ...(agent === null ? {} : { 'User-Agent': agent }) })
  return classify({ method, headers: given, cf: { asn, country: 'DE', regionCode: 'BY', ...cf } }, kind)
}

test('what is kept of a reader', () => {
  expect(seen('click', CHROME)).toEqual({
    method: 'GET',
    asn: HOME,
    agent: 'chrome',
    country: 'DE',
    region: 'BY',
    device: 'computer',
    client: 'chrome',
    verdict: 'human',
    reason: null,
    rules: RULES_VERSION,
  })
})

test.each([
  ['click', CHROME, { asn: 8075 }, 'machine', 'microsoft_network'],
  ['open', CHROME, { asn: 8075 }, 'unsure', 'microsoft_network'],
  ['open', 'Mozilla/5.0', { asn: 8075 }, 'unsure', 'microsoft_network'],
  ['click', CHROME, { asn: 16509 }, 'machine', 'data_centre'],
  ['open', CHROME, { asn: 396982 }, 'machine', 'data_centre'],
  ['click', CHROME, { asn: 22843 }, 'machine', 'security_network'],
  // Exits of VPNs.
  ['click', CHROME, { asn: 9009 }, 'unsure', 'hosting_network'],
  ['click', CHROME, { asn: 15169 }, 'unsure', 'hosting_network'],
  // Apple's relay, and Cloudflare's, with a browser: people.
  ['click', CHROME, { asn: 13335 }, 'human', null],
  ['open', CHROME, { asn: 36183 }, 'human', null],
  ['open', 'Mozilla/5.0', { asn: 36183 }, 'unsure', 'apple_mpp'],
  ['open', 'Mozilla/5.0', { asn: 13335 }, 'unsure', 'apple_mpp'],
  ['open', 'Mozilla/5.0', { asn: 54113 }, 'unsure', 'apple_mpp'],
  ['open', 'Mozilla/5.0', { asn: 714 }, 'unsure', 'apple_mpp'],
  ['open', 'Mozilla/5.0', {}, 'unsure', 'bare_agent'],
  ['open', 'Mozilla/5.0', { asn: 16276 }, 'machine', 'data_centre'],
  ['click', 'Mozilla/5.0', { asn: 36183 }, 'machine', 'bare_agent'],
  ['open', GMAIL, { asn: 15169 }, 'human', 'mail_proxy'],
  ['open', YAHOO, { asn: 36647 }, 'human', 'mail_proxy'],
  ['click', GMAIL, { asn: 15169 }, 'machine', 'mail_proxy'],
  ['open', GMAIL, { method: 'HEAD' }, 'machine', 'head'],
  ['click', CHROME, { method: 'HEAD' }, 'machine', 'head'],
  ['click', CHROME, { headers: { Purpose: 'prefetch' } }, 'machine', 'prefetch'],
  ['click', CHROME, { headers: { 'Sec-Purpose': 'prefetch;prerender' } }, 'machine', 'prefetch'],
  ['click', CHROME, { headers: { 'X-Purpose': 'preview' } }, 'machine', 'prefetch'],
  ['open', CHROME, { headers: { 'X-Moz': 'Prefetch' }, method: 'HEAD' }, 'machine', 'prefetch'],
  ['click', CHROME, { headers: { Purpose: 'navigate' } }, 'human', null],
  ['click', 'curl/8.9.1', {}, 'machine', 'library_agent'],
  ['open', 'Barracuda Sentinel (EE)', {}, 'machine', 'scanner_agent'],
  ['click', 'WhatsApp/2.24.20.89 A', {}, 'machine', 'preview_agent'],
  ['click', null, {}, 'machine', 'no_agent'],
  ['open', null, {}, 'unsure', 'no_agent'],
  ['click', 'Letterbox 1', {}, 'unsure', 'unknown_agent'],
  ['open', 'Dalvik/2.1.0 (Linux; U; Android 14)', {}, 'human', null],
  ['click', 'Dalvik/2.1.0 (Linux; U; Android 14)', {}, 'unsure', 'app_agent'],
  ['open', OLD_CHROME, {}, 'human', null],
  ['click', OLD_CHROME, {}, 'unsure', 'outdated_agent'],
  // Whoever leaves has left.
  ['unsubscribe', 'curl/8.9.1', { asn: 8075, method: 'POST', headers: { Purpose: 'prefetch' } }, 'human', null],
] as const)('%s by %s, %j: %s, %s', (kind, agent, more, verdict, reason) => {
  expect(seen(kind, agent, more)).toMatchObject({ verdict, reason })
})

test('a proxy’s place and device are not its reader’s', () => {
  const nowhere = { country: null, region: null, device: null }
  expect(seen('open', GMAIL)).toMatchObject({ ...nowhere, client: 'gmail' })
  expect(seen('open', YAHOO)).toMatchObject({ ...nowhere, client: 'yahoo' })
  // Apple's comes out in the reader's country.
  const apple = seen('open', 'Mozilla/5.0', { asn: 36183 })
  expect(apple).toMatchObject({ country: 'DE', region: null, device: null, client: 'apple_mail' })
  expect(seen('click', CHROME, { asn: 16509 })).toMatchObject({ device: null, client: null })
})

test('a kept event is judged again as it was', () => {
  for (const kind of ['open', 'click'] as const) {
    for (const agent of [CHROME, OLD_CHROME, GMAIL, 'Mozilla/5.0', 'curl/8', 'Letterbox', null]) {
      for (const asn of [HOME, 8075, 9009, 16509, 36183]) {
        for (const headers of [{}, { Purpose: 'prefetch' }]) {
          for (const method of ['GET', 'HEAD']) {
            const { verdict, reason, ...kept } = seen(kind, agent, { asn, method, headers })
            expect(judge({ kind, ...kept, prefetch: reason === 'prefetch' })).toEqual({ verdict, reason })
          }
        }
      }
    }
  }
})

test('an event names nobody where the token names everybody', () => {
  const services = { eventId: () => 'e', now: () => new Date(0) }
  const visit = { kind: 'open' as const, campaign_id: 1, subscriber_id: ANYBODY }
  expect(eventOf(new Request('https://x.example/'), services, visit).subscriber_id).toBeNull()
  expect(eventOf(new Request('https://x.example/'), services, { ...visit, subscriber_id: 5 }).subscriber_id).toBe(5)
})

test('reasons are codes', () => {
  for (const { reason } of RULES) expect(reason).toMatch(/^[a-z0-9_]{1,40}$/)
})

describe('whatever comes', () => {
  const WORDS = [
    'Mozilla/5.0 (',
    'iPhone',
    'AppleWebKit',
    '(macintosh',
    'android',
    'version/',
    'bot',
    'chrome/',
    '\0',
    '١',
    '‮',
  ]
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...WORDS), { maxLength: 3000 }).map((words) => words.join('')),
    fc.nat(16_384).map((n) => 'A('.repeat(n / 2)),
    fc.constant(null),
  )
  const anything = fc.oneof(
    fc.anything(),
    fc.record({ asn: fc.anything(), country: fc.anything(), regionCode: fc.anything() }),
  )

  test('it is reduced to what may be kept, never with an error', () => {
    fc.assert(
      fc.property(text, text, fc.string(), anything, (user_agent, purpose, method, cf) => {
        const get = (name: string) => (name === 'User-Agent' ? user_agent : purpose)
        const kept = classify({ method, headers: { get }, cf }, 'click')
        expect(kept.method).toMatch(/^(GET|HEAD|POST)$/)
        expect(kept.agent).toMatch(/^[a-z0-9_]{1,32}$/)
        expect(kept.asn === null || (Number.isInteger(kept.asn) && kept.asn > 0 && kept.asn < 2 ** 32)).toBe(true)
        expect(kept.country ?? 'XX').toMatch(/^[A-Z]{2}$/)
        expect(kept.region ?? 'X').toMatch(/^[A-Z0-9]{1,3}$/)
        expect(VERDICTS).toContain(kept.verdict)
        // Nothing of what was sent is in it, but for what stands in the lists.
        expect(JSON.stringify(kept).length).toBeLessThan(300)
      }),
      { numRuns: 3000 },
    )
  })

  test.each(['XX', 'T1', 'de', '', 'DEU', 7, null])('the country %j is unknown, and its region with it', (country) => {
    expect(seen('open', CHROME, { cf: { country } })).toMatchObject({ country: null, region: null })
  })
})
