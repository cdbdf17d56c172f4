// A domain with everything in order, to plant faults into.
import { generateKeyPairSync } from 'node:crypto'
import { examineDomain } from '../../../src/doctor/examine.ts'
import type { Finding } from '../../../src/doctor/finding.ts'
import { type KnownAccount, pathsOf, type SendingPath } from '../../../src/doctor/path.ts'
import { openResolver } from '../../../src/doctor/resolver.ts'
import type { Zone, ZoneRecord } from '../../support/dns-zone.ts'

export const DOMAIN = 'example.com'
export const BOUNCES = 'bounces.example.com'

/** The public half of a fresh RSA key, as DNS has it. */
export const publicKey = (bits: number) =>
  generateKeyPairSync('rsa', { modulusLength: bits })
    .publicKey.export({ type: 'spki', format: 'der' })
    .toString('base64')

export const KEY = publicKey(2048)

/** An SMTP account by a relay of one's own, with its own key and return path. */
export const RELAY: KnownAccount = {
  name: 'main',
  kind: 'smtp',
  where: 'smtp.relay.example:587',
  from_domains: null,
  bounce_domain: BOUNCES,
  dkim: [{ domain: DOMAIN, selector: 'emk', public_key: KEY }],
}

export const healthy = (): ZoneRecord[] => [
  { type: 'MX', name: DOMAIN, value: '10 mx.example.com' },
  { type: 'TXT', name: DOMAIN, value: 'v=spf1 mx ip4:192.0.2.0/24 include:_spf.relay.example -all' },
  { type: 'TXT', name: DOMAIN, value: 'some-site-verification=x' },
  { type: 'A', name: 'mx.example.com', value: '192.0.2.1' },
  { type: 'TXT', name: '_spf.relay.example', value: 'v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/32 ~all' },
  { type: 'TXT', name: 'emk._domainkey.example.com', value: `v=DKIM1; k=rsa; p=${KEY}` },
  { type: 'TXT', name: '_dmarc.example.com', value: 'v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com' },
  { type: 'TXT', name: BOUNCES, value: 'v=spf1 include:_spf.relay.example ~all' },
  ...[1, 2, 3].map((n): ZoneRecord => ({ type: 'MX', name: BOUNCES, value: `${n}0 route${n}.mx.cloudflare.net` })),
]

export interface Examined {
  domain?: string
  accounts?: KnownAccount[]
  paths?: SendingPath[]
  selectors?: string[]
  patience?: number
}

export function examine(zone: Zone, given: Examined = {}): Promise<Finding[]> {
  const { domain = DOMAIN, accounts = [RELAY], selectors = [], patience = 20_000 } = given
  const resolver = openResolver({ fetch, urls: [zone.url], patience })
  return examineDomain(resolver, domain, given.paths ?? pathsOf(accounts, domain), selectors)
}

/** What is not in order, as `severity check.code about`. */
export const faultsIn = (findings: Finding[]) =>
  findings
    .filter(({ severity }) => severity !== 'ok')
    .map(({ severity, check, code, about }) => `${severity} ${check}.${code} ${about}`)

/** Puts a record where a finding says: in the place of its kind at that name, and of an alias, which leaves room for nothing else. */
export function apply(records: ZoneRecord[], { fix }: Finding): void {
  if (!fix) return
  const kind = /^v=[a-z0-9]+/i.exec(fix.value)?.[0].toLowerCase() ?? ''
  const at = (record: ZoneRecord) =>
    record.name === fix.name &&
    record.type === fix.type &&
    (fix.type !== 'TXT' || record.value.toLowerCase().startsWith(kind))
  const kept = records.filter((record) => !at(record) && !(record.name === fix.name && record.type === 'CNAME'))
  records.splice(0, records.length, ...kept, fix)
}
