import { parseSendGridKeys } from '../../src/feedback/sendgrid-signature.ts'
import { parseSnsTopics } from '../../src/feedback/sns-topics.ts'
import { AccountsError, parseAccounts } from '../../src/providers/accounts.ts'
import { parseLinkHosts } from '../../src/render/link-hosts.ts'
import { parseAllowlist } from '../../src/sending/allowlist.ts'
import {
  DEVELOPMENT_BOOTSTRAP_SECRET,
  DEVELOPMENT_HASH_KEY,
  usesDevelopmentKeys,
} from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import type { EnvFile } from './env-file.ts'

interface Field {
  required: boolean
  /** Not shown: neither by a dry run nor in a failed tool's words. */
  secret: boolean
  /** What is wrong with a value that is there, and how to put it right; null when nothing is. */
  fault(value: string, env: EnvFile): string | null | Promise<string | null>
}

const fine = (): null => null
const text: Field = { required: true, secret: false, fault: fine }
const secret: Field = { required: true, secret: true, fault: fine }
const generated: Field = { required: false, secret: true, fault: fine }

/** Everything deploy.env may hold; deploy.env.example says where each value comes from. */
const FIELDS = {
  CLOUDFLARE_API_TOKEN: secret,
  CLOUDFLARE_ACCOUNT_ID: {
    ...text,
    fault: (v) => (/^[0-9a-f]{32}$/.test(v) ? null : 'is 32 characters of 0-9 and a-f'),
  },
  PREFIX: {
    ...text,
    required: false,
    fault: (v) => (/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/.test(v) ? null : 'is 2 to 32 small letters, digits and hyphens'),
  },
  WORKERS_SUBDOMAIN: {
    ...text,
    required: false,
    fault: (v) => (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(v) ? null : 'is one name, without .workers.dev'),
  },
  PUBLIC_URL: { ...text, required: false, fault: originFault },
  TRACKING_URL: { ...text, required: false, fault: originFault },
  DATABASE_URL: { ...secret, fault: (v) => postgresFault(v) ?? pooledFault(v) },
  DATABASE_URL_DIRECT: { ...secret, fault: (v) => postgresFault(v) ?? directFault(v) },
  UPSTASH_REDIS_REST_URL: {
    ...text,
    fault: (v) => (originFault(v) === null ? null : 'is the REST URL: https://....upstash.io'),
  },
  UPSTASH_REDIS_REST_TOKEN: secret,
  ACCOUNTS: { ...secret, fault: accountsFault },
  RECIPIENT_ALLOWLIST: text,
  LINK_HOSTS: { ...text, required: false, fault: linkHostsFault },
  MAIL_DOMAIN: {
    ...text,
    required: false,
    fault: (v) => (/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(v) ? null : 'is a domain in small letters'),
  },
  SNS_TOPICS: {
    ...text,
    required: false,
    fault: (v) =>
      parses(parseSnsTopics, v)
        ? null
        : 'is ARNs of SNS topics, comma separated: arn:aws:sns:eu-west-1:123456789012:ses-events',
  },
  SENDGRID_WEBHOOK_KEYS: {
    ...text,
    required: false,
    fault: (v) =>
      parses(parseSendGridKeys, v) ? null : 'is the verification keys that SendGrid shows, comma separated, at most 5',
  },
  TURNSTILE_SITE_KEY: {
    ...text,
    required: false,
    fault: (_, env) => (env.get('TURNSTILE_SECRET') ? null : 'needs TURNSTILE_SECRET too'),
  },
  TURNSTILE_SECRET: { ...secret, required: false },
  EVENT_RETENTION_DAYS: {
    ...text,
    required: false,
    fault: (v) => (/^[1-9]\d{0,4}$/.test(v) ? null : 'is a whole number of days'),
  },
  SENDING: { ...text, required: false, fault: (v) => (v === 'on' || v === 'off' ? null : 'is on or off') },
  TEST_RECIPIENT: {
    ...text,
    fault: (v, env) => {
      if (!v.includes('@')) return 'is an address that you read'
      if (parseAllowlist(env.get('RECIPIENT_ALLOWLIST'))(v)) return null
      return 'is not allowed by RECIPIENT_ALLOWLIST; add the address there'
    },
  },
  TEST_FROM_EMAIL: {
    ...text,
    fault: (v) => (v.includes('@') ? null : 'is an address that your sending service lets you use'),
  },
  TEST_FROM_NAME: text,
  TEST_POSTAL_ADDRESS: text,
  SIGNING_KEYS: { ...generated, fault: signingKeysFault },
  HASH_KEY: { ...generated, fault: (v) => longSecretFault(v, DEVELOPMENT_HASH_KEY) },
  BOOTSTRAP_SECRET: { ...generated, fault: (v) => longSecretFault(v, DEVELOPMENT_BOOTSTRAP_SECRET) },
  API_KEY: generated,
  TEST_CAMPAIGN: { ...generated, secret: false },
} satisfies Record<string, Field>

