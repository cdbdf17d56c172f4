import { dirname } from 'node:path'
import type { cloudflareTest as CloudflareTest } from '@cloudflare/vitest-plugin'
import type { ProvidedContext } from 'vitest'
import { defineConfig, type TestProjectConfiguration } from 'vitest/config'
import { workerBindings } from './test/support/bindings.ts'
import './test/support/provided.ts'
import { trustTestCertificates } from './test/support/trust.ts'

// Before the plugin, which brings Miniflare.
trustTestCertificates()
const { cloudflareTest } = await import('@cloudflare/vitest-plugin')

// The secrets come from workerBindings, not from the environment, where wrangler misses them aloud.
process.env.WRANGLER_LOG ??= 'error'

/** A project in Node. */
const node = (name: string): TestProjectConfiguration => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 30_000, hookTimeout: 60_000 },
})

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
    // Its CommonJS (with cheerio and undici below it) is bundled beforehand, as wrangler does; the pool's own loader trips over it.
    deps: { optimizer: { ssr: { enabled: true, include: ['mjml-browser'] } } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
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
    projects: [
      node('unit'),
      node('data'),
      pool('api', './wrangler.toml', neighbours),
      pool('sender', './wrangler.sender.toml'),
      pool('tracking', './wrangler.tracking.toml'),
      node('bundle'),
      node('paths'),
    ],
  },
})
