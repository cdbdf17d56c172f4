// `npm run deploy` against a local recorder of Cloudflare's API, real Postgres and real SMTP; what was uploaded then runs.
import { readdirSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Miniflare } from 'miniflare'
import { Client } from 'pg'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest'
import { EnvFile } from '../../scripts/deploy/env-file.ts'
import { waitForHealth } from '../../scripts/deploy/health.ts'
import { deploy } from '../../scripts/deploy/run.ts'
import { Checkout } from '../support/checkout.ts'
import { CloudflareRecorder } from '../support/cloudflare-recorder.ts'
import { COMPLETE, envText } from '../support/deploy-env.ts'
import { startDeployed } from '../support/deployed-workers.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'

const DEPLOY_TIMEOUT_MS = 180_000
const FILES = ['wrangler.toml', 'wrangler.sender.toml', 'wrangler.tracking.toml']

/** Entries that build in no time, for tests that are about the deployment and not about what is deployed. */
const SMALL_ENTRIES = {
  'workers/api.ts': 'export default {}',
  'workers/tracking.ts': 'export default {}',
  'workers/sender.ts': `import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'
export class AccountGate extends DurableObject {}
export class SenderRpc extends WorkerEntrypoint {}
export default {}`,
}

/** An inbox that takes everything. */
let mails: { to: string[]; text: string }[] = []
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData(stream, session, done) {
    let text = ''
    stream.on('data', (chunk) => {
      text += chunk
    })
    stream.on('end', () => {
      mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text })
      done()
    })
  },
})
let recorder: CloudflareRecorder
let redis: TestRedis

beforeAll(async () => {
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
})
afterAll(() => new Promise<void>((resolve) => smtp.close(() => resolve())))

beforeEach(async () => {
  mails = []
  redis = openTestRedis()
  recorder = await CloudflareRecorder.start(COMPLETE.CLOUDFLARE_API_TOKEN)
  process.env.CLOUDFLARE_API_BASE_URL = recorder.url
  onTestFinished(async () => {
    delete process.env.CLOUDFLARE_API_BASE_URL
    await recorder.close()
    await redis.close()
  })
})

interface Behaviour {
  /** The hosts have DNS records already. */
  in_dns?: boolean
  /** What small Workers answer at /health instead of being well. */
  health?: object
}

/** A stranger's computer: a checkout with a filled-in deploy.env, and an empty database. */
class Stranger {
  readonly checkout: Checkout
  lines: string[] = []
  readonly #small: boolean
  #deployed: Miniflare | undefined

  private constructor(env_text: string, small: boolean) {
    this.#small = small
    this.checkout = new Checkout(small ? FILES : [...FILES, 'workers', 'src'])
    if (small) for (const [path, text] of Object.entries(SMALL_ENTRIES)) this.checkout.write(path, text)
    this.checkout.write('deploy.env', env_text)
    onTestFinished(() => this.#deployed?.dispose())
  }

  /** With the Workers as they are. */
  static async arrive(changes: Record<string, string> = {}): Promise<Stranger> {
    const { port } = smtp.server.address() as AddressInfo
    const account = { name: 'inbox', kind: 'smtp', host: '127.0.0.1', port, tls: 'none' }
    return Stranger.#arrive({ ACCOUNTS: JSON.stringify([account]), ...changes }, false)
  }

  /** With small Workers: their health is taken as good, the key as made, and no mail is sent. */
  static async arriveSmall(changes: Record<string, string> = {}): Promise<Stranger> {
    return Stranger.#arrive({ API_KEY: 'emk_made-before', SENDING: 'off', ...changes }, true)
  }

  static async #arrive(changes: Record<string, string>, small: boolean): Promise<Stranger> {
    const name = `deploy_${crypto.randomUUID().replaceAll('-', '')}`
    const server = new Client({ connectionString: inject('postgres') })
    await server.connect()
    await server.query(`create database ${name}`)
    onTestFinished(async () => {
      await server.query(`drop database ${name} with (force)`)
      await server.end()
    })
    const url = inject('postgres').replace(/postgres$/, name)
    const own = {
      DATABASE_URL: url,
      DATABASE_URL_DIRECT: url,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: redis.token,
      // Redis is shared by all tests, and the prefix of its keys follows from this.
      PREFIX: `p${crypto.randomUUID().slice(0, 8)}`,
    }
    return new Stranger(envText({ ...own, ...changes }), small)
  }

