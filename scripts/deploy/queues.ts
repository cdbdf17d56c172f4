import type { Cloudflare } from './cloudflare.ts'

/** Days a message waits for a consumer that is away: the most that Workers Paid allows. */
const RETENTION_SECONDS = 14 * 24 * 60 * 60

/** Creates the queues that are not there yet. @returns their names */
export async function createQueues(cloudflare: Cloudflare, names: readonly string[]): Promise<string[]> {
  const there = new Set((await cloudflare.list<{ queue_name: string }>('/queues')).map((queue) => queue.queue_name))
  const missing = names.filter((name) => !there.has(name))
  for (const queue_name of missing) {
    await cloudflare.call('POST', '/queues', {
      queue_name,
      settings: { message_retention_period: RETENTION_SECONDS },
    })
  }
  return missing
}
