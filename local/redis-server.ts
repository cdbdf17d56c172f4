// Real Redis, where the computer has it.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { keep } from './keeper.ts'
import { freePort } from './ports.ts'
import { connectResp, type RedisBackend } from './resp.ts'

/** Longest wait for the server to come up, in ms. */
const PATIENCE = 30_000

/** Whether `redis-server` is on PATH. */
export function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

/**
 * Starts `redis-server` on a free loopback port. Every write is in its append-only file before it is answered (not
 * forced to the disk: it survives the process, not a power cut).
 *
 * @param dir - its folder; the log stands in it too
 */
export async function startRedisServer(dir: string): Promise<RedisBackend> {
  mkdirSync(dir, { recursive: true })
  const port = await freePort()
  const log = join(dir, 'redis.log')
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    appendonly: 'yes',
    appendfsync: 'no',
    save: '',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const server = keep({ command: 'redis-server', args, signal: 'SIGTERM', grace: PATIENCE }, log)
  for (const end = Date.now() + PATIENCE; ; await sleep(20)) {
    const client = await connectResp(port).catch(() => null)
    // While it reads its file in, it answers everything with LOADING.
    const [pong = null] = client ? await client.pipeline([['PING']]).catch(() => []) : []
    if (client && pong === 'PONG') {
      return {
        ...client,
        async close() {
          await client.close()
          await server.stop()
        },
      }
    }
    await client?.close()
    if (!server.running() || Date.now() > end) {
      await server.stop()
      const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
      throw new Error(`redis-server did not start; ${log} ends with\n${tail}`)
    }
  }
}