  get env(): EnvFile {
    return new EnvFile(join(this.checkout.root, 'deploy.env'))
  }

  set(name: string, value: string): void {
    this.env.set(name, value)
  }

  /** Runs the deployment; the Workers it uploads answer at PUBLIC_URL from the moment emk-api is there. */
  async deploy({ in_dns = false, health }: Behaviour = {}): Promise<boolean> {
    this.lines = []
    await this.#deployed?.dispose()
    this.#deployed = undefined
    return deploy({
      root: this.checkout.root,
      environment: null,
      dry_run: false,
      print: (line) => this.lines.push(line),
      resolves: async () => in_dns,
      patience_ms: this.#small ? 0 : 30_000,
      fetch_public: (async (input: string, init?: RequestInit) => {
        if (this.#small && input.includes('/t/o/'))
          return new Response(null, { headers: { 'Content-Type': 'image/gif' } })
        if (this.#small) return Response.json(health ?? {}, { status: health === undefined ? 200 : 503 })
        const api = `${this.env.get('PREFIX')}-api`
        this.#deployed ??= await startDeployed(recorder, api, { NEON_PROXY: inject('neon') })
        return this.#deployed.dispatchFetch(input, init as never)
      }) as unknown as typeof fetch,
    })
  }

  /** All that the deployment wrote besides deploy.env. */
  get leftBehind(): string {
    const folder = join(this.checkout.root, '.local', 'deploy')
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      .join('\n')
  }

  get said(): string {
    return this.lines.join('\n')
  }
}

/** What the changes did, without the particulars: `PUT emk-api`, `POST queue emk-sends`. */
function acts(prefix: string): string[] {
  return recorder.calls
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path, body }) => {
      const name = path === '/queues' ? (body as { queue_name: string }).queue_name : ''
      return `${method} ${path}${name && ` ${name}`}`.replaceAll(prefix, 'emk')
    })
}

const secret = (worker: string, name: string) =>
  recorder.workers.get(worker)?.bindings.find((binding) => binding.name === name && binding.type === 'secret_text')
    ?.text

