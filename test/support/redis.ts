// A corner of Redis of its own for a test file. Works in Node and inside workerd.
import { inject } from 'vitest'
import { connectRedis, type Redis } from '../../src/redis/client.ts'
import { type RedisKeys, redisKeys } from '../../src/redis/keys.ts'
import type { RedisAddress } from './provided.ts'

export interface TestRedis {
  redis: Redis
  keys: RedisKeys
  /** REDIS_PREFIX, UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN of code under test. */
  prefix: string
  url: string
  token: string
  /** Deletes what was written under the prefix. */
  close(): Promise<void>
}

/** The engines this computer has, for `describe.each(redisEngines())('... on $engine', (engine) => ...)`. */
export const redisEngines = (): RedisAddress[] => inject('redis')

/** @param address - one of `redisEngines()`; real Redis, where there is one, when left out */
export function openTestRedis(address: RedisAddress | undefined = redisEngines()[0]): TestRedis {
  if (!address) throw new Error('no Redis was started for this project')
  const { url, token } = address
  const prefix = `t_${crypto.randomUUID()}:`
  const redis = connectRedis(url, token)
  return {
    redis,
    keys: redisKeys(prefix),
    prefix,
    url,
    token,
    async close() {
      const keys = await redis.keys(`${prefix}*`)
      if (keys.length > 0) await redis.del(...keys)
    },
  }
}
