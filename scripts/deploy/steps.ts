import { lookup } from 'node:dns/promises'
import { basename, join } from 'node:path'
import { migrate } from '../../local/migrate.ts'
import { Api } from './api.ts'
import { makeFirstKey } from './api-key.ts'
import { Cloudflare } from './cloudflare.ts'
import { type Addresses, type DerivedConfig, deriveConfigs, queueNames, writeConfigs } from './configs.ts'
import { checkDomains, customDomains } from './domains.ts'
import type { EnvFile } from './env-file.ts'
import { waitForHealth } from './health.ts'
import { createQueues } from './queues.ts'
import { makeSecrets, missingSecrets } from './secrets.ts'
import type { Settings } from './settings.ts'
import { workersSubdomain } from './subdomain.ts'
import { sendTestMail } from './test-mail.ts'
import { uploadWorker } from './upload.ts'

export interface DeployOptions {
  /** The repository. */
  root: string
  /** null is production, which deploy.env belongs to; staging belongs to deploy.staging.env. */
  environment: string | null
  dry_run: boolean
  print: (line: string) => void
  /** How PUBLIC_URL is reached. */
  fetch_public?: typeof fetch
  /** Whether a host has an address in DNS. */
  resolves?: (host: string) => Promise<boolean>
  /** How long health and the test mail may each take. */
  patience_ms?: number
}

export interface Step {
  name: string
  /** What a run would do, for a dry run. */
  plan: () => string[]
  /** Does it, unless it was done before. @returns what was done */
  run: () => Promise<string>
}

/** The whole deployment, in its order. */
export function deploymentSteps(options: DeployOptions, env: EnvFile, settings: Settings): Step[] {
  const { root, fetch_public = fetch, resolves = hasAddress, patience_ms = 180_000 } = options
  const cloudflare = new Cloudflare(settings.CLOUDFLARE_ACCOUNT_ID, settings.CLOUDFLARE_API_TOKEN)
  const folder = join(root, '.local', 'deploy')

  // Known from the settings, or, on workers.dev, once the account's subdomain is known.
  let addresses = addressesOf(settings, settings.WORKERS_SUBDOMAIN || '<your subdomain>')
  const configs = (): DerivedConfig[] => deriveConfigs(root, settings, addresses)
  const upload = (role: DerivedConfig['role']): Step => ({
    name: `deploy emk-${role}`.replace('emk-', `${settings.PREFIX}-`),
    plan: () => {
      const { config, secrets } = workerOf(configs(), role)
      return [...JSON.stringify(config, null, 2).split('\n'), `secrets: ${secrets.join(', ')}`]
    },
    run: async () => {
      const worker = workerOf(configs(), role)
      await uploadWorker(worker, writeConfigs(folder, configs())[role], settings)
      return `done, with ${worker.secrets.length} secrets`
    },
  })
  const keep = (name: 'API_KEY' | 'TEST_CAMPAIGN', value: string) => {
    settings[name] = value
    env.set(name, value)
  }

  return [
    {
      name: 'secrets',
      plan: () => missingSecrets(settings).map((name) => `make ${name} and write it to ${basename(env.path)}`),
      run: async () => {
        const made = makeSecrets(env, settings)
        return made.length > 0 ? `made ${made.join(', ')}; keep ${basename(env.path)} safe` : 'all there'
      },
    },
    {
      name: 'addresses',
      plan: () => [
        `API and pages at ${addresses.public_url}, tracking at ${addresses.tracking_url}`,
        ...(settings.PUBLIC_URL === '' ? ['ask Cloudflare for the account’s workers.dev subdomain'] : []),
        ...customDomains(configs()).map(
          ({ host, worker }) => `${host} becomes a custom domain of ${worker}, if it is free`,
        ),
      ],
      run: async () => {
        if (settings.PUBLIC_URL === '') {
          addresses = addressesOf(settings, await workersSubdomain(cloudflare, settings.WORKERS_SUBDOMAIN))
        }
        await checkDomains(cloudflare, configs(), resolves)
        return `API and pages at ${addresses.public_url}, tracking at ${addresses.tracking_url}`
      },
    },
    {
      name: 'queues',
      plan: () => queueNames(configs()).map((name) => `create ${name}, unless it is there`),
      run: async () => {
        const created = await createQueues(cloudflare, queueNames(configs()))
        return created.length > 0 ? `created ${created.join(', ')}` : 'all there'
      },
    },
    {
      name: 'migrate',
      plan: () => [
        `apply drizzle/ to the database of DATABASE_URL_DIRECT (${new URL(settings.DATABASE_URL_DIRECT).hostname})`,
      ],
      run: async () => {
        await migrate(settings.DATABASE_URL_DIRECT)
        return 'the database is up to date'
      },
    },
    upload('tracking'),
    upload('sender'),
    upload('api'),
    {
      name: 'health',
      plan: () => [`wait for ${addresses.public_url}/health and for a picture from ${addresses.tracking_url}/t/o/`],
      run: async () => {
        await waitForHealth(addresses, fetch_public, patience_ms)
        return `${addresses.public_url}/health is well, and so is tracking`
      },
    },
    {
      name: 'API key',
      plan: () =>
        settings.API_KEY === ''
          ? [`make the first API key and write it to ${basename(env.path)} as API_KEY`]
          : ['there is one'],
      run: async () => {
        if (settings.API_KEY !== '') return 'there is one'
        keep('API_KEY', await makeFirstKey(settings, addresses.public_url, fetch_public))
        return `made, and written to ${basename(env.path)} as API_KEY`
      },
    },
    {
      name: 'test mail',
      plan: () =>
        settings.SENDING === 'off'
          ? ['none: SENDING is off']
          : [`send one mail to ${settings.TEST_RECIPIENT}, unless it was sent before`],
      run: async () => {
        if (settings.SENDING === 'off') return 'none: SENDING is off'
        const api = new Api(addresses.public_url, settings.API_KEY, fetch_public)
        return sendTestMail(api, settings, (id) => keep('TEST_CAMPAIGN', id), patience_ms)
      },
    },
    {
      name: 'next',
      plan: () => ['say what to do next'],
      run: async () => nextSteps(addresses, settings),
    },
  ]
}

function addressesOf(settings: Settings, subdomain: string): Addresses {
  const public_url = settings.PUBLIC_URL || `https://${settings.PREFIX}-api.${subdomain}.workers.dev`
  return { public_url, tracking_url: settings.TRACKING_URL || public_url }
}

function workerOf(configs: readonly DerivedConfig[], role: DerivedConfig['role']): DerivedConfig {
  const found = configs.find((config) => config.role === role)
  if (found === undefined) throw new Error(`no wrangler file for ${role}`)
  return found
}

async function hasAddress(host: string): Promise<boolean> {
  return lookup(host).then(
    () => true,
    () => false,
  )
}

function nextSteps({ public_url }: Addresses, settings: Settings): string {
  const lines = [
    `read the API at ${public_url}/docs and use it with API_KEY`,
    'set up your own sender (POST /api/v1/senders), lists and templates',
    'point your sending service’s events at /webhooks and mail for bounces at emk-sender (see README)',
  ]
  if (settings.RECIPIENT_ALLOWLIST !== '*') {
    lines.push(
      `only ${settings.RECIPIENT_ALLOWLIST} can be mailed: set RECIPIENT_ALLOWLIST=* and run again when you are ready`,
    )
  }
  return ['what to do next', ...lines.map((line) => `  - ${line}`)].join('\n')
}
