/// <reference types="@cloudflare/vitest-plugin/types" />
// Services of its own for a test file inside workerd: the Worker under test sees them in its environment.
import { env } from 'cloudflare:workers'
import { openTestDatabase, type TestDatabase } from './database.ts'
import { openTestRedis, type TestRedis } from './redis.ts'

export interface TestWorker extends Pick<TestDatabase, 'db' | 'sql'>, Pick<TestRedis, 'redis' | 'keys'> {
  close(): Promise<void>
}

/**
 * Gives the Worker under test a database and a corner of Redis. Call it before the Worker's first request of the file
 * (a Worker reads its environment once); each file has an environment and an isolate of its own.
 *
 * @param settings - other settings of this file, e.g. `{ ACCOUNTS: '[...]', SENDING: 'off' }`
 */
export async function openTestWorker(settings: Record<string, string> = {}): Promise<TestWorker> {
  const database = await openTestDatabase()
  const redis = openTestRedis()
  Object.assign(env, {
    DATABASE_URL: database.url,
    NEON_PROXY: database.proxy,
    UPSTASH_REDIS_REST_URL: redis.url,
    UPSTASH_REDIS_REST_TOKEN: redis.token,
    REDIS_PREFIX: redis.prefix,
    ...settings,
  })
  return {
    db: database.db,
    sql: database.sql,
    redis: redis.redis,
    keys: redis.keys,
    async close() {
      await redis.close()
      await database.close()
    },
  }
}
