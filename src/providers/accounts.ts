// The secret ACCOUNTS: a JSON array, one object per sending account.

import * as z from 'zod'
import { readRsaKey } from '../mime/dkim.ts'
import type { Account } from './account.ts'

/** ACCOUNTS cannot be used. The message names account and field, and never holds a value. */
export class AccountsError extends Error {
  override name = 'AccountsError'
}

const text = z.string().min(1).max(1_000)
const name = z.string().regex(/^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/)
const host = z.string().regex(/^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/)
const endpoint = z
  .url({ protocol: /^https?$/ })
  .transform((url) => url.replace(/\/+$/, ''))
  .optional()
const domain = z
  .string()
  .regex(/^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/)
  .toLowerCase()
/** A name in DNS of at least two labels, in the spelling it is compared in. */
const dnsName = z
  .string()
  .max(253)
  .toLowerCase()
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)
const selector = z
  .string()
  .max(63)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/)
const dkim = z
  .array(
    z.strictObject({
      domain: dnsName,
      selector,
      private_key: z
        .string()
        .max(20_000)
        .refine((pem) => readRsaKey(pem) !== null),
    }),
  )
  .min(1)
  .max(20)
/** What accounts of every kind may say. */
const common = {
  name,
  rate_per_second: z.number().positive().max(100_000).optional(),
  per_day: z.int().min(1).max(1_000_000_000).optional(),
  from_domains: z.array(domain).min(1).max(1_000).optional(),
  pool: name.optional(),
  warm_up: z
    .strictObject({
      from: z.iso.date(),
      per_day: z.array(z.int().min(1).max(1_000_000_000)).min(1).max(60).optional(),
    })
    .optional(),
}
/** Batches sent at once through one HTTP service: four in each of the ten invocations that `emk-sends` may have. */
const HTTP_CONNECTIONS = 40
const connections = z.int().min(1).max(1_000)

const smtp = z
  .strictObject({
    ...common,
    kind: z.literal('smtp'),
    host,
    port: z
      .int()
      .min(1)
      .max(65_535)
      .refine((port) => port !== 25, { params: { fix: 'port_25' } }),
    tls: z.enum(['implicit', 'starttls', 'none']).default('starttls'),
    username: text.optional(),
    password: text.optional(),
    ehlo_name: z
      .string()
      .regex(/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[A-Za-z0-9.:]+\])$/)
      .optional(),
    bounce_domain: dnsName.optional(),
    dkim: dkim.optional(),
    max_connections: connections.default(4),
  })
  .refine((account) => account.dkim === undefined || !/^email-smtp(?:-fips)?\./i.test(account.host), {
    path: ['dkim'],
    params: { fix: 'dkim_at_ses' },
  })
  .refine((account) => (account.username === undefined) === (account.password === undefined), { path: ['password'] })
const ses = z.strictObject({
  ...common,
  kind: z.literal('ses'),
  region: z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-[0-9]+$/),
  access_key_id: text,
  secret_access_key: text,
  configuration_set: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
  endpoint,
  max_connections: connections.default(HTTP_CONNECTIONS),
})
const sendgrid = z.strictObject({
  ...common,
  kind: z.literal('sendgrid'),
  api_key: text,
  endpoint,
  max_connections: connections.default(HTTP_CONNECTIONS),
})

const account = z
  .discriminatedUnion('kind', [smtp, ses, sendgrid])
  .refine(({ pool, from_domains }) => pool === undefined || from_domains !== undefined, { path: ['from_domains'] })
const accounts = z.array(account).min(1)

/** What each field wants, for the error. */
const FIXES: Record<string, string> = {
  name: 'lower-case letters, digits, "-" and "_", at most 64',
  kind: '"smtp", "ses" or "sendgrid"',
  host: 'a host name, without port or scheme',
  port: 'a number from 1 to 65535 and not 25, which Cloudflare refuses: use 587 with "starttls" or 465 with "implicit"',
  tls: '"starttls", "implicit" or "none"',
  username: 'text, together with password',
  password: 'text, together with username',
  ehlo_name: 'a host name or an address literal such as "[192.0.2.1]"',
  max_connections: 'a whole number from 1',
  rate_per_second: 'a number over 0',
  per_day: 'a whole number from 1: mails in any 24 hours',
  from_domains: 'a list of the domains it may send from; an account in a pool must have it',
  pool: 'a name, the same for all accounts that stand in for each other',
  warm_up: '{"from": "2026-11-24"}, perhaps with "per_day": [500, 1000]',
  'warm_up.from': 'a date such as "2026-11-24", the first day in UTC',
  'warm_up.per_day': 'a list of 1 to 60 whole numbers from 1: mails on the first day, the second, and so on',
  bounce_domain: 'a domain name in ASCII whose mail reaches emk-sender',
  dkim: 'a list of 1 to 20 keys {"domain", "selector", "private_key"}',
  dkim_at_ses: 'left out: Amazon SES replaces Date and Message-ID, which breaks the signature, and signs by itself',
  'dkim.domain': 'a domain name in ASCII',
  'dkim.selector': 'letters, digits, "-" and ".", at most 63',
  'dkim.private_key': 'an RSA key of at least 1024 bits as PEM (PKCS #8, not encrypted), with \\n for its line ends',
  region: 'an AWS region such as "eu-central-1"',
  access_key_id: 'text',
  secret_access_key: 'text',
  configuration_set: 'letters, digits, "-" and "_"',
  endpoint: 'an http(s) URL',
  api_key: 'text',
}

/** @throws {AccountsError} naming the first field at fault and what it wants */
export function parseAccounts(json: string): Account[] {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new AccountsError(
      'ACCOUNTS is not JSON: it must be an array of accounts, e.g. [{"name": "main", "kind": "smtp", ...}]',
    )
  }
  const parsed = accounts.safeParse(value)
  if (!parsed.success) throw new AccountsError(explain(parsed.error.issues[0], value))
  const seen = new Set<string>()
  for (const { name } of parsed.data) {
    if (seen.has(name)) throw new AccountsError(`ACCOUNTS: two accounts are named "${name}": names must be unique`)
    seen.add(name)
  }
  return parsed.data
}

function explain(issue: z.core.$ZodIssue | undefined, value: unknown): string {
  const [index, ...path] = issue?.path ?? []
  if (typeof index !== 'number') return 'ACCOUNTS must be an array with at least one account'
  const account: unknown = Array.isArray(value) ? value[index] : null
  const called = typeof account === 'object' && account !== null && 'name' in account ? account.name : null
  const where = `ACCOUNTS[${index}]${typeof called === 'string' ? ` ("${called.slice(0, 64)}")` : ''}`
  if (issue?.code === 'unrecognized_keys') {
    return `${where}${dotted(path)}: unknown field ${issue.keys.join(', ')}; remove it`
  }
  if (path.length === 0) return `${where} must be an object`
  // What is wrong with one entry is said of its list.
  if (typeof path.at(-1) === 'number') path.pop()
  const name = path.filter((part) => typeof part === 'string').join('.')
  return `${where}${dotted(path)} must be ${FIXES[fixOf(issue)] ?? FIXES[name] ?? 'valid'}`
}

const dotted = (path: readonly PropertyKey[]) =>
  path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')

/** The explanation that a check names itself. */
function fixOf(issue: z.core.$ZodIssue | undefined): string {
  const fix: unknown = issue?.code === 'custom' ? issue.params?.fix : undefined
  return typeof fix === 'string' ? fix : ''
}
