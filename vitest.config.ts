import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type { cloudflareTest as CloudflareTest } from '@cloudflare/vitest-plugin'
import type { ProvidedContext } from 'vitest'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'
import { workerBindings } from './test/support/bindings.ts'
import './test/support/provided.ts'
import { Interleaved } from './test/support/sequence.ts'
import { trustTestCertificates } from './test/support/trust.ts'

// Before the plugin, which brings Miniflare.
trustTestCertificates()
const { cloudflareTest } = await import('@cloudflare/vitest-plugin')

// The secrets come from workerBindings, not from the environment, where wrangler misses them aloud.
process.env.WRANGLER_LOG ??= 'error'

// Programs that tests start (wrangler above all) spend much of their time being compiled.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/compiled')

/** Ms. Only what hangs meets them: a computer that does much else at the same time does not. */
const PATIENCE = { testTimeout: 60_000, hookTimeout: 120_000 }

/** The same for tests that start programs or whole installations. */
const WHOLE = { testTimeout: 180_000, hookTimeout: 180_000 }

/**
 * A project in Node.
 *
 * @param isolate - whether each file has a process of its own; where none changes what another sees, sharing a few halves
 *   their cost
 */
const node = (name: string, isolate: boolean, patience = PATIENCE): TestProjectConfiguration => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], isolate, ...patience },
})

/**
 * Packages that are bundled before the pool loads them: file by file, each test file would fetch hundreds. mjml-browser
 * must be among them: its CommonJS (with cheerio and undici below it) is bundled by wrangler too, the pool's loader trips
 * over it.
 */
const BUNDLED_PACKAGES = [
  'mjml-browser',
  'drizzle-orm',
  'drizzle-orm/neon-http',
  'drizzle-orm/pg-core',
  'zod',
  'hono',
  'hono/html',
  'hono/http-exception',
  'hono/utils/html',
  '@hono/zod-openapi',
  '@neondatabase/serverless',
  '@upstash/redis/cloudflare',
  'html-to-text',
  'htmlparser2',
]

/** A project inside workerd, in the Worker that the wrangler file describes. */
const pool = (name: string, configPath: string, neighbours?: Neighbours): TestProjectConfiguration => ({
  plugins: [
    cloudflareTest(({ inject }) => {
      const bindings = workerBindings({ neon: inject('neon'), redis: inject('redis') })
      const workers = neighbours?.(inject('bundles'), bindings)
      return { wrangler: { configPath }, miniflare: { bindings, ...(workers ? { workers } : {}) } }
    }),
  ],
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles: ['test/support/loopback.ts'],
    deps: { optimizer: { ssr: { enabled: true, include: BUNDLED_PACKAGES } } },
    ...PATIENCE,
  },
})

type Neighbours = (bundles: ProvidedContext['bundles'], bindings: Record<string, string>) => NeighbourWorker[]
type PoolOptions = Exclude<Parameters<typeof CloudflareTest>[0], (...args: never) => unknown>
type NeighbourWorker = NonNullable<NonNullable<PoolOptions['miniflare']>['workers']>[number]

/** The Workers that emk-api's service bindings name: bundled beforehand, the pool compiles only the one under test. */
const neighbours: Neighbours = (bundles, bindings) => {
  const shared = { bindings, compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] }
  return [
    {
      ...shared,
      name: 'emk-sender',
      modules: [{ type: 'ESModule', path: bundles.sender }],
      modulesRoot: dirname(bundles.sender),
      durableObjects: { ACCOUNT_GATE: { className: 'AccountGate', useSQLite: true } },
    },
    {
      ...shared,
      name: 'emk-tracking',
      modules: [{ type: 'ESModule', path: bundles.tracking }],
      modulesRoot: dirname(bundles.tracking),
      queueProducers: { EVENTS: 'emk-events' },
    },
  ]
}

export default defineConfig({
  test: {
    globalSetup: ['test/support/services.ts'],
    sequence: { sequencer: Interleaved },
    // Vitest alone would leave a core to itself, which on two is half of the computer. More than 8 want more connections
    // than Postgres has.
    maxWorkers: Math.min(Math.max(availableParallelism(), 2), 8),
    projects: [
      node('unit', false),
      node('data', false),
      pool('api', './wrangler.toml', neighbours),
      pool('sender', './wrangler.sender.toml'),
      pool('tracking', './wrangler.tracking.toml'),
      node('bundle', true, WHOLE),
      node('paths', true, WHOLE),
    ],
  },
})
