import { organisationalDomain } from './domain.ts'
import { type DnsRecord, type Finding, notLookedUp, shown } from './finding.ts'
import type { Resolver } from './resolver.ts'
import { readTags } from './tags.ts'

/** How strictly a domain wants to be aligned with. */
export interface Alignment {
  dkim_strict: boolean
  spf_strict: boolean
  /** The record with both relaxed; null when they are. */
  relaxed: DnsRecord | null
}

/** What holds without a record. */
const RELAXED: Alignment = { dkim_strict: false, spf_strict: false, relaxed: null }
const RFC = 'RFC 7489'
const POLICIES = ['none', 'quarantine', 'reject']
/** Names that reports are sent to which are looked at. */
const MOST_REPORTS = 4

/** The DMARC policy that holds for a From domain: its own, or the one of its organisational domain. */
export async function checkDmarc(
  resolver: Resolver,
  domain: string,
): Promise<{ findings: Finding[]; alignment: Alignment }> {
  const organisation = organisationalDomain(domain)
  for (const holder of new Set([domain, organisation])) {
    const name = `_dmarc.${holder}`
    const answer = await resolver.look(name, 'TXT')
    if (answer.kind === 'failed') return { findings: [notLookedUp('dmarc', name, answer.why)], alignment: RELAXED }
    const records =
      answer.kind === 'found' ? answer.values.filter((text) => /^v\s*=\s*DMARC1\s*(?:;|$)/.test(text)) : []
    const [record] = records
    if (record === undefined) continue
    if (records.length > 1) {
      const what = 'There are several DMARC records: receivers then heed none. Leave one.'
      const fix = { type: 'TXT', name, value: record } as const
      const finding: Finding = {
        ...head(name),
        code: 'several_records',
        severity: 'error',
        what,
        fix,
        source: `${RFC} 6.6.3`,
      }
      return { findings: [finding], alignment: RELAXED }
    }
    return await readRecord(resolver, { name, record, organisation, is_inherited: holder !== domain })
  }
  const name = `_dmarc.${organisation}`
  const what =
    'There is no DMARC record: Gmail, Yahoo and Microsoft refuse bulk mail without one. Begin with "p=none", which changes nothing for your mail, and read the reports.'
  const fix = { type: 'TXT', name, value: `v=DMARC1; p=none; rua=mailto:dmarc@${organisation}` } as const
  const finding: Finding = { ...head(name), code: 'missing', severity: 'error', what, fix, source: RFC }
  return { findings: [finding], alignment: RELAXED }
}

const head = (name: string) => ({ check: 'dmarc', about: name }) as const

interface Held {
  name: string
  record: string
  organisation: string
  /** It is the organisational domain's, and holds for this subdomain too. */
  is_inherited: boolean
}

async function readRecord(resolver: Resolver, { name, record, organisation, is_inherited }: Held) {
  const tags = readTags(record)
  const policy = tags?.get('p')?.toLowerCase()
  if (!tags || policy === undefined || !POLICIES.includes(policy)) {
    const what = `Receivers cannot read the record "${shown(record, 100)}": it must say "p=none", "p=quarantine" or "p=reject".`
    const finding: Finding = { ...head(name), code: 'syntax', severity: 'error', what, fix: null, source: `${RFC} 6.3` }
    return { findings: [finding], alignment: RELAXED }
  }
  const findings: Finding[] = []
  const warn = (code: string, what: string, fix: DnsRecord | null) =>
    findings.push({ ...head(name), code, severity: 'warning', what, fix, source: `${RFC} 6.3` })
  const changed = (changes: { [tag: string]: string | null }): DnsRecord => ({
    type: 'TXT',
    name,
    value: withTags(tags, changes),
  })

  const [dkim_strict, spf_strict] = [tags.get('adkim') === 's', tags.get('aspf') === 's']
  const relaxed = dkim_strict || spf_strict ? changed({ adkim: null, aspf: null }) : null
  const alignment: Alignment = { dkim_strict, spf_strict, relaxed }

  const for_subdomains = tags.get('sp')?.toLowerCase() ?? policy
  if (policy === 'none') {
    warn(
      'policy_none',
      'The policy is "p=none": receivers only report who sends in your name. When the reports show nothing but your own mail passing, for two weeks or so, go to "p=quarantine", and later to "p=reject".',
      changed({ p: 'quarantine' }),
    )
  } else if (for_subdomains === 'none' && is_inherited) {
    warn(
      'subdomain_policy_none',
      'The policy for subdomains, of which this is one, is "sp=none": receivers only report who sends in its name. Take it out when the reports show nothing but your own mail passing.',
      changed({ sp: null }),
    )
  }
  if (tags.has('pct') && tags.get('pct') !== '100') {
    warn(
      'pct',
      `It holds for only a part of the mail ("pct=${shown(tags.get('pct') ?? '', 10)}").`,
      changed({ pct: null }),
    )
  }
  if (!tags.has('rua')) {
    warn(
      'no_reports',
      'Nobody gets the reports: without "rua" you do not learn who fails. Name a mailbox that you read.',
      changed({ rua: `mailto:dmarc@${organisation}` }),
    )
  } else findings.push(...(await foreignReports(resolver, name, organisation, tags.get('rua') ?? '')))
  if (findings.length === 0) {
    const what = `DMARC is "p=${policy}"${is_inherited ? `, of ${name}` : ''}.`
    findings.push({ ...head(name), code: 'sound', severity: 'ok', what, fix: null, source: RFC })
  }
  return { findings, alignment }
}

/** Another domain gets reports only if it says that it wants them. */
async function foreignReports(resolver: Resolver, name: string, organisation: string, rua: string): Promise<Finding[]> {
  const findings: Finding[] = []
  const domains = rua
    .split(',')
    .map((uri) => /^\s*mailto:[^@\s]+@([A-Za-z0-9.-]+?)(?:![0-9]+[kmgt]?)?\s*$/i.exec(uri)?.[1])
  for (const domain of new Set(domains.slice(0, MOST_REPORTS))) {
    if (domain === undefined) {
      const what = `Reports go nowhere: "rua=${shown(rua, 100)}" must be "mailto:" and an address.`
      const fix = null
      findings.push({ ...head(name), code: 'bad_reports', severity: 'warning', what, fix, source: `${RFC} 6.2` })
      continue
    }
    if (organisationalDomain(domain.toLowerCase()) === organisation) continue
    const holder = name.slice('_dmarc.'.length)
    const permit = `${holder}._report._dmarc.${domain.toLowerCase()}`
    const answer = await resolver.look(permit, 'TXT')
    if (answer.kind === 'failed') findings.push(notLookedUp('dmarc', permit, answer.why))
    else if (answer.kind === 'none' || !answer.values.some((text) => /^v\s*=\s*DMARC1/.test(text))) {
      const what = `Reports to ${shown(domain, 100)} are not sent: that domain does not say that it wants them.`
      const fix = { type: 'TXT', name: permit, value: 'v=DMARC1' } as const
      findings.push({ ...head(name), code: 'reports_refused', severity: 'warning', what, fix, source: `${RFC} 7.1` })
    }
  }
  return findings
}

/** The record with some tags set, or left out (null). */
function withTags(tags: Map<string, string>, changes: { [tag: string]: string | null }): string {
  const all = { ...Object.fromEntries(tags), ...changes }
  const words = Object.entries(all).flatMap(([tag, value]) => (value === null ? [] : [`${tag}=${value}`]))
  return words.join('; ')
}
