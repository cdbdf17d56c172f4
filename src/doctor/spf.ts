import { type DnsRecord, type Finding, notLookedUp, shown } from './finding.ts'
import type { Resolver } from './resolver.ts'
import type { Service } from './services.ts'
import { MOST_LOOKUPS, MOST_VOID, type SpfCost, spfCost } from './spf-cost.ts'
import { isSpf, readSpf, type SpfRecord } from './spf-record.ts'

/** What sends with this domain as return path. */
export interface SpfDemand {
  /** Whether receivers will look at its SPF: it is the return path. For other domains a missing record is only a warning. */
  is_return_path: boolean
  /** Services that must be covered. */
  services: readonly Service[]
  /** Relays that may be anybody's, by their host: what covers them, only their operator knows. */
  relays: readonly string[]
  /** What a service wants at this name; its SPF record comes with it. */
  record?: DnsRecord | null
}

const RFC = 'RFC 7208'

/** SPF of one domain: the record, what it includes, what it costs, and whether it covers what sends. */
export async function checkSpf(resolver: Resolver, domain: string, demand: SpfDemand): Promise<Finding[]> {
  const answer = await resolver.look(domain, 'TXT')
  if (answer.kind === 'failed') return [notLookedUp('spf', domain, answer.why)]
  const records = answer.kind === 'found' ? answer.values.filter(isSpf) : []
  if (records.length === 0) return [await missing(resolver, domain, demand)]

  const parts = records.map(readSpf)
  const faults = parts.flatMap((part) => part.faults)
  const record: SpfRecord = { terms: parts.flatMap(({ terms }) => terms), faults }
  const cost = await spfCost(resolver, domain, record.terms)
  const fix = faults.length > 0 ? null : corrected(domain, record, cost, demand)
  const faults_found = [...ofText(records, record), ...ofBroken(cost), ...ofCost(cost), ...ofCover(cost, demand)]
  const findings = faults_found.map(
    ({ fixable, ...fault }): Finding => ({
      check: 'spf',
      about: domain,
      source: RFC,
      ...fault,
      fix: fixable ? fix : null,
    }),
  )
  const unknown = cost.failed.map(({ domain: name, why }) => notLookedUp('spf', name, why))
  if (findings.length + unknown.length > 0) return [...findings, ...unknown]
  return [
    {
      check: 'spf',
      code: 'sound',
      about: domain,
      severity: 'ok',
      what: `SPF of ${domain} is sound (${cost.lookups} of ${MOST_LOOKUPS} lookups).${onRelays(demand.relays)}`,
      fix: null,
      source: RFC,
    },
  ]
}

/** A finding before it is known whose it is; `fixable` when a corrected record can be written. */
type Fault = Pick<Finding, 'code' | 'severity' | 'what'> & { fixable: boolean; source?: string }

function ofText(records: readonly string[], { terms, faults }: SpfRecord): Fault[] {
  const found: Fault[] = []
  if (records.length > 1) {
    found.push({
      code: 'several_records',
      severity: 'error',
      what: `There are ${records.length} SPF records: receivers then heed none. Put their parts into one.`,
      fixable: true,
      source: `${RFC} 4.5`,
    })
  }
  if (faults.length > 0) {
    found.push({
      code: 'syntax',
      severity: 'error',
      what: `Receivers cannot read "${shown(faults.join(' '), 100)}", and then heed nothing of the record. Take it out or write it right.`,
      fixable: false,
      source: `${RFC} 4.6`,
    })
  }
  const all = terms.find(({ name }) => name === 'all')
  if (all?.qualifier === '+') {
    found.push({
      code: 'pass_all',
      severity: 'error',
      what: 'It ends in "+all": everybody may send in your name. End it in "~all".',
      fixable: true,
      source: `${RFC} 11.2`,
    })
  } else if (all?.qualifier === '?') {
    found.push({
      code: 'neutral_all',
      severity: 'warning',
      what: 'It ends in "?all": it says nothing of who else may send. End it in "~all".',
      fixable: true,
      source: `${RFC} 8.2`,
    })
  } else if (!all && !terms.some(({ name }) => name === 'redirect')) {
    found.push({
      code: 'no_all',
      severity: 'warning',
      what: 'It does not end in "all": it says nothing of who else may send. End it in "~all".',
      fixable: true,
      source: `${RFC} 5.1`,
    })
  }
  if (terms.some(({ name }) => name === 'ptr')) {
    found.push({
      code: 'ptr',
      severity: 'warning',
      what: 'It uses "ptr", which is slow and which many receivers do not heed. Name addresses or hosts instead.',
      fixable: true,
      source: `${RFC} 5.5`,
    })
  }
  return found
}

