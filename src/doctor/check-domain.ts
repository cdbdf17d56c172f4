import type { CheckDomain } from '../campaigns/check/authentication.ts'
import type { SenderRpc } from '../http/services.ts'
import { asciiDomain } from './domain.ts'
import { examineDomain } from './examine.ts'
import { NOT_LOOKED_UP } from './finding.ts'
import { pathsOf } from './path.ts'
import { anyPath } from './report.ts'
import { openResolver } from './resolver.ts'

type CampaignFinding = Awaited<ReturnType<CheckDomain>>[number]

/** How long a campaign's check waits for DNS, ms; a little less than it waits for us. */
const PATIENCE = 2_500
/** How much of that is for what the services hold of the domain, ms. */
const ASKING = 1_000
/** How long what was found holds, ms. */
const FRESH = 600_000
/** Domains that are remembered. */
const MOST = 200

interface Tools {
  fetch: typeof fetch
  resolvers?: readonly string[]
  sender: Pick<SenderRpc, 'listAccounts' | 'sendingDomains'>
  now: () => Date
}

/** How the mail of a sender's domain is authenticated, for a campaign's check. Remembered for as long as the isolate lives. */
export function domainChecker({ fetch, resolvers, sender, now }: Tools): CheckDomain {
  const known = new Map<string, { at: number; findings: CampaignFinding[] }>()
  return async (from_domain) => {
    const domain = asciiDomain(from_domain)
    // An address of a name that DNS does not know, such as localhost in development.
    if (domain === null) return []
    const before = known.get(domain)
    if (before && now().getTime() - before.at < FRESH) return before.findings
    const time = AbortSignal.timeout(PATIENCE)
    const asking = AbortSignal.timeout(ASKING)
    const resolver = openResolver({
      fetch,
      patience: PATIENCE / 2,
      signal: time,
      ...(resolvers ? { urls: resolvers } : {}),
    })
    const [accounts, held] = await Promise.all([
      sender.listAccounts().catch(() => []),
      Promise.race([sender.sendingDomains(domain), ended(asking)]).catch(() => []),
    ])
    const paths = pathsOf(accounts, domain, held)
    const found = await examineDomain(resolver, domain, paths.length > 0 ? paths : [anyPath(domain)])
    const findings = found
      // Where Amazon SES does not say, its keys are not known to be missing.
      .filter(({ severity, code }) => severity !== 'ok' && code !== 'selectors_unknown')
      .map(({ check, code, about, what }) => ({
        code: code === NOT_LOOKED_UP ? code : `${check}_${code}`,
        field: 'sender_id',
        detail: code === NOT_LOOKED_UP ? what : `${about}: ${what}`,
      }))
    // DNS has bad moments: they are not kept.
    if (found.some(({ code }) => code === NOT_LOOKED_UP)) return findings
    if (known.size >= MOST) known.clear()
    known.set(domain, { at: now().getTime(), findings })
    return findings
  }
}

const ended = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
