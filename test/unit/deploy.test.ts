import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WRANGLER_FILES } from '../../scripts/check/wrangler-files.ts'
import { deriveConfigs, queueNames } from '../../scripts/deploy/configs.ts'
import { EnvFile } from '../../scripts/deploy/env-file.ts'
import { deploy } from '../../scripts/deploy/run.ts'
import { makeSecrets } from '../../scripts/deploy/secrets.ts'
import { readSettings, type Settings } from '../../scripts/deploy/settings.ts'
import { DEVELOPMENT_HASH_KEY, DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { Checkout } from '../support/checkout.ts'
import { CloudflareRecorder } from '../support/cloudflare-recorder.ts'
import { COMPLETE, envText } from '../support/deploy-env.ts'

function envFile(text: string): EnvFile {
  const checkout = new Checkout([])
  checkout.write('deploy.env', text)
  return new EnvFile(join(checkout.root, 'deploy.env'))
}

async function settingsOf(changes: Record<string, string>): Promise<Settings> {
  const { settings, faults } = await readSettings(envFile(envText(changes)), 'emk')
  expect(faults).toEqual([])
  return settings
}

describe('deploy.env', () => {
  test('a value is the rest of its line, whatever it holds', () => {
    const env = envFile('A=1\n# B=no\n B = two words # and more \r\nC=[{"p":"a=b#c"}]\nD="quoted"\nE=\'\nA=last\n')
    expect([...'ABCDEF'].map((name) => env.get(name))).toEqual([
      'last',
      'two words # and more',
      '[{"p":"a=b#c"}]',
      'quoted',
      "'",
      '',
    ])
  })

  test('writing a value keeps every other line, and the file is for its owner only', () => {
    const env = envFile('# first\nA=1\n\nB=\n')
    env.set('B', 'two')
    env.set('C', 'three')
    const again = new EnvFile(env.path)
    expect([again.get('A'), again.get('B'), again.get('C')]).toEqual(['1', 'two', 'three'])
    expect(again.names()).toEqual(['A', 'B', 'C'])
    if (process.platform !== 'win32') expect(statSync(env.path).mode & 0o777).toBe(0o600)
    expect(() => env.set('A', 'two\nlines')).toThrow('A would take more than one line')
  })

  test('the example names exactly the settings there are', async () => {
    const example = new EnvFile(join(new Checkout(['deploy.env.example']).root, 'deploy.env.example'))
    const { settings, faults } = await readSettings(example, 'emk')
    expect(example.names().sort()).toEqual(Object.keys(settings).sort())
    expect(faults.every((fault) => fault.includes(' is missing; '))).toBe(true)
    const required = Object.keys(COMPLETE).filter((name) => name !== 'PUBLIC_URL')
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(required)
  })

  test.each([
    ['CLOUDFLARE_ACCOUNT_ID', 'my account', 'is 32 characters'],
    ['PREFIX', 'Emk', 'is 2 to 32 small letters'],
    ['WORKERS_SUBDOMAIN', 'acme.workers.dev', 'without .workers.dev'],
    ['PUBLIC_URL', 'mail.shop.example', 'is a URL like https://'],
    ['PUBLIC_URL', 'http://mail.example.com', 'starts with https://'],
    ['TRACKING_URL', 'https://mail.example.com/t', 'has nothing after the host'],
    ['DATABASE_URL', 'mysql://u:p@h/d', 'is a connection string'],
    ['DATABASE_URL', 'postgresql://u:p@ep-one.eu-central-1.aws.neon.tech/d', 'has -pooler in it'],
    ['DATABASE_URL_DIRECT', 'postgresql://u:p@ep-one-pooler.eu-central-1.aws.neon.tech/d', 'migrations need a session'],
    ['UPSTASH_REDIS_REST_URL', 'rediss://x.upstash.io:6379', 'is the REST URL'],
    ['ACCOUNTS', '[{"name":"main",', 'is not right, or not on one line'],
    ['ACCOUNTS', '[{"name":"main","kind":"smtp","host":"h.example","port":25}]', 'port'],
    ['TEST_RECIPIENT', 'somebody@else.example', 'is not allowed by RECIPIENT_ALLOWLIST'],
    ['SENDING', 'maybe', 'is on or off'],
    ['LINK_HOSTS', 'https://shop.example.com', 'is host names'],
    ['SIGNING_KEYS', DEVELOPMENT_SIGNING_KEYS, 'holds the development key'],
    ['SIGNING_KEYS', '1:signing:short', 'is not right'],
    ['HASH_KEY', DEVELOPMENT_HASH_KEY, 'is the development secret'],
    ['BOOTSTRAP_SECRET', 'short', 'is shorter than 32 characters'],
    ['PUBLIC_URI', 'https://mail.example.com', 'is no setting'],
  ])('%s=%s is named with what to do, without its value', async (name, value, said) => {
    const { faults } = await readSettings(envFile(envText({ [name]: value })), 'emk')
    expect(faults).toEqual([expect.stringMatching(new RegExp(`^${name} .*${said}`))])
    if (value.length > 8) expect(faults.join()).not.toContain(value)
  })

  test.each(Object.keys(COMPLETE).filter((name) => name !== 'PUBLIC_URL'))('%s missing is named', async (name) => {
    const { faults } = await readSettings(envFile(envText({ [name]: '' })), 'emk')
    expect(faults.join('\n')).toContain(`${name} is missing`)
  })
})

test('secrets are made once, are good, and are kept', async () => {
  const env = envFile(envText({ HASH_KEY: 'a hash key that somebody chose themselves' }))
  const { settings } = await readSettings(env, 'emk')
  expect(makeSecrets(env, settings)).toEqual(['SIGNING_KEYS', 'BOOTSTRAP_SECRET'])
  await expect(parseSigningKeys(settings.SIGNING_KEYS)).resolves.toMatchObject({ signing: { id: 1 } })
  const again = await readSettings(new EnvFile(env.path), 'emk')
  expect(again.faults).toEqual([])
  expect(again.settings).toEqual(settings)
  expect(makeSecrets(env, again.settings)).toEqual([])
})

describe('derived wrangler files', () => {
  const derive = async (changes: Record<string, string>) => {
    const checkout = new Checkout(WRANGLER_FILES)
    const hash = () => WRANGLER_FILES.map((file) => createHash('sha256').update(checkout.read(file)).digest('hex'))
    const before = hash()
    const settings = await settingsOf(changes)
    const configs = deriveConfigs(checkout.root, settings, {
      public_url: settings.PUBLIC_URL,
      tracking_url: settings.TRACKING_URL || settings.PUBLIC_URL,
    })
    expect(hash()).toEqual(before)
    return configs
  }

  test('the secret of Turnstile goes to emk-api alone, and only when there is one', async () => {
    const has = async (changes: Record<string, string>) =>
      (await derive(changes)).map(({ secrets }) => secrets.includes('TURNSTILE_SECRET'))
    expect(await has({})).toEqual([false, false, false])
    expect(await has({ TURNSTILE_SITE_KEY: '1x00', TURNSTILE_SECRET: '1x0A' })).toEqual([false, false, true])
    const { faults } = await readSettings(envFile(envText({ TURNSTILE_SITE_KEY: '1x00' })), 'emk')
    expect(faults).toEqual(['TURNSTILE_SITE_KEY needs TURNSTILE_SECRET too'])
  })

  test('every name carries the prefix, and the order is tracking, sender, api', async () => {
    const configs = await derive({ PREFIX: 'shop-staging' })
    expect(configs.map(({ name }) => name)).toEqual([
      'shop-staging-tracking',
      'shop-staging-sender',
      'shop-staging-api',
    ])
    expect(JSON.stringify(configs)).not.toMatch(/"emk-|"emk:/)
    expect(configs.map(({ config }) => config.vars?.REDIS_PREFIX)).toEqual(Array(3).fill('shop-staging:'))
    expect(configs[2]?.config.services).toContainEqual({
      binding: 'SENDER',
      service: 'shop-staging-sender',
      entrypoint: 'SenderRpc',
    })
  })

  test('a queue comes after the dead-letter queue that it names', async () => {
    const queues = queueNames(await derive({}))
    expect([...queues].sort()).toEqual([
      'emk-dispatch',
      'emk-dispatch-dead',
      'emk-events',
      'emk-events-dead',
      'emk-sends',
      'emk-sends-dead',
      'emk-transactional',
      'emk-transactional-dead',
      'emk-webhooks',
      'emk-webhooks-dead',
    ])
    for (const name of ['emk-dispatch', 'emk-events', 'emk-sends', 'emk-transactional', 'emk-webhooks']) {
      expect(queues.indexOf(name)).toBeGreaterThan(queues.indexOf(`${name}-dead`))
    }
  })

  test.each([
    [
      'workers.dev',
      'https://emk-api.acme.workers.dev',
      '',
      [{ workers_dev: false }, { workers_dev: false }, { workers_dev: true }],
    ],
    [
      'one domain',
      'https://mail.example.com',
      '',
      [
        { workers_dev: false, routes: ['mail.example.com/t/*', 'mail.example.com/u/*'] },
        { workers_dev: false },
        { workers_dev: false, routes: [{ pattern: 'mail.example.com', custom_domain: true }] },
      ],
    ],
    [
      'a tracking domain',
      'https://mail.example.com',
      'https://go.example.com',
      [
        { workers_dev: false, routes: [{ pattern: 'go.example.com', custom_domain: true }] },
        { workers_dev: false },
        { workers_dev: false, routes: [{ pattern: 'mail.example.com', custom_domain: true }] },
      ],
    ],
  ])('on %s', async (_what, PUBLIC_URL, TRACKING_URL, exposed) => {
    const configs = await derive({ PUBLIC_URL, TRACKING_URL })
    expect(configs.map(({ config: { workers_dev, routes } }) => ({ workers_dev, ...(routes && { routes }) }))).toEqual(
      exposed,
    )
  })
})

describe('a dry run', () => {
  test('shows every step, no secret, calls nobody and changes nothing', async () => {
    const recorder = await CloudflareRecorder.start(COMPLETE.CLOUDFLARE_API_TOKEN)
    process.env.CLOUDFLARE_API_BASE_URL = recorder.url
    try {
      const checkout = new Checkout(WRANGLER_FILES)
      checkout.write('deploy.env', envText({}))
      const lines: string[] = []
      const reached: string[] = []
      const well = await deploy({
        root: checkout.root,
        environment: null,
        dry_run: true,
        print: (line) => lines.push(line),
        fetch_public: async (input) => {
          reached.push(String(input))
          throw new Error('not in a dry run')
        },
      })
      expect(well).toBe(true)
      const shown = lines.join('\n')
      for (const piece of [
        'make SIGNING_KEYS',
        'create emk-sends-dead',
        '"emk-tracking"',
        '"emk-sender"',
        '"emk-api"',
        'first API key',
        COMPLETE.TEST_RECIPIENT,
      ]) {
        expect(shown).toContain(piece)
      }
      for (const name of ['CLOUDFLARE_API_TOKEN', 'DATABASE_URL', 'UPSTASH_REDIS_REST_TOKEN', 'ACCOUNTS'] as const) {
        expect(shown).not.toContain(COMPLETE[name])
      }
      expect(recorder.calls).toEqual([])
      expect(reached).toEqual([])
      expect(checkout.read('deploy.env')).toBe(envText({}))
    } finally {
      delete process.env.CLOUDFLARE_API_BASE_URL
      await recorder.close()
    }
  })
})

test('staging may not take the names or the database of production', async () => {
  const checkout = new Checkout(WRANGLER_FILES)
  checkout.write('deploy.env', envText({}))
  checkout.write('deploy.staging.env', envText({ PREFIX: 'emk' }))
  const lines: string[] = []
  const well = await deploy({
    root: checkout.root,
    environment: 'staging',
    dry_run: true,
    print: (line) => lines.push(line),
  })
  expect(well).toBe(false)
  expect(lines).toContain('  PREFIX is that of deploy.env; take another')
  expect(lines).toContain('  DATABASE_URL is that of deploy.env; take another database')
})
