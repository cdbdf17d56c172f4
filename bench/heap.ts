// What a Worker's isolate has in use, asked of V8's inspector: the limit that Cloudflare sets (128 MB) is on that.
import { setInterval } from 'node:timers'
import { WebSocket } from 'ws'
import * as z from 'zod'

/** Between two looks, in ms. */
const EVERY = 100

const usage = z.object({ result: z.object({ usedSize: z.number(), backingStorageSize: z.number().default(0) }) })

export interface HeapWatch {
  /**
   * Bytes at the most since the start: JavaScript objects, with those that are no longer needed but not collected yet, and
   * the buffers they hold.
   */
  peak(): number
  stop(): void
}

/** @param url - `inspector_url` of `serveWorker` */
export async function watchHeap(url: string): Promise<HeapWatch> {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  let id = 0
  const waiting = new Map<number, (answer: unknown) => void>()
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data)) as { id?: number }
    waiting.get(answer.id ?? 0)?.(answer)
  })
  const ask = (method: string) =>
    new Promise<unknown>((resolve) => {
      id++
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method }))
    })
  let peak = 0
  const look = async () => {
    const { usedSize, backingStorageSize } = usage.parse(await ask('Runtime.getHeapUsage')).result
    peak = Math.max(peak, usedSize + backingStorageSize)
  }
  const timer = setInterval(() => void look().catch(() => {}), EVERY)
  return {
    peak: () => peak,
    stop() {
      clearInterval(timer)
      socket.close()
    },
  }
}