export type Setting = keyof typeof FIELDS
export type Settings = Record<Setting, string>

/**
 * Reads and judges deploy.env.
 *
 * @returns the settings, and one sentence per fault that names the field and what to do, never the value
 */
export async function readSettings(
  env: EnvFile,
  default_prefix: string,
): Promise<{ settings: Settings; faults: string[] }> {
  const settings = {} as Settings
  const faults: string[] = []
  for (const [name, field] of Object.entries(FIELDS) as [Setting, Field][]) {
    const value = env.get(name) || (name === 'PREFIX' ? default_prefix : name === 'SENDING' ? 'on' : '')
    settings[name] = name.endsWith('_URL') && !name.startsWith('DATABASE') ? value.replace(/\/+$/, '') : value
    if (value === '') {
      if (field.required) faults.push(`${name} is missing; deploy.env.example says where to get it`)
      continue
    }
    const fault = await field.fault(value, env)
    if (fault !== null) faults.push(`${name} ${fault}`)
  }
  // A misspelt name would be a setting silently not made.
  for (const name of env.names()) if (!(name in FIELDS)) faults.push(`${name} is no setting; see deploy.env.example`)
  return { settings, faults }
}

/** The values that nobody may see. */
export function secretValues(settings: Settings): string[] {
  const names = (Object.keys(FIELDS) as Setting[]).filter((name) => FIELDS[name].secret)
  const values = names.map((name) => settings[name]).filter((value) => value.length > 3)
  // Longest first: one may be part of another.
  return values.sort((a, b) => b.length - a.length)
}

function linkHostsFault(value: string): string | null {
  return parses(parseLinkHosts, value) ? null : 'is host names, comma separated: shop.example.com,*.example.net'
}

/** Whether the Worker, which reads the value with the same function, will take it. */
function parses(parse: (value: string) => unknown, value: string): boolean {
  try {
    parse(value)
    return true
  } catch {
    return false
  }
}

/** https, no path; http for a server on this computer. */
function originFault(value: string): string | null {
  if (!URL.canParse(value)) return 'is a URL like https://mail.example.com'
  const { protocol, hostname, pathname, search, hash, username } = new URL(value)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) return 'starts with https://'
  if (pathname !== '/' || search !== '' || hash !== '' || username !== '') return 'has nothing after the host'
  return null
}

export function isLoopback(hostname: string): boolean {
  return hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]'
}

function postgresFault(value: string): string | null {
  const known = URL.canParse(value) && ['postgres:', 'postgresql:'].includes(new URL(value).protocol)
  return known ? null : 'is a connection string: postgresql://user:password@host/database'
}

/** Neon's pooled hosts have `-pooler` in the first label. */
function pooledFault(value: string): string | null {
  const { hostname } = new URL(value)
  if (!hostname.endsWith('.neon.tech') || hostname.split('.')[0]?.endsWith('-pooler')) return null
  return 'is the direct string; take the one with "Connection pooling" on, whose host has -pooler in it'
}

function directFault(value: string): string | null {
  if (!new URL(value).hostname.split('.')[0]?.endsWith('-pooler')) return null
  return 'is the pooled string; take the one with "Connection pooling" off: migrations need a session'
}

function accountsFault(value: string): string | null {
  try {
    parseAccounts(value)
    return null
  } catch (error) {
    if (!(error instanceof AccountsError)) throw error
    return `is not right, or not on one line: ${error.message}`
  }
}

function signingKeysFault(value: string): Promise<string | null> {
  if (usesDevelopmentKeys('production', value)) return Promise.resolve('holds the development key; leave it empty once')
  return parseSigningKeys(value).then(
    () => null,
    (error: Error) => `is not right: ${error.message}`,
  )
}

function longSecretFault(value: string, development: string): string | null {
  if (value === development) return 'is the development secret; leave it empty once'
  return value.length < 32 ? 'is shorter than 32 characters; leave it empty once to have one made' : null
}
