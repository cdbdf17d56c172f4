// The three Workers, bundled beforehand, in one workerd: a process of its own, so that it can be killed. What each is bound
// to is read from its wrangler file by wrangler itself, as `wrangler dev` does; only the bundling is spared.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { unstable_getMiniflareWorkerOptions as optionsOf } from 'wrangler'

export interface WorkersRun {
  /** In the order of precedence: the first has the port and gets cron. */
  workers: { name: string; config: string; bundle: string }[]
  port: number
  /** Folder of what outlives the process: Durable Objects. */
  state: string
}

async function main({ workers, port, state }: WorkersRun): Promise<void> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port,
      cf: false,
      unsafeTriggerHandlers: true,
      resourcePersistencePath: state,
      logRequests: false,
      log: new Log(LogLevel.WARN),
      workers: workers.map(({ name, config, bundle }) => ({
        ...optionsOf(config).workerOptions,
        name,
        modules: [{ type: 'ESModule', path: bundle }],
        modulesRoot: dirname(bundle),
      })),
    }),
  )
  await miniflare.ready
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2] ?? ''))
