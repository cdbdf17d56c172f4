import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startZone, type Zone, type ZoneRecord } from '../../support/dns-zone.ts'
import { apply, BOUNCES, DOMAIN, type Examined, examine, faultsIn, healthy, KEY, publicKey, RELAY } from './healthy.ts'

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

const DKIM = `emk._domainkey.${DOMAIN}`
const DMARC = `_dmarc.${DOMAIN}`

/** Changes the zone: the TXT record of that name that begins so, or all of another type. */
function set(type: ZoneRecord['type'], name: string, ...values: string[]) {
  const begins = values[0]?.slice(0, 5) ?? 'v='
  const kept = zone.records.filter(
    (record) => record.name !== name || record.type !== type || (type === 'TXT' && !record.value.startsWith(begins)),
  )
  zone.records.splice(0, zone.records.length, ...kept, ...values.map((value) => ({ type, name, value })))
}
const add = (type: ZoneRecord['type'], name: string, value: string) => zone.records.push({ type, name, value })
const spf = (value: string) => set('TXT', BOUNCES, value)

test('a domain in order has nothing to find', async () => {
  const findings = await examine(zone)
  expect(faultsIn(findings)).toEqual([])
  expect(findings.map(({ check, code }) => `${check}.${code}`)).toEqual([
    'domain.sound',
    'spf.sound',
    'spf.sound',
    'dkim.sound',
    'dmarc.sound',
    'alignment.aligned',
    'return_path.sound',
  ])
  // Which relay it is, nobody can tell from its host.
  expect(findings[1]?.what).toContain('smtp.relay.example')
  // Every name once.
  expect(new Set(zone.asked).size).toBe(zone.asked.length)
})

interface Fault {
  plant: () => void
  finds: string[]
  given?: Examined
  /** No record can be printed: only its owner knows what belongs there, or it is not DNS that is at fault. */
  by_hand?: true
}

const OTHER = publicKey(2048)
const SENDGRID = { ...RELAY, kind: 'sendgrid' as const, where: 'api.sendgrid.com', bounce_domain: null, dkim: [] }
const SES_SMTP = { ...RELAY, where: 'email-smtp.eu-west-1.amazonaws.com:587' }