/** What is wrong with an include, and how it is told. */
const BROKEN = {
  loop: ['include_loop', 'includes lead round and back to'],
  no_record: ['include_missing', 'there is no SPF record at what it includes:'],
  several_records: ['include_broken', 'there are several SPF records at what it includes:'],
  syntax: ['include_broken', 'the SPF record cannot be read of what it includes:'],
} as const

function ofBroken({ broken }: SpfCost): Fault[] {
  return Object.entries(BROKEN).flatMap(([how, [code, what]]) => {
    const names = [...new Set(broken.filter((it) => it.how === how).map(({ domain }) => domain))]
    if (names.length === 0) return []
    return [
      {
        code,
        severity: 'error',
        what: `Receivers heed nothing of the record: ${what} ${shown(names.join(', '), 150)}. Take that include out, or have it put right.`,
        fixable: true,
        source: `${RFC} 5.2`,
      } as const,
    ]
  })
}

function ofCost({ lookups, void_lookups, broken }: SpfCost): Fault[] {
  // A record that goes round costs whatever one likes: that it does was said.
  if (broken.some(({ how }) => how === 'loop')) return []
  const found: Fault[] = []
  if (lookups > MOST_LOOKUPS) {
    found.push({
      code: 'too_many_lookups',
      severity: 'error',
      what: `It takes ${lookups} lookups, and receivers give up after ${MOST_LOOKUPS}. Take out includes that send nothing for you any more, or write addresses (ip4, ip6) in place of "a" and "mx".`,
      fixable: false,
      source: `${RFC} 4.6.4`,
    })
  }
  if (void_lookups.length > MOST_VOID) {
    found.push({
      code: 'too_many_void_lookups',
      severity: 'error',
      what: `It names what does not exist (${shown(void_lookups.join(', '), 150)}): receivers give up after ${MOST_VOID} such lookups.`,
      fixable: true,
      source: `${RFC} 4.6.4`,
    })
  }
  return found
}

function ofCover({ included }: SpfCost, { services, is_return_path }: SpfDemand): Fault[] {
  return uncovered(included, services).map(({ name, spf_include }) => ({
    code: 'service_missing',
    severity: is_return_path ? 'error' : 'warning',
    what: `It does not cover ${name}, which sends for you. Add "include:${spf_include}".`,
    fixable: true,
  }))
}

const uncovered = (included: readonly string[], services: readonly Service[]) =>
  services.filter(({ spf_include }) => !included.includes(spf_include))

/** The record as it should be: what is at fault left out, what is missing put in, `all` last. */
function corrected(domain: string, { terms }: SpfRecord, cost: SpfCost, demand: SpfDemand): DnsRecord {
  const broken = new Set(cost.broken.map(({ via }) => via))
  const dead = new Set(cost.void_lookups.length > MOST_VOID ? cost.void_lookups : [])
  const kept = terms.filter(({ name, domain: target }) => {
    if (name === 'all' || name === 'redirect' || name === 'ptr') return false
    return target === null || (!broken.has(target) && !dead.has(target))
  })
  const includes = uncovered(cost.included, demand.services).map(({ spf_include }) => `include:${spf_include}`)
  const all = terms.find(({ name }) => name === 'all')
  const redirect = all
    ? undefined
    : terms.find(({ name, domain: target }) => name === 'redirect' && !broken.has(target ?? ''))
  const ends = all?.qualifier === '-' ? '-all' : (redirect?.text ?? '~all')
  const words = new Set(['v=spf1', ...kept.map(({ text }) => text), ...includes, ends])
  return { type: 'TXT', name: domain, value: [...words].join(' ') }
}

async function missing(resolver: Resolver, domain: string, demand: SpfDemand): Promise<Finding> {
  const { is_return_path, services, relays } = demand
  const mx = await resolver.look(domain, 'MX')
  const words = [
    'v=spf1',
    ...(is_return_path ? [] : mx.kind === 'found' ? ['mx'] : []),
    ...services.map(({ spf_include }) => `include:${spf_include}`),
    ...relays.map((host) => `a:${host}`),
    '~all',
  ]
  return {
    check: 'spf',
    code: 'missing',
    about: domain,
    severity: is_return_path ? 'error' : 'warning',
    what: `${domain} has no SPF record: ${is_return_path ? 'receivers take its mail for forged.' : 'anybody can send in its name.'}${onRelays(relays)}`,
    fix: demand.record ?? { type: 'TXT', name: domain, value: words.join(' ') },
    source: RFC,
  }
}

const onRelays = (relays: readonly string[]) =>
  relays.length === 0
    ? ''
    : ` Whether it covers what leaves by ${relays.join(', ')} cannot be seen from here: its operator says what to include.`
