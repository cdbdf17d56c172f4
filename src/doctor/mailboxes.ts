// Whether mail can reach a domain: the From address that people answer, and the return path that bounces go to.

import { type DnsRecord, type Finding, notLookedUp, shown } from './finding.ts'
import type { Resolver } from './resolver.ts'

/** Hosts of Cloudflare's Email Routing. */
const ROUTING = /^route[0-9]+\.mx\.cloudflare\.net$/

/** The From domain. @returns a finding with the code `no_such_domain` when nothing else needs to be looked at */
export async function checkFromDomain(resolver: Resolver, domain: string): Promise<Finding> {
  const about = { check: 'domain', about: domain, fix: null } as const
  const mx = await resolver.look(domain, 'MX')
  if (mx.kind === 'failed') return notLookedUp('domain', domain, mx.why)
  if (mx.kind === 'found') {
    if (mx.values.some(isNullMx)) {
      const what =
        'Its MX says that it takes no mail (null MX): receivers refuse what comes from there. Name the host that takes its mail.'
      return { ...about, code: 'null_mx', severity: 'error', what, source: 'RFC 7505 4.2' }
    }
    return { ...about, code: 'sound', severity: 'ok', what: `${domain} takes mail.`, source: 'RFC 5321 5.1' }
  }
  const hosts = await Promise.all([resolver.look(domain, 'A'), resolver.look(domain, 'AAAA')])
  const failed = hosts.find((host) => host.kind === 'failed')
  if (hosts.some(({ kind }) => kind === 'found')) {
    const what = `${domain} takes mail at its own address: it has no MX.`
    return { ...about, code: 'sound', severity: 'ok', what, source: 'RFC 5321 5.1' }
  }
  if (failed) return notLookedUp('domain', domain, failed.why)
  if (!mx.exists) {
    const what = 'There is no such domain. Is it spelled right, registered, and delegated?'
    return { ...about, code: 'no_such_domain', severity: 'error', what, source: 'RFC 1034' }
  }
  const what =
    'It has neither MX nor an address: nobody can answer, and receivers refuse what comes from there. Name the host that takes its mail.'
  return { ...about, code: 'no_mail_host', severity: 'error', what, source: 'RFC 5321 5.1' }
}

/** Who takes the bounces. */
export interface ReturnPath {
  domain: string
  /** `routing`: Email Routing, for emk-sender. `ses`: Amazon SES in that region, for a custom MAIL FROM. Else anybody. */
  taken_by: { kind: 'routing' } | { kind: 'ses'; region: string } | null
  /** What a service wants there, in place of anything else. */
  record?: DnsRecord | null
}

/** The MX of a return path other than the From domain. */
export async function checkReturnPath(resolver: Resolver, { domain, taken_by, record }: ReturnPath): Promise<Finding> {
  const answer = await resolver.look(domain, 'MX')
  if (answer.kind === 'failed') return notLookedUp('return_path', domain, answer.why)
  const hosts = answer.kind === 'found' ? answer.values.filter((value) => !isNullMx(value)).map(hostOf) : []
  const host = taken_by?.kind === 'ses' ? `feedback-smtp.${taken_by.region}.amazonses.com` : 'route1.mx.cloudflare.net'
  const fix: DnsRecord | null = record ?? (taken_by ? { type: 'MX', name: domain, value: `10 ${host}` } : null)
  const about = { check: 'return_path', about: domain, source: 'RFC 5321 5.1' } as const
  if (hosts.length === 0) {
    const is_null = answer.kind === 'found'
    const what = `${is_null ? 'Its MX says that it takes no mail' : 'It has no MX'}: bounces are lost, and many receivers refuse such mail.${aid(taken_by)}`
    return { ...about, code: is_null ? 'null_mx' : 'no_mx', severity: 'error', what, fix }
  }
  const fits = hosts.some((name) => (taken_by?.kind === 'ses' ? name === host : ROUTING.test(name)))
  if (taken_by && !fits) {
    const what = `Its mail goes to ${shown(hosts.join(', '), 150)}: bounces do not come back here.${aid(taken_by)}`
    return { ...about, code: 'other_mx', severity: 'error', what, fix }
  }
  return { ...about, code: 'sound', severity: 'ok', what: `Bounces to ${domain} are taken.`, fix: null }
}

const aid = (taken_by: ReturnPath['taken_by']) =>
  taken_by?.kind === 'routing'
    ? ' Cloudflare adds all three of its records (route1, route2, route3) when Email Routing is enabled for this domain.'
    : ''

const hostOf = (mx: string) => mx.replace(/^\d+\s*/, '').replace(/\.$/, '')

/** RFC 7505 3: the host is the root. */
const isNullMx = (mx: string) => hostOf(mx).trim() === ''
