import type { Account } from '../providers/account.ts'

/** What is known of a sending service from outside. */
export interface Service {
  name: string
  /** What an SPF record must include for it to be covered. */
  spf_include: string
}

const SES: Service = { name: 'Amazon SES', spf_include: 'amazonses.com' }
const SENDGRID: Service = { name: 'SendGrid', spf_include: 'sendgrid.net' }
const GOOGLE: Service = { name: 'Google Workspace', spf_include: '_spf.google.com' }
const MICROSOFT: Service = { name: 'Microsoft 365', spf_include: 'spf.protection.outlook.com' }

/** Relays whose host says whose they are. */
const RELAYS: readonly (readonly [host: RegExp, Service])[] = [
  [/^email-smtp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/, SES],
  [/^smtp(?:\.eu)?\.sendgrid\.net$/, SENDGRID],
  [/^smtp(?:-relay)?\.(?:gmail|googlemail)\.com$/, GOOGLE],
  [/^smtp\.office365\.com$/, MICROSOFT],
]

/**
 * The service that mails leave by.
 *
 * @param host - an SMTP account's relay
 * @returns null for a relay that may be anybody's
 */
export function serviceOf(kind: Account['kind'], host: string | null): Service | null {
  if (kind === 'ses') return SES
  if (kind === 'sendgrid') return SENDGRID
  return RELAYS.find(([pattern]) => host !== null && pattern.test(host.toLowerCase()))?.[1] ?? null
}
