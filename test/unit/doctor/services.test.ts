// Domains that Amazon SES and SendGrid send for: what they hold of them, and the records they want.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { examineDomain } from '../../../src/doctor/examine.ts'
import { type KnownAccount, pathsOf } from '../../../src/doctor/path.ts'
import { openResolver } from '../../../src/doctor/resolver.ts'
import { type SendingDomain, sendGridDomain, sesDomain, UNKNOWN_DOMAIN } from '../../../src/providers/sending-domain.ts'
import { startZone, type Zone } from '../../support/dns-zone.ts'
import { apply, DOMAIN, faultsIn, KEY } from './healthy.ts'

const OPEN = { from_domains: null, bounce_domain: null, dkim: [] }
const SES: KnownAccount = { ...OPEN, name: 'aws', kind: 'ses', where: 'eu-west-1' }
const SENDGRID: KnownAccount = { ...OPEN, name: 'sg', kind: 'sendgrid', where: 'api.sendgrid.com' }

/** As GetEmailIdentity answers. */
const identity = {
  IdentityType: 'DOMAIN',
  VerifiedForSendingStatus: true,
  DkimAttributes: {
    SigningEnabled: true,
    Status: 'PENDING',
    SigningAttributesOrigin: 'AWS_SES',
    Tokens: ['aaa', 'bbb', 'ccc'],
  },
  MailFromAttributes: {
    MailFromDomain: 'ses.example.com',
    MailFromDomainStatus: 'PENDING',
    BehaviorOnMxFailure: 'USE_DEFAULT_VALUE',
  },
}

/** As GET /v3/whitelabel/domains answers, with automated security. */
const authenticated = {
  id: 1,
  domain: DOMAIN,
  subdomain: 'em1',
  valid: false,
  dns: {
    mail_cname: { valid: false, type: 'cname', host: 'em1.example.com', data: 'u1.wl.sendgrid.net' },
    dkim1: { valid: false, type: 'cname', host: 's1._domainkey.example.com', data: 's1.domainkey.u1.wl.sendgrid.net' },
    dkim2: { valid: false, type: 'cname', host: 's2._domainkey.example.com', data: 's2.domainkey.u1.wl.sendgrid.net' },
  },
}

let zone: Zone
beforeAll(async () => {
  zone = await startZone()
})
beforeEach(() => {
  const key = `v=DKIM1; k=rsa; p=${KEY}`
  const theirs = ['aaa', 'bbb', 'ccc'].map((token) => `${token}.dkim.amazonses.com`)
  theirs.push('s1.domainkey.u1.wl.sendgrid.net', 's2.domainkey.u1.wl.sendgrid.net')
  zone.records.splice(
    0,
    zone.records.length,
    { type: 'MX', name: DOMAIN, value: '10 mx.example.com' },
    { type: 'TXT', name: DOMAIN, value: 'v=spf1 ip4:192.0.2.1 -all' },
    { type: 'TXT', name: `_dmarc.${DOMAIN}`, value: 'v=DMARC1; p=reject; rua=mailto:dmarc@example.com' },
    { type: 'TXT', name: 'amazonses.com', value: 'v=spf1 ip4:199.255.192.0/22 -all' },
    { type: 'TXT', name: 'u1.wl.sendgrid.net', value: 'v=spf1 ip4:167.89.0.0/17 -all' },
    { type: 'MX', name: 'u1.wl.sendgrid.net', value: '10 mx.sendgrid.net' },
    ...theirs.map((name) => ({ type: 'TXT', name, value: key }) as const),
  )
})
afterAll(() => zone.stop())

const examine = (account: KnownAccount, held: SendingDomain | null, domain = DOMAIN) =>
  examineDomain(
    openResolver({ fetch, urls: [zone.url], patience: 20_000 }),
    domain,
    pathsOf([account], domain, [{ name: account.name, held }]),
  )