describe('npm run deploy', { timeout: DEPLOY_TIMEOUT_MS }, () => {
  test('takes an empty account to a sent test mail; a further run creates nothing and mails nobody', async () => {
    const stranger = await Stranger.arrive({ TEST_FROM_EMAIL: 'news@@example.com' })
    const prefix = stranger.env.get('PREFIX')
    expect(await stranger.deploy()).toBe(false)
    expect(stranger.said).toMatch(/test mail: FAILED\n.*from_email/)

    // Order: queues (dead-letter queues first), then tracking, sender, api, each with its triggers.
    const done = acts(prefix)
    expect(done.slice(0, 10)).toEqual(
      [
        ...['sends-dead', 'transactional-dead', 'dispatch-dead', 'events-dead', 'webhooks-dead'],
        ...['sends', 'transactional', 'dispatch', 'events', 'webhooks'],
      ].map((queue) => `POST /queues emk-${queue}`),
    )
    expect(done.filter((act) => /^PUT \/workers\/scripts\/[^/]+$/.test(act))).toEqual([
      'PUT /workers/scripts/emk-tracking',
      'PUT /workers/scripts/emk-sender',
      'PUT /workers/scripts/emk-api',
    ])
    expect(recorder.workers.get(`${prefix}-tracking`)?.routes).toEqual(['mail.example.com/t/*', 'mail.example.com/u/*'])
    expect(recorder.workers.get(`${prefix}-api`)).toMatchObject({
      domains: ['mail.example.com'],
      schedules: ['* * * * *'],
    })
    expect([...recorder.queues.values()].map(({ consumers }) => consumers.length)).toEqual(Array(10).fill(1))

    // Secrets: with the first upload, the same keys for all three, and no more than each Worker needs.
    const keys = ['tracking', 'sender', 'api'].map((role) => secret(`${prefix}-${role}`, 'SIGNING_KEYS'))
    expect(keys).toEqual(Array(3).fill(stranger.env.get('SIGNING_KEYS')))
    expect(keys[0]).toMatch(/^1:signing:/)
    expect(secret(`${prefix}-tracking`, 'DATABASE_URL')).toBeUndefined()
    expect(secret(`${prefix}-api`, 'ACCOUNTS')).toBeUndefined()
    for (const name of ['SIGNING_KEYS', 'HASH_KEY', 'BOOTSTRAP_SECRET', 'API_KEY', 'UPSTASH_REDIS_REST_TOKEN']) {
      expect(stranger.said).not.toContain(stranger.env.get(name))
      expect(stranger.leftBehind).not.toContain(stranger.env.get(name))
    }
    expect(stranger.leftBehind).toContain(`"${prefix}-api"`)

    // The rest, once deploy.env is right: the mail, through the Workers that were uploaded.
    const key = stranger.env.get('API_KEY')
    expect(key).toMatch(/^emk_/)
    stranger.set('TEST_FROM_EMAIL', COMPLETE.TEST_FROM_EMAIL)
    recorder.calls.length = 0
    expect(await stranger.deploy(), stranger.said).toBe(true)
    expect(acts(prefix).filter((act) => act.startsWith('POST /queues'))).toEqual([])
    expect([...recorder.workers.values()].map(({ versions }) => versions)).toEqual([2, 2, 2])
    expect(stranger.env.get('API_KEY')).toBe(key)
    expect(stranger.said).not.toContain(key)
    expect(mails).toHaveLength(1)
    expect(mails[0]?.to).toEqual([COMPLETE.TEST_RECIPIENT])
    expect(mails[0]?.text.replaceAll('=\r\n', '')).toContain('https://mail.example.com/t/')

    const kept = stranger.checkout.read('deploy.env')
    expect(await stranger.deploy(), stranger.said).toBe(true)
    expect(stranger.said).toContain('in an earlier run')
    expect(stranger.checkout.read('deploy.env')).toBe(kept)
    expect(mails).toHaveLength(1)
  })

  test('a failure names its step, whichever it is; the next run goes on, and the end is the same', async () => {
    const stranger = await Stranger.arriveSmall()
    const prefix = stranger.env.get('PREFIX')
    const failures: [step: string, call: RegExp, calls_before: number][] = [
      ['queues', /^POST \/queues$/, 2],
      ['deploy emk-tracking', /^PUT .*-tracking$/, 0],
      ['deploy emk-sender', /^POST \/queues\/.*-sends\/consumers$/, 0],
      ['deploy emk-api', /^PUT .*-api\/schedules$/, 0],
    ]
    const keys: string[] = []
    for (const [step, pattern, calls_before] of failures) {
      let met = 0
      recorder.refuse = ({ method, path }) => pattern.test(`${method} ${path}`) && ++met > calls_before
      expect(await stranger.deploy()).toBe(false)
      expect(stranger.lines.at(-3)?.replace(prefix, 'emk')).toMatch(new RegExp(`^\\d+/11 ${step}: FAILED$`))
      expect(stranger.said).toContain('refused by the test')
      expect(stranger.lines.at(-1)).toMatch(/run the same command again/)
      keys.push(stranger.env.get('SIGNING_KEYS'))
    }
    recorder.refuse = () => false
    expect(await stranger.deploy(), stranger.said).toBe(true)
    // The recorder refuses a queue or a consumer that is made twice.
    expect([...recorder.queues.values()].map(({ consumers }) => consumers.length)).toEqual(Array(10).fill(1))
    keys.push(...['tracking', 'sender', 'api'].map((role) => secret(`${prefix}-${role}`, 'SIGNING_KEYS') ?? ''))
    expect(new Set(keys).size).toBe(1)
    expect(keys[0]).toMatch(/^1:signing:/)
  })

  test('a new account takes the workers.dev name it asks for, and is told when it asks for none', async () => {
    recorder.subdomain = null
    const stranger = await Stranger.arriveSmall({ PUBLIC_URL: '' })
    expect(await stranger.deploy()).toBe(false)
    expect(stranger.said).toContain('set WORKERS_SUBDOMAIN')
    expect(recorder.changes).toEqual([])

    stranger.set('WORKERS_SUBDOMAIN', 'acme-mail')
    expect(await stranger.deploy(), stranger.said).toBe(true)
    const prefix = stranger.env.get('PREFIX')
    const exposed = [...recorder.workers].filter(([, { workers_dev }]) => workers_dev).map(([name]) => name)
    expect(exposed).toEqual([`${prefix}-api`])
    const { bindings = [] } = recorder.workers.get(`${prefix}-tracking`) ?? {}
    for (const name of ['PUBLIC_URL', 'TRACKING_URL']) {
      expect(bindings).toContainEqual({ type: 'plain_text', name, text: `https://${prefix}-api.acme-mail.workers.dev` })
    }
  })

  test.each([
    ['has a DNS record', new Map<string, string>(), true, 'already has a DNS record'],
    [
      'belongs to another Worker',
      new Map([['mail.example.com', 'website']]),
      false,
      'custom domain of the Worker website',
    ],
  ])('a host that %s is not taken', async (_what, domains, in_dns, said) => {
    for (const [host, worker] of domains) recorder.domains.set(host, worker)
    const stranger = await Stranger.arriveSmall()
    expect(await stranger.deploy({ in_dns })).toBe(false)
    expect(stranger.said).toContain(said)
    expect(recorder.changes).toEqual([])
  })

  test('a wrong token and an unreachable database are told apart', async () => {
    const stranger = await Stranger.arriveSmall({ CLOUDFLARE_API_TOKEN: 'another-token' })
    expect(await stranger.deploy()).toBe(false)
    expect(stranger.said).toMatch(/addresses: FAILED\n.*CLOUDFLARE_API_TOKEN is not right/)
    expect(stranger.said).not.toContain('another-token')

    stranger.set('CLOUDFLARE_API_TOKEN', COMPLETE.CLOUDFLARE_API_TOKEN)
    stranger.set('DATABASE_URL_DIRECT', 'postgresql://owner:hidden-word@127.0.0.1:1/kit')
    expect(await stranger.deploy()).toBe(false)
    expect(stranger.said).toMatch(/migrate: FAILED\n.*ECONNREFUSED/)
    expect(stranger.said).not.toContain('hidden-word')
  })

  test('Workers that stay unwell are named with what they lack', async () => {
    const stranger = await Stranger.arriveSmall()
    expect(await stranger.deploy({ health: { status: 'failing', database: 'unreachable', redis: 'ok' } })).toBe(false)
    expect(stranger.said).toMatch(/health: FAILED\n.*is DATABASE_URL right/)
    // The other half of the same step, without a second deployment.
    const addresses = { public_url: 'https://mail.example.com', tracking_url: 'https://go.example.com' }
    const answer = async (url: string) =>
      url.startsWith('https://go.')
        ? new Response('a page', { headers: { 'Content-Type': 'text/html' } })
        : Response.json({})
    await expect(waitForHealth(addresses, answer as typeof fetch, 0)).rejects.toThrow(
      /^https:\/\/go\.example\.com\/t\/o\/.*emk-tracking does not answer here/,
    )
  })
})
