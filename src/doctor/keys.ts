// Which DKIM keys to look for: those of the accounts, those the caller names, and where neither says, those services use.

import { checkDkim, type DkimSelector, dkimName } from './dkim.ts'
import { type Finding, notLookedUp } from './finding.ts'
import type { SendingPath } from './path.ts'
import type { Resolver } from './resolver.ts'

/** SendGrid's, unless its owner chose others. */
const SENDGRID = ['s1', 's2']
/** What relays and mail hosts use. */
const COMMON = ['emk', 'default', 'dkim', 'mail', 'google', 'selector1', 'selector2', 'k1', 's1', 's2']

/** Keys that a From domain's mail can be signed with. */
export interface Keys {
  findings: Finding[]
  /** The `d=` of what signs on each path; null where nobody can say. */
  signed_by: Map<SendingPath, string[] | null>
}

/** @param selectors - what the caller names, below the From domain */
export async function checkKeys(
  resolver: Resolver,
  domain: string,
  paths: readonly SendingPath[],
  selectors: readonly string[],
): Promise<Keys> {
  const held = paths.flatMap((path) => fitting(path, domain))
  const named = selectors
    .map((selector): DkimSelector => ({ domain, selector, public_key: null }))
    .filter((key) => !held.some((other) => dkimName(other) === dkimName(key)))
  // Two accounts may sign by one selector, rightly or wrongly with two keys.
  const wanted = new Map([...named, ...held].map((key) => [`${dkimName(key)} ${key.public_key}`, key]))
  const findings = (await Promise.all([...wanted.values()].map((key) => checkDkim(resolver, key)))).flat()

  const signed_by: Keys['signed_by'] = new Map()
  for (const path of paths) {
    if (path.keys.length > 0) {
      signed_by.set(
        path,
        fitting(path, domain).map((key) => key.domain),
      )
    } else if (selectors.length > 0) signed_by.set(path, [domain])
    else {
      const found = await lookAround(resolver, domain, path)
      findings.push(...found.findings)
      signed_by.set(path, found.is_signed ? [domain] : null)
    }
  }
  return { findings, signed_by }
}

/** The keys of an account that sign for a From domain: its own, and those of domains above it. */
const fitting = ({ keys }: SendingPath, domain: string) =>
  keys.filter((key) => domain === key.domain || domain.endsWith(`.${key.domain}`))

/** Where nobody says which keys there are. */
async function lookAround(resolver: Resolver, domain: string, path: SendingPath) {
  const names = path.kind === 'sendgrid' ? SENDGRID : path.kind === 'ses' ? [] : COMMON
  const keys = names.map((selector): DkimSelector => ({ domain, selector, public_key: null }))
  const answers = await Promise.all(keys.map((key) => resolver.look(dkimName(key), 'TXT')))
  const failed = answers.find((answer) => answer.kind === 'failed')
  if (failed?.kind === 'failed') {
    return { findings: [notLookedUp('dkim', `_domainkey.${domain}`, failed.why)], is_signed: false }
  }
  const there = keys.filter((_, i) => answers[i]?.kind === 'found')
  if (there.length === 0) return { findings: [unknownKeys(domain, path)], is_signed: false }
  return { findings: (await Promise.all(there.map((key) => checkDkim(resolver, key)))).flat(), is_signed: true }
}

function unknownKeys(domain: string, { kind, account }: SendingPath): Finding {
  const by = account === null ? '' : ` (account ${account})`
  const about = { check: 'dkim', about: `_domainkey.${domain}`, fix: null } as const
  if (kind === 'sendgrid') {
    const what = `There are none of SendGrid's keys (s1, s2)${by}: authenticate ${domain} in SendGrid (Settings, Sender Authentication) and add the records it shows; or name the selector you chose there.`
    return { ...about, code: 'no_key', severity: 'error', what, source: 'SendGrid, Domain Authentication' }
  }
  if (kind === 'ses') {
    const what = `Amazon SES names its three keys by chance${by}: see "aws sesv2 get-email-identity --email-identity ${domain}" (DkimAttributes, Tokens), and name them as selectors to have them looked at.`
    return { ...about, code: 'selectors_unknown', severity: 'warning', what, source: 'Amazon SES, Easy DKIM' }
  }
  const what = `No DKIM key is known${by}, and none is at the usual names: bulk mail must be signed. Make a key pair (npm run keys -- dkim) and put it into the account, or name the selector your relay signs with.`
  return { ...about, code: 'no_key', severity: 'warning', what, source: 'RFC 6376' }
}
