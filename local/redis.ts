// One Redis for a run, behind Upstash's REST endpoint: real Redis where the computer has it, else the built-in engine.
import { openEngine } from './engine.ts'
import { hasRedisServer, startRedisServer } from './redis-server.ts'
import { startUpstash, type UpstashEndpoint } from './upstash.ts'

export type RedisEngineName = 'redis-server' | 'built-in'

/** What this computer can run, the preferred one first. */
export function redisEngines(): RedisEngineName[] {
  return hasRedisServer() ? ['redis-server', 'built-in'] : ['built-in']
}

/** @param options.dir - the data folder of this engine; the two cannot read each other's */
export async function startRedis(options: {
  dir: string
  engine: RedisEngineName
  token: string
  port?: number
}): Promise<UpstashEndpoint> {
  const { dir, engine, token, port } = options
  const backend = engine === 'redis-server' ? await startRedisServer(dir) : openEngine(dir)
  try {
    return await startUpstash({ backend, token, ...(port === undefined ? {} : { port }) })
  } catch (error) {
    await backend.close()
    throw error
  }
}
