// worker-mailer in workerd: one connection for each hundred mails, four at a time, as our sender does it.
import { readSamples } from '../samples.ts'
import { bundleWorker, serveWorker } from '../workerd.ts'
import type { Rival } from './rival.ts'

/** Mails of one connection. One invocation may not send more than some 2,500: a timer of each reply stays behind. */
const PER_CONNECTION = 100
const CONNECTIONS = 4

/** @param dir - for bundle and log */
export async function startWorkerMailer(dir: string, samples_file: string, sink_port: number): Promise<Rival> {
  const script = await bundleWorker('bench/rivals/worker-mailer-worker.ts', dir)
  const server = await serveWorker({ script, bindings: { SINK_PORT: String(sink_port) } })
  const { recipients, mails } = readSamples(samples_file)
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`worker-mailer: ${response.status} ${await response.text()}`)
    await response.text()
  }
  await post('/mails', mails)
  return {
    async send(count) {
      let next = 0
      const one = async () => {
        while (next < count) {
          const from = next
          next = Math.min(count, from + PER_CONNECTION)
          await post('/send', { from, recipients: recipients.slice(from, next) })
        }
      }
      await Promise.all(Array.from({ length: CONNECTIONS }, one))
    },
    stop: server.stop,
  }
}
