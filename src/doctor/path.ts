import type { SendingDomain } from '../providers/sending-domain.ts'
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

/** What the accounts' services hold of the domain, by the account's name. */
export type Held = readonly { name: string; held: SendingDomain | null }[]

/** The accounts that may carry mail from this domain, as ways it leaves by. */
export function pathsOf(accounts: readonly KnownAccount[], domain: string, held: Held = []): SendingPath[] {
  return accounts
    .filter(({ from_domains }) => from_domains === null || from_domains.includes(domain))
    .map((account) => pathOf(account, domain, held.find(({ name }) => name === account.name)?.held ?? null))
}

function pathOf(account: KnownAccount, domain: string, held: SendingDomain | null): SendingPath {
  const { name, kind, where, bounce_domain, dkim } = account
  const host = kind === 'smtp' ? where.replace(/:\d+$/, '') : null
  const service = serviceOf(kind, host)
  const path = { account: name, kind, service, relay: service === null ? host : null }
  if (kind === 'smtp') {
    const taken_by = bounce_domain === null ? null : ({ kind: 'routing' } as const)
    return { ...path, return_path: { domain: bounce_domain ?? domain, taken_by }, keys: dkim }
  }
  const keys = (held?.keys ?? []).map((key) => ({ ...key, public_key: null }))
  if (!held?.return_path) return { ...path, return_path: null, keys }
  const taken_by = kind === 'ses' ? ({ kind: 'ses', region: where } as const) : null
  // SendGrid's return path is an alias of its own, which names addresses and includes nothing.
  return { ...path, service: kind === 'ses' ? service : null, return_path: { ...held.return_path, taken_by }, keys }
}
