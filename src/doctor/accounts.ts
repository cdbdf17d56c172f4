import type { AccountTest } from '../providers/account-test.ts'
import type { Finding } from './finding.ts'
import type { Held, KnownAccount } from './path.ts'

/** How the accounts fared that were tried, as findings. */
export function accountFindings(tests: readonly AccountTest[]): Finding[] {
  return tests.map(({ name, ok, answer, warning }) => {
    const about = { check: 'accounts', about: name, fix: null, source: null } as const
    if (!ok) return { ...about, code: 'refused', severity: 'error', what: `Account ${name} cannot send: ${answer}` }
    if (warning) return { ...about, code: 'limited', severity: 'warning', what: `Account ${name}: ${warning}` }
    return { ...about, code: 'sound', severity: 'ok', what: `Account ${name}: ${answer}` }
  })
}

/** Services that do not know the domain: they refuse its mail. */
export const strangers = (domain: string, held: Held): Finding[] =>
  held
    .filter((account) => account.held?.known === false)
    .map(({ name }) => ({
      check: 'accounts',
      code: 'domain_unknown',
      about: name,
      severity: 'error',
      what: `The service of account ${name} does not know ${domain}, and refuses its mail: verify the domain there.`,
      fix: null,
      source: null,
    }))

/** No account may send from the domain. */
export const noAccount = (domain: string, accounts: readonly KnownAccount[]): Finding => ({
  check: 'accounts',
  code: 'no_account',
  about: domain,
  severity: 'error',
  what: `No account may send from ${domain}: add it to the from_domains of one (${accounts.map(({ name }) => name).join(', ')}).`,
  fix: null,
  source: null,
})

/** emk-sender gave no answer. */
export const accountsUnknown = (): Finding => ({
  check: 'accounts',
  code: 'not_asked',
  about: 'emk-sender',
  severity: 'error',
  what: 'The sending Worker does not answer: nothing is known of the accounts. Is it deployed?',
  fix: null,
  source: null,
})
