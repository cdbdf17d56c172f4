// Postgres and Redis for the crash case: processes of their own, which can really be killed. What they have confirmed is on
// the disk, or at least with the system, which nobody kills here.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pool } from 'pg'
import { createApiKey } from '../local/api-key.ts'
import { migrate } from '../local/migrate.ts'
import { startNeon } from '../local/neon.ts'
import { startPostgres } from '../local/postgres.ts'
import { redisEngines, startRedis } from '../local/redis.ts'
import { connectRedis } from '../src/redis/client.ts'
import { workerBindings } from '../test/support/bindings.ts'
import type { Ground } from '../test/support/crash.ts'
import { type Cable, layCable } from '../test/support/cut.ts'

export interface CrashGround extends Ground {
  close(): Promise<void>
}

/** @param dir - empty */
export async function openCrashGround(dir: string): Promise<CrashGround> {
  const folder = join(dir, 'postgres')
  let postgres = await startPostgres({ dir: folder })
  await postgres.createDatabase('emk')
  const database_url = postgres.url('emk')
  await migrate(database_url)
  const neon = await startNeon()

  const engine = redisEngines()[0] ?? 'built-in'
  const token = randomBytes(18).toString('base64url')
  const openRedis = (port?: number) =>
    startRedis({ dir: join(dir, 'redis'), engine, token, ...(port === undefined ? {} : { port }) })
  let redis = await openRedis()
  const { url, port } = redis

  const cables = { postgres: await layCable(neon.host), redis: await layCable(new URL(url).host) }
  const cut = (name: string, cable: Cable) => ({ name: `${name} cut off`, begin: cable.cut, end: cable.mend })
  const pool = new Pool({ connectionString: database_url, max: 4 })
  // A connection that Postgres takes with it is replaced; without a listener it is fatal.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const redis_url = `http://${cables.redis.host}`
  return {
    dir,
    bindings: {
      ...workerBindings({ neon: cables.postgres.host, redis: [{ engine, url: redis_url, token }] }),
      DATABASE_URL: database_url,
      REDIS_PREFIX: 'crash:',
    },
    api_key: await createApiKey(database_url, 'crash'),
    sql: async <Row>(text: string, params: unknown[] = []) => (await pool.query(text, params)).rows as Row[],
    cuts: [cut('Postgres', cables.postgres), cut('Redis', cables.redis)],
    deaths: [
      {
        name: 'Postgres killed',
        async begin() {
          process.kill(Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
          await postgres.stop()
        },
        async end() {
          postgres = await startPostgres({ dir: folder, port: postgres.port })
        },
      },
      {
        name: 'Redis killed',
        async begin() {
          if (engine === 'redis-server') process.kill(await processOf(url, token), 'SIGKILL')
          await redis.stop()
        },
        async end() {
          redis = await openRedis(port)
        },
      },
    ],
    async close() {
      await pool.end()
      await cables.postgres.close()
      await cables.redis.close()
      await redis.stop()
      await neon.stop()
      await postgres.stop()
    },
  }
}

async function processOf(url: string, token: string): Promise<number> {
  const info = await connectRedis(url, token).exec<string>(['INFO', 'server'])
  return Number(/^process_id:(\d+)/m.exec(info)?.[1])
}
