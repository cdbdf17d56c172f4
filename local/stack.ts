// Everything the kit needs, on this computer: Postgres, Redis, a mail server, the three Workers and cron.
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DEVELOPMENT_BOOTSTRAP_SECRET,
  DEVELOPMENT_HASH_KEY,
  DEVELOPMENT_SIGNING_KEYS,
} from '../src/tokens/development.ts'
import { createApiKey, isApiKey } from './api-key.ts'
import { startInbox } from './inbox/inbox.ts'
import { LockHeld, takeLock } from './lock.ts'
import { migrate } from './migrate.ts'
import { startNeon } from './neon.ts'
import { freePort, thisPort } from './ports.ts'
import { startPostgres } from './postgres.ts'
import { redisEngines, startRedis } from './redis.ts'
import { emptyFolder, lockOf, PORTS, type Ports, readState, STATE_FOLDER, type State, writeState } from './state.ts'
import { startTicker } from './ticker.ts'
import { startWorkers } from './workers.ts'

/** Cron runs more often than in production, so that one sees its work. In seconds. */
const TICK = 5

/** A killed run's servers need a moment to leave their ports. In ms. */
const PORT_PATIENCE = 3000

export interface StackOptions {
  /** State folder; the checkout's `.local` when left out. */
  dir?: string
  /** Forgets everything first. */
  reset?: boolean
  /** Ports that must be these; others are those of the last run, or free ones. */
  ports?: Partial<Ports>
  /** Seconds between two runs of cron; 0: only by `tick()`. */
  tick_seconds?: number
  /** Vars and secrets that differ from the usual ones. */
  vars?: Record<string, string>
  /** Hears what is being done. */
  say?: (line: string) => void
}

export interface Stack {
  api_url: string
  docs_url: string
  tracking_url: string
  inbox_url: string
  smtp_port: number
  database_url: string
  neon_proxy: string
  redis_url: string
  redis_token: string
  /** With every scope. */
  api_key: string
  /** Log file of the three Workers. */
  log: string
  /** Runs cron once and waits for its end. */
  tick(): Promise<void>
  stop(): Promise<void>
}

/** @throws when another stack runs in the same folder, or a part does not come up; nothing is left running then */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dir = resolve(options.dir ?? STATE_FOLDER)
  const say = options.say ?? (() => {})
  const lock = await takeLock(lockOf(dir)).catch((error: unknown) => {
    if (!(error instanceof LockHeld)) throw error
    throw new Error(`a stack is already running in ${dir} (process ${error.pid}); stop it, or use another --dir`)
  })
  const stops: (() => Promise<void> | void)[] = [lock.release]
  const stop = async () => {
    // Each in its turn; one that fails does not keep the others up.
    const failures: unknown[] = []
    for (const end of stops.splice(0).reverse()) await Promise.resolve(end()).catch((error) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
  try {
    if (options.reset) emptyFolder(dir)
    const state = readState(dir)
    const ports = await choosePorts(options.ports ?? {}, state.ports)
    const redis_engine = state.redis_engine ?? redisEngines()[0] ?? 'built-in'
    const redis_token = state.redis_token ?? randomBytes(18).toString('base64url')

    say('starting Postgres')
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), port: ports.postgres })
    stops.push(postgres.stop)
    await postgres.createDatabase('emk')
    const database_url = postgres.url('emk')
    await migrate(database_url)
    const neon = await startNeon({ port: ports.neon })
    stops.push(neon.stop)
    const known = state.api_key && (await isApiKey(database_url, state.api_key)) ? state.api_key : null
    const api_key = known ?? (await createApiKey(database_url, 'local stack'))
    const next: State = { ports, redis_engine, redis_token, api_key, database_url }
    writeState(dir, next)

    say(`starting Redis (${redis_engine}) and the inbox`)
    const redis = await startRedis({
      dir: join(dir, redis_engine),
      engine: redis_engine,
      token: redis_token,
      port: ports.redis,
    })
    stops.push(redis.stop)
    const inbox = await startInbox({ dir: join(dir, 'mails'), smtp_port: ports.smtp, http_port: ports.inbox })
    stops.push(inbox.stop)

    say('starting the Workers')
    const api_url = `http://127.0.0.1:${ports.api}`
    const workers = await startWorkers({
      dir,
      port: ports.api,
      settings: {
        ENVIRONMENT: 'development',
        PUBLIC_URL: api_url,
        // emk-api hands /t and /u to emk-tracking: locally they share one address.
        TRACKING_URL: api_url,
        RECIPIENT_ALLOWLIST: '*',
        SENDING: 'on',
        NEON_PROXY: neon.host,
        DATABASE_URL: database_url,
        UPSTASH_REDIS_REST_URL: redis.url,
        UPSTASH_REDIS_REST_TOKEN: redis_token,
        SIGNING_KEYS: DEVELOPMENT_SIGNING_KEYS,
        HASH_KEY: DEVELOPMENT_HASH_KEY,
        BOOTSTRAP_SECRET: DEVELOPMENT_BOOTSTRAP_SECRET,
        ACCOUNTS: JSON.stringify([
          { name: 'inbox', kind: 'smtp', host: '127.0.0.1', port: inbox.smtp_port, tls: 'none' },
        ]),
        ...options.vars,
      },
    })
    stops.push(workers.stop)
    const ticker = startTicker(api_url, options.tick_seconds ?? TICK, (error) => say(String(error)))
    stops.push(ticker.stop)
    return {
      api_url,
      docs_url: `${api_url}/docs`,
      tracking_url: api_url,
      inbox_url: inbox.url,
      smtp_port: inbox.smtp_port,
      database_url,
      neon_proxy: neon.host,
      redis_url: redis.url,
      redis_token,
      api_key,
      log: workers.log,
      tick: ticker.tick,
      stop,
    }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

async function choosePorts(wanted: Partial<Ports>, last: Ports | undefined): Promise<Ports> {
  const ports: Partial<Ports> = {}
  for (const name of PORTS) {
    const wish = wanted[name]
    ports[name] = wish === undefined ? await lastOrFree(last?.[name]) : await thisPort(wish, name)
  }
  return ports as Ports
}

async function lastOrFree(last: number | undefined): Promise<number> {
  if (last === undefined) return freePort()
  for (const end = Date.now() + PORT_PATIENCE; Date.now() < end; await sleep(100)) {
    if ((await freePort(last)) === last) return last
  }
  return freePort()
}