test.each([
  [
    'Amazon SES with a custom MAIL FROM',
    SES,
    sesDomain(DOMAIN, identity),
    [
      'error spf.missing ses.example.com',
      'error dkim.missing aaa._domainkey.example.com',
      'error dkim.missing bbb._domainkey.example.com',
      'error dkim.missing ccc._domainkey.example.com',
      'error return_path.no_mx ses.example.com',
    ],
    {
      'ses.example.com TXT': 'v=spf1 include:amazonses.com ~all',
      'ses.example.com MX': '10 feedback-smtp.eu-west-1.amazonses.com',
      'bbb._domainkey.example.com CNAME': 'bbb.dkim.amazonses.com',
    },
  ],
  [
    'SendGrid with automated security',
    SENDGRID,
    sendGridDomain(DOMAIN, [authenticated]),
    [
      'error spf.missing em1.example.com',
      'error dkim.missing s1._domainkey.example.com',
      'error dkim.missing s2._domainkey.example.com',
      'error return_path.no_mx em1.example.com',
    ],
    {
      'em1.example.com CNAME': 'u1.wl.sendgrid.net',
      's2._domainkey.example.com CNAME': 's2.domainkey.u1.wl.sendgrid.net',
    },
  ],
])('%s: the records it wants are printed, and put all right', async (_name, account, held, finds, records) => {
  const findings = await examine(account, held)
  expect(faultsIn(findings)).toEqual(finds)
  const fixes = findings.flatMap(({ fix }) => (fix ? [[`${fix.name} ${fix.type}`, fix.value]] : []))
  expect(Object.fromEntries(fixes)).toMatchObject(records)
  for (const finding of findings) apply(zone.records, finding)
  const left = await examine(account, held)
  expect(faultsIn(left)).toEqual([])
  expect(left.at(-2)?.what).toBe('DMARC passes by DKIM and SPF.')
})

test('Amazon SES without a custom MAIL FROM: DMARC hangs on the signature alone, which is no fault', async () => {
  const { MailFromAttributes, ...plain } = identity
  const held = sesDomain(DOMAIN, plain)
  for (const finding of await examine(SES, held)) apply(zone.records, finding)
  const left = await examine(SES, held)
  expect(faultsIn(left)).toEqual([])
  expect(left.at(-1)?.what).toBe('DMARC passes by DKIM.')
})

test('a service that does not say leaves what is known of it anyway', async () => {
  expect(faultsIn(await examine(SES, null))).toEqual([`warning dkim.selectors_unknown _domainkey.${DOMAIN}`])
  expect(faultsIn(await examine(SENDGRID, null))).toEqual([`error dkim.no_key _domainkey.${DOMAIN}`])
})

test('a subdomain is sent for by what the service holds of the domain above it', () => {
  expect(
    sendGridDomain('a.news.example.com', [{ ...authenticated, domain: 'other.example' }, authenticated]),
  ).toMatchObject({
    known: true,
    return_path: { domain: 'em1.example.com' },
  })
  expect(sendGridDomain('example.org', [authenticated])).toEqual(UNKNOWN_DOMAIN)
})

test('answers that are not what they should be hold nothing', () => {
  expect(sesDomain(DOMAIN, {})).toEqual({ known: true, keys: [], return_path: null })
  const odd = { DkimAttributes: { Tokens: ['a b', 7, null, 'ok'], SigningAttributesOrigin: 'EXTERNAL' } }
  expect(sesDomain(DOMAIN, odd).keys).toEqual([{ domain: DOMAIN, selector: 'ok', record: null }])
  for (const list of [null, {}, 'text', [null, 7, { domain: 7 }]])
    expect(sendGridDomain(DOMAIN, list)).toEqual(UNKNOWN_DOMAIN)
  const odd_dns = {
    domain: DOMAIN,
    dns: { dkim1: { type: 'a', host: 's1._domainkey.example.com', data: '1' }, x: null },
  }
  expect(sendGridDomain(DOMAIN, [odd_dns])).toEqual({ known: true, keys: [], return_path: null })
})
