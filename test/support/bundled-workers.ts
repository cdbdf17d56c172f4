// The three Workers from their bundles, in a process of its own: as `local/workers.ts` starts them, but in a third of the
// time, since nothing is built and nothing is watched.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keep } from '../../local/keeper.ts'
import { healthy, type Workers, writeConfigs } from '../../local/workers.ts'
import type { Bundles } from './bundles.ts'
import type { WorkersRun } from './run-workers.ts'

const PROGRAM = fileURLToPath(new URL('./run-workers.ts', import.meta.url))

/** Given up after so many ms. */
const GRACE = 5_000

/**
 * Starts them and waits until they are healthy.
 *
 * @param options.dir - state folder: configuration, Durable Objects, log
 * @param options.settings - vars and secrets by name; every Worker gets those that its wrangler file names
 * @throws with the end of the Workers' own log when they do not come up
 */
export async function startBundledWorkers(options: {
  dir: string
  port: number
  settings: Record<string, string>
  bundles: Bundles
}): Promise<Workers> {
  const { dir, port, settings, bundles } = options
  const configs = writeConfigs(join(dir, 'workers'), settings)
  const log = join(dir, 'workers.log')
  writeFileSync(log, '')
  const run: WorkersRun = {
    workers: (['api', 'sender', 'tracking'] as const).map((role, n) => ({
      name: `emk-${role}`,
      config: configs[n] ?? '',
      bundle: bundles[role],
    })),
    port,
    state: join(dir, 'workers', 'state'),
  }
  const args = [PROGRAM, JSON.stringify(run)]
  const server = keep({ command: process.execPath, args, signal: 'SIGTERM', grace: GRACE }, log)
  const api_url = `http://127.0.0.1:${port}`
  try {
    await healthy(api_url, server.running, log)
  } catch (error) {
    await server.stop()
    throw error
  }
  return { api_url, log, pid: server.pid, stop: server.stop }
}
