import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readWranglerConfig, type WranglerConfig } from '../wrangler-config.ts'
import { isLoopback, type Settings } from './settings.ts'

/** In the order of deployment: a service binding's target must be there before what is bound to it. */
export const WORKERS = ['tracking', 'sender', 'api'] as const
export type WorkerRole = (typeof WORKERS)[number]

const FILES: Record<WorkerRole, string> = {
  tracking: 'wrangler.tracking.toml',
  sender: 'wrangler.sender.toml',
  api: 'wrangler.toml',
}

/** What the tracked files call everything. */
const TRACKED_PREFIX = 'emk'

export interface DerivedConfig {
  role: WorkerRole
  name: string
  config: WranglerConfig
  /** Names of the secrets this Worker cannot do without, and of those it may have and is given. */
  secrets: string[]
}

export interface Addresses {
  public_url: string
  tracking_url: string
}

/** The tracked wrangler files with this deployment's names, addresses and values put in. Reads them, never writes them. */
export function deriveConfigs(root: string, settings: Settings, addresses: Addresses): DerivedConfig[] {
  return WORKERS.map((role) => {
    const tracked = readWranglerConfig(join(root, FILES[role]))
    const rename = (name: string) => name.replace(new RegExp(`^${TRACKED_PREFIX}-`), `${settings.PREFIX}-`)
    const config: WranglerConfig = {
      ...tracked,
      name: rename(tracked.name),
      main: resolve(root, tracked.main),
      account_id: settings.CLOUDFLARE_ACCOUNT_ID,
      vars: {
        ...tracked.vars,
        PUBLIC_URL: addresses.public_url,
        TRACKING_URL: addresses.tracking_url,
        RECIPIENT_ALLOWLIST: settings.RECIPIENT_ALLOWLIST,
        LINK_HOSTS: settings.LINK_HOSTS,
        MAIL_DOMAIN: settings.MAIL_DOMAIN,
        SNS_TOPICS: settings.SNS_TOPICS,
        SENDGRID_WEBHOOK_KEYS: settings.SENDGRID_WEBHOOK_KEYS,
        TURNSTILE_SITE_KEY: settings.TURNSTILE_SITE_KEY,
        SENDING: settings.SENDING,
        ...(settings.EVENT_RETENTION_DAYS && { EVENT_RETENTION_DAYS: settings.EVENT_RETENTION_DAYS }),
        REDIS_PREFIX: `${settings.PREFIX}:`,
      },
      ...exposure(role, addresses),
    }
    if (tracked.services) {
      config.services = tracked.services.map((bound) => ({ ...bound, service: rename(bound.service) }))
    }
    if (tracked.queues) {
      config.queues = {
        producers: (tracked.queues.producers ?? []).map((end) => ({
          ...end,
          ...(end.queue && { queue: rename(end.queue) }),
        })),
        consumers: (tracked.queues.consumers ?? []).map((end) => ({
          ...end,
          queue: rename(end.queue),
          ...(end.dead_letter_queue && { dead_letter_queue: rename(end.dead_letter_queue) }),
        })),
      }
    }
    const optional = role === 'api' && settings.TURNSTILE_SECRET ? ['TURNSTILE_SECRET'] : []
    return { role, name: config.name, config, secrets: [...(tracked.secrets?.required ?? []), ...optional] }
  })
}

/**
 * Where a Worker can be reached from outside. emk-sender: nowhere. Without a domain, emk-api alone, on workers.dev; it
 * hands /t and /u to emk-tracking. On one domain, routes for /t and /u go before emk-api's custom domain. A tracking
 * domain of its own belongs to emk-tracking.
 */
function exposure(role: WorkerRole, { public_url, tracking_url }: Addresses): Partial<WranglerConfig> {
  const hosts = { public: ownHost(public_url), tracking: ownHost(tracking_url) }
  if (role === 'sender') return { workers_dev: false }
  if (role === 'api') {
    if (hosts.public === null)
      return { workers_dev: URL.canParse(public_url) && isWorkersDev(new URL(public_url).hostname) }
    return { workers_dev: false, routes: [{ pattern: hosts.public, custom_domain: true }] }
  }
  if (hosts.tracking === null) return { workers_dev: false }
  if (hosts.tracking !== hosts.public) {
    return { workers_dev: false, routes: [{ pattern: hosts.tracking, custom_domain: true }] }
  }
  return { workers_dev: false, routes: [`${hosts.tracking}/t/*`, `${hosts.tracking}/u/*`] }
}

function ownHost(url: string): string | null {
  if (!URL.canParse(url)) return null
  const { hostname } = new URL(url)
  return isWorkersDev(hostname) || isLoopback(hostname) ? null : hostname
}

function isWorkersDev(hostname: string): boolean {
  return hostname.endsWith('.workers.dev')
}

/** Every queue the three Workers name, dead-letter queues first: a queue must be there before it is named as such. */
export function queueNames(configs: readonly DerivedConfig[]): string[] {
  const consumers = configs.flatMap(({ config }) => config.queues?.consumers ?? [])
  const producers = configs.flatMap(({ config }) => config.queues?.producers ?? [])
  const dead = consumers.flatMap((consumer) => consumer.dead_letter_queue ?? [])
  return [...new Set([...dead, ...consumers.map((end) => end.queue), ...producers.map((end) => end.queue)])]
}

/** Writes the derived files. @returns the path of each Worker's file */
export function writeConfigs(folder: string, configs: readonly DerivedConfig[]): Record<WorkerRole, string> {
  mkdirSync(folder, { recursive: true })
  const paths = {} as Record<WorkerRole, string>
  for (const { role, name, config } of configs) {
    paths[role] = join(folder, `${name}.json`)
    writeFileSync(paths[role], `${JSON.stringify(config, null, 2)}\n`)
  }
  return paths
}
