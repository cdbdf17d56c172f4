import type { DkimSelector } from './dkim.ts'
import type { ReturnPath } from './mailboxes.ts'
import { type Service, serviceOf } from './services.ts'

/** One way that mail of the domain leaves by: an account, or what the caller says of one. */
export interface SendingPath {
  /** Null when no account is known. */
  account: string | null
  kind: 'smtp' | 'ses' | 'sendgrid' | null
  service: Service | null
  /** An SMTP account's relay. */
  relay: string | null
  /** Null when bounces go to a domain of the service's own, which is not known here. */
  return_path: ReturnPath | null
  /** Keys that are in the account's configuration, for any domain. */
  keys: DkimSelector[]
}

/** What emk-sender tells of an account, as far as it matters here. */
export interface KnownAccount {
  name: string
  kind: 'smtp' | 'ses' | 'sendgrid'
  /** Host and port, or region. */
  where: string
  from_domains: string[] | null
  bounce_domain: string | null
  dkim: { domain: string; selector: string; public_key: string }[]
}

/** The accounts that may carry mail from this domain, as ways it leaves by. */
export function pathsOf(accounts: readonly KnownAccount[], domain: string): SendingPath[] {
  return accounts
    .filter(({ from_domains }) => from_domains === null || from_domains.includes(domain))
    .map(({ name, kind, where, bounce_domain, dkim }) => {
      const host = kind === 'smtp' ? where.replace(/:\d+$/, '') : null
      const service = serviceOf(kind, host)
      return {
        account: name,
        kind,
        service,
        relay: service === null ? host : null,
        return_path:
          kind === 'smtp'
            ? {
                domain: bounce_domain ?? domain,
                taken_by: bounce_domain === null ? null : ({ kind: 'routing' } as const),
              }
            : null,
        keys: dkim,
      }
    })
}
