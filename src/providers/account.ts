// The shape of a sending account. Parsed from the secret ACCOUNTS by accounts.ts; the secrets never leave emk-sender.
import { publicHalf } from './public-key.ts'
import { rampOf, warmUpCap } from './warm-up.ts'

interface AccountBase {
  /** What campaigns and senders refer to. */
  name: string
  /** Mails a second over all connections; without it only the provider's own answers slow us down. */
  rate_per_second?: number | undefined
  /** Mails in any 24 hours; without it only what the provider itself says. */
  per_day?: number | undefined
  /** Connections (batches, for an HTTP service) open at once to this account, over all invocations. */
  max_connections: number
  /** While a new account or domain warms up: so many mails on each day from `from` on. After the last, no limit of this kind. */
  warm_up?: WarmUp | undefined
  /** Domains it may carry mail from, lower case; without it, any. An account in a pool must say. */
  from_domains?: string[] | undefined
  /** Accounts of one pool stand in for each other, in the order of ACCOUNTS; without it there is no failover. */
  pool?: string | undefined
}

/** The ramp of a new account. */
export interface WarmUp {
  /** The first day, `2026-11-24`, in UTC. */
  from: string
  /** Mails on the first day, the second, and so on; without it, those of warm-up.ts. */
  per_day?: number[] | undefined
}

/** What signs mails: the private half of a key whose public half is in DNS. */
export interface DkimKey {
  /** Signs for From addresses of this domain and below, lower case. */
  domain: string
  /** Where the public half is: `<selector>._domainkey.<domain>`. */
  selector: string
  /** RSA, PKCS #8 PEM. */
  private_key: string
}

export interface SmtpAccount extends AccountBase {
  kind: 'smtp'
  host: string
  port: number
  /** `starttls` refuses to go on in clear text when the server does not offer it; `none` is for a relay on one's own machine. */
  tls: 'implicit' | 'starttls' | 'none'
  username?: string | undefined
  password?: string | undefined
  /** Our name in EHLO; default: the domain of the envelope sender. */
  ehlo_name?: string | undefined
  /** Where bounces go: a domain whose mail Email Routing hands to emk-sender. Without it they go to the From address. */
  bounce_domain?: string | undefined
  /** Several while keys are changed, or for several domains. Without any, the relay signs. */
  dkim?: DkimKey[] | undefined
}

export interface SesAccount extends AccountBase {
  kind: 'ses'
  region: string
  access_key_id: string
  secret_access_key: string
  configuration_set?: string | undefined
  /** Other than AWS's own: a VPC endpoint or a local stand-in. No slash at the end. */
  endpoint?: string | undefined
}

export interface SendGridAccount extends AccountBase {
  kind: 'sendgrid'
  api_key: string
  /** Other than https://api.sendgrid.com, e.g. https://api.eu.sendgrid.com. No slash at the end. */
  endpoint?: string | undefined
}

export type Account = SmtpAccount | SesAccount | SendGridAccount

/** A sending account without its secrets. */
export interface AccountSummary {
  name: string
  kind: Account['kind']
  /** Host or region, for a person to recognise it by. */
  where: string
  from_domains: string[] | null
  pool: string | null
  max_connections: number
  rate_per_second: number | null
  per_day: number | null
  /** While it warms up: its ramp, and the mails of today in UTC; null for an account that does not, or is through with it. */
  warm_up: { from: string; per_day: number[]; today: number } | null
  /** Where bounces go; null when they go to the From address, or to a domain of the service's own. */
  bounce_domain: string | null
  /** What it signs with: the halves of the keys that DNS shows. */
  dkim: DkimPublicKey[]
}

/** A key as DNS has it at `<selector>._domainkey.<domain>`. */
export interface DkimPublicKey {
  domain: string
  selector: string
  /** SubjectPublicKeyInfo in base64: the record's `p=`. */
  public_key: string
}

/** @param now - says which day of a warm-up it is */
export function summarise(account: Account, now: Date): AccountSummary {
  const { name, kind, max_connections } = account
  return {
    name,
    kind,
    where: whereOf(account),
    from_domains: account.from_domains ?? null,
    pool: account.pool ?? null,
    max_connections,
    rate_per_second: account.rate_per_second ?? null,
    per_day: account.per_day ?? null,
    warm_up: warmUpOf(account, now),
    bounce_domain: account.kind === 'smtp' ? (account.bounce_domain ?? null) : null,
    dkim: account.kind === 'smtp' ? (account.dkim ?? []).map(publicHalf) : [],
  }
}

function warmUpOf({ warm_up }: Account, now: Date): AccountSummary['warm_up'] {
  const today = warm_up && warmUpCap(warm_up, now)
  return warm_up && today != null ? { from: warm_up.from, per_day: [...rampOf(warm_up)], today } : null
}

function whereOf(account: Account): string {
  switch (account.kind) {
    case 'smtp':
      return `${account.host}:${account.port}`
    case 'ses':
      return account.region
    case 'sendgrid':
      return new URL(account.endpoint ?? 'https://api.sendgrid.com').host
  }
}
