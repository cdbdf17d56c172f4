// The three Workers as they are deployed, over the test run's Postgres and Redis, with everything between them in reach:
// the mail server, the cable to Postgres, and the process itself.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { createApiKey } from '../../local/api-key.ts'
import { freePort } from '../../local/ports.ts'
import { startTicker } from '../../local/ticker.ts'
import type { Workers } from '../../local/workers.ts'
import { type Api, openApi } from '../../scripts/import/api.ts'
import type { SmtpAccount } from '../../src/providers/account.ts'
import { workerBindings } from './bindings.ts'
import { startBundledWorkers } from './bundled-workers.ts'
import { type Cable, layCable } from './cut.ts'
import { openTestDatabase, type TestDatabase } from './database.ts'
import { type Sink, startSink } from './mail-sink.ts'
import './provided.ts'
import { openTestRedis, type TestRedis } from './redis.ts'

export interface Installation {
  api: Api
  api_url: string
  api_key: string
  sql: TestDatabase['sql']
  redis: TestRedis['redis']
  keys: TestRedis['keys']
  sink: Sink
  /** The Workers' way to Postgres. */
  postgres: Cable
  /** Runs cron once. */
  tick(): Promise<void>
  /** kill -9 of the Workers, whatever they are doing; what was in the queues is gone. */
  kill(): Promise<void>
  start(): Promise<void>
  log(): string
  close(): Promise<void>
}

/**
 * @param settings - other vars and secrets, e.g. `{ SEND_SETTINGS: '{"lease_seconds": 3, ...}' }`
 * @param account - what else the sending account says
 */
export async function openInstallation(
  settings: Record<string, string> = {},
  account: Partial<SmtpAccount> = {},
): Promise<Installation> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-paths-'))
  const database: TestDatabase = await openTestDatabase()
  const redis = openTestRedis()
  const sink = await startSink()
  const postgres = await layCable(database.proxy)
  const port = await freePort()
  const api_url = `http://127.0.0.1:${port}`
  const api_key = await createApiKey(database.url, 'test')
  const accounts = [{ name: 'sink', kind: 'smtp', host: '127.0.0.1', port: sink.port, tls: 'none', ...account }]
  let workers: Workers | undefined
  const ticker = startTicker(api_url, 0, () => undefined)
  const start = async () => {
    workers = await startBundledWorkers({
      dir,
      port,
      bundles: inject('bundles'),
      settings: {
        ...workerBindings({
          neon: postgres.host,
          redis: [{ engine: 'redis-server', url: redis.url, token: redis.token }],
        }),
        DATABASE_URL: database.url,
        NEON_PROXY: postgres.host,
        UPSTASH_REDIS_REST_URL: redis.url,
        UPSTASH_REDIS_REST_TOKEN: redis.token,
        REDIS_PREFIX: redis.prefix,
        PUBLIC_URL: api_url,
        TRACKING_URL: api_url,
        ACCOUNTS: JSON.stringify(accounts),
        ...settings,
      },
    })
  }
  await start()
  return {
    api: openApi(api_url, api_key),
    api_url,
    api_key,
    sql: database.sql,
    redis: redis.redis,
    keys: redis.keys,
    sink,
    postgres,
    tick: ticker.tick,
    async kill() {
      if (workers) process.kill(-workers.pid, 'SIGKILL')
      await workers?.stop()
      workers = undefined
    },
    start,
    log: () => readFileSync(join(dir, 'workers.log'), 'utf8'),
    async close() {
      await ticker.stop()
      await workers?.stop()
      await postgres.close()
      await sink.close()
      await redis.close()
      await database.close()
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Asks again until it is so. Fails with what was seen last. */
export async function until<T>(look: () => Promise<T> | T, ready: (seen: T) => boolean, patience = 60_000): Promise<T> {
  for (const end = Date.now() + patience; ; await sleep(50)) {
    const seen = await look()
    if (ready(seen)) return seen
    if (Date.now() > end) throw new Error(`waited in vain; last seen: ${JSON.stringify(seen)}`)
  }
}