const faults: Record<string, Fault> = {
  'two SPF records': {
    plant: () => add('TXT', BOUNCES, 'v=spf1 ip4:203.0.113.7 -all'),
    finds: [`error spf.several_records ${BOUNCES}`],
  },
  'no SPF record on the return path': {
    plant: () => set('TXT', BOUNCES),
    finds: [`error spf.missing ${BOUNCES}`],
  },
  'no SPF record on the From domain': {
    plant: () => set('TXT', DOMAIN),
    finds: [`warning spf.missing ${DOMAIN}`],
  },
  'eleven lookups': {
    plant: () => {
      for (let i = 0; i < 10; i++) add('TXT', `_${i}.spf.example`, 'v=spf1 ip4:192.0.2.9 -all')
      spf(
        `v=spf1 include:_spf.relay.example ${Array.from({ length: 10 }, (_, i) => `include:_${i}.spf.example`).join(' ')} ~all`,
      )
    },
    finds: [`error spf.too_many_lookups ${BOUNCES}`],
    by_hand: true,
  },
  'eleven lookups, one include below the other': {
    plant: () => {
      for (let i = 0; i < 11; i++)
        add('TXT', `_${i}.spf.example`, `v=spf1 ${i < 10 ? `include:_${i + 1}.spf.example` : ''} ~all`)
      spf('v=spf1 include:_0.spf.example ~all')
    },
    finds: [`error spf.too_many_lookups ${BOUNCES}`],
    by_hand: true,
  },
  'three void lookups': {
    plant: () => spf('v=spf1 include:_spf.relay.example a:gone.example mx:gone.example exists:gone2.example ~all'),
    finds: [`error spf.too_many_void_lookups ${BOUNCES}`],
  },
  'includes that go round': {
    plant: () => {
      spf('v=spf1 include:_a.spf.example include:_spf.relay.example ~all')
      add('TXT', '_a.spf.example', 'v=spf1 include:_b.spf.example -all')
      add('TXT', '_b.spf.example', 'v=spf1 include:_a.spf.example -all')
    },
    finds: [`error spf.include_loop ${BOUNCES}`],
  },
  'an include of a domain without a record': {
    plant: () => spf('v=spf1 include:_spf.relay.example include:_gone.example ~all'),
    finds: [`error spf.include_missing ${BOUNCES}`],
  },
  'an include whose record cannot be read': {
    plant: () => {
      spf('v=spf1 include:_spf.relay.example include:_bad.example ~all')
      add('TXT', '_bad.example', 'v=spf1 ip4:192.0.2 ~all')
    },
    finds: [`error spf.include_broken ${BOUNCES}`],
  },
  'a term that cannot be read': {
    plant: () => spf('v=spf1 include:_spf.relay.example ip:192.0.2.1 ~all'),
    finds: [`error spf.syntax ${BOUNCES}`],
    by_hand: true,
  },
  '+all': {
    plant: () => spf('v=spf1 include:_spf.relay.example all'),
    finds: [`error spf.pass_all ${BOUNCES}`],
  },
  '?all': {
    plant: () => spf('v=spf1 include:_spf.relay.example ?all'),
    finds: [`warning spf.neutral_all ${BOUNCES}`],
  },
  'no all': {
    plant: () => spf('v=spf1 include:_spf.relay.example'),
    finds: [`warning spf.no_all ${BOUNCES}`],
  },
  ptr: {
    plant: () => spf('v=spf1 include:_spf.relay.example ptr ~all'),
    finds: [`warning spf.ptr ${BOUNCES}`],
  },
  'the sending service is not covered': {
    plant: () => add('TXT', 'amazonses.com', 'v=spf1 ip4:199.255.192.0/22 -all'),
    given: { accounts: [SES_SMTP] },
    finds: [`error spf.service_missing ${BOUNCES}`],
  },
  'no DKIM key': {
    plant: () => set('TXT', DKIM),
    finds: [`error dkim.missing ${DKIM}`],
  },
  'an alias that leads to no DKIM key': {
    plant: () => {
      set('TXT', DKIM)
      add('CNAME', DKIM, 'emk.gone.example')
    },
    finds: [`error dkim.missing ${DKIM}`],
  },
  'a revoked DKIM key': {
    plant: () => set('TXT', DKIM, 'v=DKIM1; k=rsa; p='),
    finds: [`error dkim.revoked ${DKIM}`],
  },
  'a DKIM key of 512 bits': {
    plant: () => set('TXT', DKIM, `v=DKIM1; k=rsa; p=${publicKey(512)}`),
    given: { accounts: [{ ...RELAY, dkim: [] }], selectors: ['emk'] },
    by_hand: true,
    finds: [`error dkim.key_too_short ${DKIM}`],
  },
  'a DKIM key of 1024 bits': {
    plant: () => set('TXT', DKIM, `v=DKIM1; p=${publicKey(1024)}`),
    given: { accounts: [{ ...RELAY, dkim: [] }], selectors: ['emk'] },
    finds: [`warning dkim.key_short ${DKIM}`],
    by_hand: true,
  },
  'another DKIM key than the account signs with': {
    plant: () => set('TXT', DKIM, `v=DKIM1; k=rsa; p=${OTHER}`),
    finds: [`error dkim.wrong_key ${DKIM}`],
  },
  'a DKIM key of which the second half is lost': {
    plant: () => set('TXT', DKIM, `v=DKIM1; k=rsa; p=${KEY.slice(0, 200)}`),
    given: { accounts: [{ ...RELAY, dkim: [] }], selectors: ['emk'] },
    by_hand: true,
    finds: [`error dkim.not_a_key ${DKIM}`],
  },
  'a DKIM key under test': {
    plant: () => set('TXT', DKIM, `v=DKIM1; t=s:y; k=rsa; p=${KEY}`),
    finds: [`warning dkim.testing ${DKIM}`],
  },
  'two DKIM keys at one selector': {
    plant: () => add('TXT', DKIM, `v=DKIM1; p=${OTHER}`),
    finds: [`error dkim.several_records ${DKIM}`],
  },
  'a DKIM key for SHA-1 alone': {
    plant: () => set('TXT', DKIM, `v=DKIM1; h=sha1; p=${KEY}`),
    finds: [`error dkim.hash ${DKIM}`],
  },
  'none of the keys of SendGrid': {
    plant: () => {},
    given: { accounts: [SENDGRID] },
    finds: [`error dkim.no_key _domainkey.${DOMAIN}`],
    by_hand: true,
  },
  'a selector that the caller names is not there': {
    plant: () => {},
    given: { selectors: ['old'] },
    finds: [`error dkim.missing old._domainkey.${DOMAIN}`],
    by_hand: true,
  },
  'no DMARC record': {
    plant: () => set('TXT', DMARC),
    finds: [`error dmarc.missing ${DMARC}`],
  },
  'two DMARC records': {
    plant: () => add('TXT', DMARC, 'v=DMARC1; p=reject; rua=mailto:dmarc@example.com'),
    finds: [`error dmarc.several_records ${DMARC}`],
  },
  'DMARC with p=none': {
    plant: () => set('TXT', DMARC, 'v=DMARC1; p=none; rua=mailto:dmarc@example.com'),
    finds: [`warning dmarc.policy_none ${DMARC}`],
  },
  'DMARC that cannot be read': {
    plant: () => set('TXT', DMARC, 'v=DMARC1; p=rejct'),
    finds: [`error dmarc.syntax ${DMARC}`],
    by_hand: true,
  },
  'DMARC without reports': {
    plant: () => set('TXT', DMARC, 'v=DMARC1; p=reject'),
    finds: [`warning dmarc.no_reports ${DMARC}`],
  },
  'DMARC reports to a domain that does not want them': {
    plant: () => set('TXT', DMARC, 'v=DMARC1; p=reject; rua=mailto:a@example.com,mailto:x@reports.example!10m'),
    finds: [`warning dmarc.reports_refused ${DMARC}`],
  },
  'DMARC for half of the mail': {
    plant: () => set('TXT', DMARC, 'v=DMARC1; p=reject; pct=50; rua=mailto:dmarc@example.com'),
    finds: [`warning dmarc.pct ${DMARC}`],
  },
  'DMARC that leaves subdomains out, for a subdomain': {
    plant: () => {
      set('TXT', DMARC, 'v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.com')
      add('MX', 'news.example.com', '10 mx.example.com')
      add('TXT', 'news.example.com', 'v=spf1 -all')
    },
    given: { domain: 'news.example.com' },
    finds: [`warning dmarc.subdomain_policy_none ${DMARC}`],
  },
  'DKIM keys for another domain only': {
    plant: () => {},
    given: { accounts: [{ ...RELAY, dkim: [{ domain: 'other.example', selector: 'emk', public_key: KEY }] }] },
    finds: ['error alignment.dkim_unaligned main'],
    by_hand: true,
  },
  'strict alignment with a key of the domain above': {
    plant: () => {
      add('MX', 'news.example.com', '10 mx.example.com')
      add('TXT', 'news.example.com', 'v=spf1 include:_spf.relay.example -all')
      add('TXT', '_dmarc.news.example.com', 'v=DMARC1; p=reject; adkim=s; rua=mailto:dmarc@example.com')
    },
    given: { domain: 'news.example.com', accounts: [{ ...RELAY, bounce_domain: null }] },
    finds: ['warning alignment.dkim_unaligned main'],
  },
  'strict alignment with a subdomain as return path': {
    plant: () => set('TXT', DMARC, 'v=DMARC1; p=reject; aspf=s; rua=mailto:dmarc@example.com'),
    finds: ['warning alignment.return_path_unaligned main'],
  },
  'a return path of another domain': {
    plant: () => {
      add('MX', 'bounces.example', '10 route1.mx.cloudflare.net')
      add('TXT', 'bounces.example', 'v=spf1 include:_spf.relay.example ~all')
    },
    given: { accounts: [{ ...RELAY, bounce_domain: 'bounces.example' }] },
    finds: ['warning alignment.return_path_unaligned main'],
    by_hand: true,
  },
  'a return path without MX': {
    plant: () => set('MX', BOUNCES),
    finds: [`error return_path.no_mx ${BOUNCES}`],
  },
  'a return path whose mail goes elsewhere': {
    plant: () => set('MX', BOUNCES, '10 mx.example.com'),
    finds: [`error return_path.other_mx ${BOUNCES}`],
  },
  'a return path with a null MX': {
    plant: () => set('MX', BOUNCES, '0 .'),
    finds: [`error return_path.null_mx ${BOUNCES}`],
  },
  'a null MX on the From domain': {
    plant: () => {
      set('MX', DOMAIN, '0 .')
      set('TXT', DOMAIN, 'v=spf1 -all')
    },
    finds: [`error domain.null_mx ${DOMAIN}`],
    by_hand: true,
  },
  'a From domain without any host': {
    plant: () => {
      set('MX', DOMAIN)
      set('TXT', DOMAIN, 'v=spf1 -all')
    },
    finds: [`error domain.no_mail_host ${DOMAIN}`],
    by_hand: true,
  },
  'a domain that does not exist': {
    plant: () => zone.records.splice(0),
    finds: [`error domain.no_such_domain ${DOMAIN}`],
    by_hand: true,
  },
}

describe.each(Object.entries(faults))('%s', (_name, { plant, finds, given, by_hand }) => {
  test('is found, and nothing else', async () => {
    plant()
    const findings = await examine(zone, given)
    expect(faultsIn(findings)).toEqual(finds)
    for (const { what, source, severity } of findings) {
      expect(what).toMatch(/\S/)
      if (severity !== 'ok') expect(source).toMatch(/^RFC [0-9]+|^Amazon SES|^SendGrid/)
    }
  })

  test('is put right by what is printed for it', async () => {
    plant()
    // A record may be put right in several steps (p=none, then p=quarantine).
    for (let step = 0; step < 4; step++) {
      const findings = await examine(zone, given)
      const fixable = findings.filter(({ severity, fix }) => severity !== 'ok' && fix)
      if (fixable.length === 0) break
      for (const finding of fixable) apply(zone.records, finding)
    }
    const left = await examine(zone, given)
    expect(left.filter(({ severity, fix }) => severity !== 'ok' && fix)).toEqual([])
    expect(faultsIn(left)).toEqual(by_hand ? finds : [])
  })
})
