import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type QueueConsumer, type QueueProducer, readWranglerConfig } from '../wrangler-config.ts'

export const WRANGLER_FILES = ['wrangler.toml', 'wrangler.sender.toml', 'wrangler.tracking.toml'] as const

export interface WorkerFile {
  file: string
  name: string
  producers: QueueProducer[]
  consumers: QueueConsumer[]
  services: { binding: string; service: string }[]
}

/** The parts of a wrangler file that the queue graph is made of, as they are written (no defaults filled in). */
export function readWorkerFile(root: string, file: string): WorkerFile {
  const { name, queues, services = [] } = readWranglerConfig(join(root, file))
  return { file, name, producers: queues?.producers ?? [], consumers: queues?.consumers ?? [], services }
}

const SHARED = /^# --- shared:[^\n]*\n[\s\S]*?^# --- end of the shared block ---$/m

/** The shared block is the same in all three files, and every queue and binding leads somewhere. */
export function checkWranglerFiles(root: string): string[] {
  return [...sharedBlockProblems(root), ...graphProblems(WRANGLER_FILES.map((file) => readWorkerFile(root, file)))]
}

function sharedBlockProblems(root: string): string[] {
  const blocks = WRANGLER_FILES.map((file) => SHARED.exec(readFileSync(join(root, file), 'utf8'))?.[0])
  return WRANGLER_FILES.flatMap((file, at) => {
    if (blocks[at] === undefined) return [`${file} has no shared block`]
    if (blocks[at] === blocks[0] || blocks[0] === undefined) return []
    const ours = blocks[at].split('\n')
    const first = blocks[0].split('\n')
    const n = first.findIndex((line, index) => line !== ours[index])
    return [
      `${file}: the shared block differs from ${WRANGLER_FILES[0]}'s: \`${ours[n] ?? ''}\` for \`${first[n] ?? ''}\``,
    ]
  })
}

function graphProblems(workers: readonly WorkerFile[]): string[] {
  const problems: string[] = []
  const names = new Set(workers.map((worker) => worker.name))
  const consumers = workers.flatMap((worker) =>
    worker.consumers.map((consumer) => ({ ...consumer, file: worker.file })),
  )
  const producers = workers.flatMap((worker) =>
    worker.producers.map((producer) => ({ ...producer, file: worker.file })),
  )
  const dead = new Set(consumers.flatMap((consumer) => consumer.dead_letter_queue ?? []))
  const queues = new Set([...consumers, ...producers].map((end) => end.queue).concat([...dead]))

  for (const queue of queues) {
    const readers = consumers.filter((consumer) => consumer.queue === queue)
    const writers = producers.filter((producer) => producer.queue === queue)
    if (readers.length !== 1) problems.push(`queue ${queue} has ${readers.length} consumers, not one`)
    if (dead.has(queue)) {
      if (writers.length > 0) problems.push(`dead-letter queue ${queue} has a producer in ${writers[0]?.file}`)
    } else {
      if (writers.length !== 1) problems.push(`queue ${queue} has ${writers.length} producers, not one`)
      if (readers.some((reader) => reader.dead_letter_queue === undefined)) {
        problems.push(`queue ${queue} has no dead_letter_queue`)
      }
    }
  }
  for (const consumer of consumers) {
    for (const key of ['max_batch_size', 'max_batch_timeout', 'max_retries'] as const) {
      // Local and deployed defaults differ, so none is relied on.
      if (consumer[key] === undefined)
        problems.push(`${consumer.file}: the consumer of ${consumer.queue} has no ${key}`)
    }
  }
  for (const worker of workers) {
    for (const { binding, service } of worker.services) {
      if (!names.has(service))
        problems.push(`${worker.file}: ${binding} is bound to ${service}, which is no Worker here`)
    }
  }
  return problems
}
