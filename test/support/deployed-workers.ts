// Runs what was deployed to the recorder: the uploaded modules with the uploaded bindings, queues and all.
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { CloudflareRecorder, UploadedWorker } from './cloudflare-recorder.ts'

/**
 * @param first the Worker that requests go to
 * @param overrides variables that differ because Neon is on this computer
 */
export async function startDeployed(
  recorder: CloudflareRecorder,
  first: string,
  overrides: Record<string, string>,
): Promise<Miniflare> {
  const names = [first, ...[...recorder.workers.keys()].filter((name) => name !== first)]
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers: names.map((name) => {
        const worker = recorder.workers.get(name)
        if (worker === undefined) throw new Error(`${name} was not deployed`)
        return {
          name,
          modules: worker.modules.map(([path, contents]) => ({ type: 'ESModule' as const, path, contents })),
          compatibilityDate: worker.compatibility_date,
          compatibilityFlags: worker.compatibility_flags,
          ...bindingsOf(worker, overrides),
          queueConsumers: consumersOf(recorder, name),
        }
      }),
    }),
  )
  await miniflare.ready
  return miniflare
}

function bindingsOf({ bindings }: UploadedWorker, overrides: Record<string, string>) {
  const of = (type: string) => bindings.filter((binding) => binding.type === type)
  const values = [...of('plain_text'), ...of('secret_text')].map(({ name, text = '' }) => [name, text])
  return {
    bindings: { ...Object.fromEntries(values), ...overrides },
    serviceBindings: Object.fromEntries(
      of('service').map(({ name, service = '', entrypoint }) => [
        name,
        { name: service, ...(entrypoint && { entrypoint }) },
      ]),
    ),
    queueProducers: Object.fromEntries(
      of('queue').map(({ name, queue_name = '' }) => [name, { queueName: queue_name }]),
    ),
    durableObjects: Object.fromEntries(
      of('durable_object_namespace').map(({ name, class_name = '' }) => [
        name,
        { className: class_name, useSQLite: true },
      ]),
    ),
  }
}

function consumersOf(recorder: CloudflareRecorder, worker: string) {
  const consumers = [...recorder.queues.values()].flatMap(({ queue_name, consumers }) =>
    consumers
      .filter(({ script_name }) => script_name === worker)
      .map(({ settings, dead_letter_queue }) => [
        queue_name,
        {
          maxBatchSize: settings.batch_size,
          maxBatchTimeout: settings.max_wait_time_ms / 1000,
          maxRetries: settings.max_retries,
          ...(dead_letter_queue !== undefined && { deadLetterQueue: dead_letter_queue }),
        },
      ]),
  )
  return Object.fromEntries(consumers)
}
