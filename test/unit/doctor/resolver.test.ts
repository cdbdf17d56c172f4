import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openResolver, readAnswer } from '../../../src/doctor/resolver.ts'
import { readTexts } from '../../../src/doctor/texts.ts'
import { startZone, type Trouble, type Zone } from '../../support/dns-zone.ts'
import { BOUNCES, DOMAIN, examine, faultsIn, healthy } from './healthy.ts'

let zone: Zone
let other: Zone
beforeAll(async () => {
  zone = await startZone()
  other = await startZone(healthy())
})
beforeEach(() => {
  zone.records.splice(0, zone.records.length, ...healthy())
  zone.trouble.clear()
  zone.asked.length = 0
  other.asked.length = 0
})
afterAll(() => Promise.all([zone.stop(), other.stop()]))

const troubles: [Trouble, string][] = [
  ['SERVFAIL', 'SERVFAIL'],
  ['REFUSED', 'REFUSED'],
  ['silence', 'no answer in time'],
  ['garbage', 'the answer is not DNS'],
  ['html', 'the answer is not DNS'],
  ['wrong_types', 'the answer is not DNS'],
  ['huge', 'the answer is too large'],
  ['hang_up', ''],
  ['redirect', 'HTTP 302'],
]

/** Only silence is waited for, ms: this computer may be busy. */
const patienceWith = (trouble: Trouble) => (trouble === 'silence' ? 500 : 20_000)

describe.each(troubles)('a resolver that answers with %s', (trouble, why) => {
  test('leaves a domain unknown, and never well', async () => {
    zone.trouble.set('*', trouble)
    const findings = await examine(zone, { patience: patienceWith(trouble) })
    expect(findings).toMatchObject([{ check: 'domain', code: 'not_looked_up', severity: 'error', fix: null }])
    expect(findings[0]?.what).toContain(`${DOMAIN} could not be looked up: 127.0.0.1`)
    expect(findings[0]?.what).toContain(why)
  })

  test('is followed by another one', async () => {
    zone.trouble.set(BOUNCES, trouble)
    const resolver = openResolver({ fetch, urls: [zone.url, other.url], patience: patienceWith(trouble) })
    const answer = await resolver.look(BOUNCES, 'TXT')
    expect(answer).toEqual({ kind: 'found', values: ['v=spf1 include:_spf.relay.example ~all'], alias: null })
    expect([zone.asked, other.asked]).toEqual([[`TXT ${BOUNCES}`], [`TXT ${BOUNCES}`]])
  })
})

test.each([
  ['an include', '_spf.relay.example', ['error spf.not_looked_up _spf.relay.example']],
  ['the key', 'emk._domainkey.example.com', ['error dkim.not_looked_up emk._domainkey.example.com']],
  ['the policy', '_dmarc.example.com', ['error dmarc.not_looked_up _dmarc.example.com']],
  ['the return path', BOUNCES, [`error spf.not_looked_up ${BOUNCES}`, `error return_path.not_looked_up ${BOUNCES}`]],
])('%s that cannot be looked up is said to be unknown, and nothing else', async (_name, name, finds) => {
  zone.trouble.set(name, 'SERVFAIL')
  expect(faultsIn(await examine(zone))).toEqual(finds)
})

test('a run whose time is over asks nobody', async () => {
  const resolver = openResolver({ fetch, urls: [zone.url], signal: AbortSignal.abort() })
  expect(await resolver.look(DOMAIN, 'MX')).toEqual({ kind: 'failed', why: 'no time was left' })
  expect(zone.asked).toEqual([])
})

test('a record that names ever more is followed for a while only', async () => {
  for (let i = 0; i < 200; i++) {
    const value = `v=spf1 include:_${i + 1}.endless.example ~all`
    zone.records.push({ type: 'TXT', name: `_${i}.endless.example`, value })
  }
  const spf = zone.records.find(({ name, type }) => name === BOUNCES && type === 'TXT')
  if (spf) spf.value = 'v=spf1 include:_0.endless.example ~all'
  expect(faultsIn(await examine(zone))).toEqual([`error spf.too_many_lookups ${BOUNCES}`])
  expect(zone.asked.length).toBeLessThan(100)
})

test('the strings of a TXT record are joined, with their escapes read', () => {
  expect(readTexts('"v=DKIM1; p=AB" "CD"')).toEqual(['v=DKIM1; p=AB', 'CD'])
  expect(readTexts('"say \\"hi\\" \\\\ \\059"')).toEqual(['say "hi" \\ ;'])
  expect(readTexts('v=spf1 -all')).toEqual(['v=spf1 -all'])
  expect(readTexts('""')).toEqual([''])
})

test('of an answer only records of the type asked for count, and aliases tell where they lead', () => {
  const Answer = [
    { name: 'a.example.', type: 5, data: 'B.example.' },
    { name: 'b.example.', type: 46, data: 'RRSIG' },
    { name: 'b.example.', type: 16, data: '"x"' },
    null,
    'text',
    { type: 16 },
  ]
  expect(readAnswer(JSON.stringify({ Status: 0, Answer }), 'TXT')).toEqual({
    kind: 'found',
    values: ['x'],
    alias: 'b.example',
  })
  expect(readAnswer(JSON.stringify({ Status: 3, Answer: Answer.slice(0, 1) }), 'TXT')).toEqual({
    kind: 'none',
    exists: false,
    alias: 'b.example',
  })
})
