import type { SenderRpc } from '../http/services.ts'
import { accountFindings, accountsUnknown, noAccount, strangers } from './accounts.ts'
import { examineDomain } from './examine.ts'
import type { Finding } from './finding.ts'
import { type KnownAccount, pathsOf, type SendingPath } from './path.ts'
import { openResolver } from './resolver.ts'

/** How long all of it may take, ms: somebody waits for it. */
const PATIENCE = 20_000

export interface Report {
  domain: string
  /** Nothing is an error; what could not be looked up is one. */
  ok: boolean
  findings: Finding[]
}

export const reportOf = (domain: string, findings: Finding[]): Report => ({
  domain,
  ok: findings.every(({ severity }) => severity !== 'error'),
  findings,
})

/** Where no account is known: mail whose bounces go to the From address. */
export const anyPath = (domain: string): SendingPath => ({
  account: null,
  kind: null,
  service: null,
  relay: null,
  return_path: { domain, taken_by: null },
  keys: [],
})

/**
 * Looks at a domain as this installation sends from it: DNS for every account that may carry its mail, and every account.
 *
 * @param domain - ASCII in lower case
 * @param selectors - DKIM selectors besides those of the accounts
 */
export async function examineInstallation(
  sender: SenderRpc,
  get: typeof fetch,
  domain: string,
  selectors: readonly string[],
): Promise<Report> {
  const resolver = openResolver({ fetch: get, signal: AbortSignal.timeout(PATIENCE) })
  const tests = sender.testAccounts().then(accountFindings, () => [])
  const accounts: KnownAccount[] | null = await sender.listAccounts().catch(() => null)
  const held = await sender.sendingDomains(domain).catch(() => [])
  const paths = accounts === null ? [] : pathsOf(accounts, domain, held)
  const named = held.filter(({ name }) => paths.some(({ account }) => account === name))
  const dns = await examineDomain(resolver, domain, paths.length > 0 ? paths : [anyPath(domain)], selectors)
  const unable = accounts !== null && paths.length === 0 ? [noAccount(domain, accounts)] : []
  const tried = await tests
  return reportOf(domain, [
    ...dns,
    ...unable,
    ...strangers(domain, named),
    ...(tried.length > 0 ? tried : [accountsUnknown()]),
  ])
}
