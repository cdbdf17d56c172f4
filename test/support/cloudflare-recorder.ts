// A local server that answers as Cloudflare's API does to `wrangler deploy` and to our own calls, keeps what was
// deployed, and refuses what the real one refuses: a consumer of a queue that is not there, a binding to no Worker.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RecordedCall {
  method: string
  /** Below the account or zone, without query. */
  path: string
  /** Parsed JSON, or the metadata part of an upload. */
  body: unknown
}

interface Binding {
  name: string
  type: string
  text?: string
  service?: string
  entrypoint?: string
  queue_name?: string
  class_name?: string
}

/** The metadata part of an upload, and its modules. */
interface Upload extends Pick<UploadedWorker, 'main_module' | 'modules' | 'bindings'> {
  compatibility_date: string
  compatibility_flags?: string[]
  migrations?: { new_tag: string }
}

export interface UploadedWorker {
  main_module: string
  /** Name and text of each JavaScript module. */
  modules: [name: string, text: string][]
  compatibility_date: string
  compatibility_flags: string[]
  bindings: Binding[]
  migration_tag: string | null
  schedules: string[]
  routes: string[]
  domains: string[]
  workers_dev: boolean
  versions: number
}

export interface QueueConsumer {
  script_name: string
  dead_letter_queue?: string
  settings: { batch_size: number; max_retries: number; max_wait_time_ms: number; max_concurrency?: number }
}

interface Queue {
  queue_id: string
  queue_name: string
  consumers: QueueConsumer[]
}

class Refusal extends Error {
  readonly status: number
  readonly code: number
  constructor(status: number, code: number, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export class CloudflareRecorder {
  readonly calls: RecordedCall[] = []
  readonly queues = new Map<string, Queue>()
  readonly workers = new Map<string, UploadedWorker>()
  /** Zones of the account, by name. */
  readonly zones: string[] = ['example.com']
  /** null: a new account. */
  subdomain: string | null = 'acme'
  /** Hosts that are custom domains already, with the Worker they lead to. */
  readonly domains = new Map<string, string>()
  /** A call for which this is true is answered with an error, and counts as made. */
  refuse: (call: RecordedCall) => boolean = () => false
  readonly #token: string
  readonly #server: Server

  private constructor(token: string) {
    this.#token = token
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(token: string): Promise<CloudflareRecorder> {
    const recorder = new CloudflareRecorder(token)
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve))
    return recorder
  }

  /** For CLOUDFLARE_API_BASE_URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/client/v4`
  }

  /** The calls that change something, each as one line. */
  get changes(): string[] {
    return this.calls.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const path = url.pathname.replace(/^\/client\/v4(\/accounts\/[0-9a-f]{32})?/, '')
    const call = { method: request.method ?? 'GET', path, body: await readBody(request) }
    this.calls.push(call)
    let status = 200
    let envelope: object
    try {
      if (request.headers.authorization !== `Bearer ${this.#token}`)
        throw new Refusal(403, 10000, 'Authentication error')
      if (this.refuse(call)) throw new Refusal(400, 10001, 'refused by the test')
      envelope = { success: true, errors: [], messages: [], ...this.#result(call, url.searchParams) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      status = error.status
      envelope = { success: false, errors: [{ code: error.code, message: error.message }], messages: [], result: null }
    }
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(envelope))
  }

  #result({ method, path, body }: RecordedCall, query: URLSearchParams): { result: unknown; result_info?: object } {
    const [, area = '', kind = '', name = '', part = '', detail = ''] = path.split('/')
    if (area === 'queues') return this.#queueResult(method, kind, body, query)
    if (area === 'zones') {
      const found = this.zones.filter((zone) => query.get('name') === null || zone === query.get('name'))
      return { result: kind === '' ? found.map((zone) => ({ id: `zone-${zone}`, name: zone })) : [] }
    }
    if (area !== 'workers') throw new Refusal(404, 7003, `the recorder does not know ${method} ${path}`)
    if (kind === 'subdomain') {
      if (method === 'PUT') this.subdomain = (body as { subdomain: string }).subdomain
      if (this.subdomain === null) throw new Refusal(404, 10007, 'You do not have a workers.dev subdomain')
      return { result: { subdomain: this.subdomain } }
    }
    if (kind === 'domains') {
      const entries = [...this.domains].filter(
        ([host]) => query.get('hostname') === null || host === query.get('hostname'),
      )
      return { result: entries.map(([hostname, service]) => ({ hostname, service })) }
    }
    if (kind === 'scripts' && method === 'PUT' && part === '') return { result: this.#upload(name, body) }

    const worker = this.workers.get(name)
    if (worker === undefined) throw new Refusal(404, kind === 'services' ? 10090 : 10007, 'This Worker does not exist')
    if (kind === 'services') {
      const script = {
        id: name,
        migration_tag: worker.migration_tag ?? undefined,
        last_deployed_from: 'wrangler',
        tags: [],
      }
      return { result: { id: name, default_environment: { environment: 'production', script } } }
    }
    if (kind === 'workers') {
      return { result: { id: name, name, subdomain: { enabled: worker.workers_dev, previews_enabled: false } } }
    }
    if (kind === 'scripts') return { result: this.#scriptPart(worker, name, method, part, detail, body) }
    throw new Refusal(404, 7003, `the recorder does not know ${method} ${path}`)
  }

  #queueResult(method: string, queue_id: string, body: unknown, query: URLSearchParams) {
    if (queue_id === '' && method === 'GET') {
      const names = query.getAll('name')
      const result = [...this.queues.values()].filter((queue) => names.length === 0 || names.includes(queue.queue_name))
      return { result, result_info: { page: 1, per_page: 100, total_pages: 1, count: result.length } }
    }
    if (queue_id === '') {
      const { queue_name } = body as { queue_name: string }
      if (this.queues.has(queue_name)) throw new Refusal(400, 11009, `Queue name '${queue_name}' is already taken`)
      const queue: Queue = { queue_id: `id-of-${queue_name}`, queue_name, consumers: [] }
      this.queues.set(queue_name, queue)
      return { result: queue }
    }
    // Only consumers are left: POST makes one, PUT changes it.
    const queue = [...this.queues.values()].find((known) => known.queue_id === queue_id)
    const consumer = body as QueueConsumer
    if (queue === undefined) throw new Refusal(404, 11000, 'no such queue')
    if (!this.workers.has(consumer.script_name)) throw new Refusal(404, 11100, 'no such Worker')
    const { dead_letter_queue } = consumer
    if (dead_letter_queue !== undefined && !this.queues.has(dead_letter_queue)) {
      throw new Refusal(404, 11000, `no queue ${dead_letter_queue}`)
    }
    if (method === 'POST' && queue.consumers.length > 0) throw new Refusal(400, 11004, 'the queue has a consumer')
    const kept = {
      ...consumer,
      consumer_id: `${queue_id}-consumer`,
      type: 'worker',
      service: consumer.script_name,
      environment: 'production',
    }
    queue.consumers = [kept]
    return { result: kept }
  }

  #upload(name: string, body: unknown) {
    const { main_module, modules, compatibility_date, compatibility_flags = [], migrations, ...upload } = body as Upload
    const before = this.workers.get(name)
    // A later upload may leave a binding as it is.
    const bindings = upload.bindings.map((binding) => {
      if (binding.type !== 'inherit') return binding
      const kept = before?.bindings.find((known) => known.name === binding.name)
      if (kept === undefined) throw new Refusal(400, 10057, `inherit binding '${binding.name}' is invalid`)
      return kept
    })
    for (const { type, service, queue_name } of bindings) {
      if (type === 'service' && !this.workers.has(service ?? '')) throw new Refusal(400, 10143, `no service ${service}`)
      if (type === 'queue' && !this.queues.has(queue_name ?? ''))
        throw new Refusal(400, 11000, `no queue ${queue_name}`)
    }
    if (migrations !== undefined && before?.migration_tag === migrations.new_tag) {
      throw new Refusal(412, 10079, 'migration tag precondition failed')
    }
    this.workers.set(name, {
      schedules: [],
      routes: [],
      domains: [],
      workers_dev: false,
      ...before,
      main_module,
      modules,
      compatibility_date,
      compatibility_flags,
      bindings,
      migration_tag: migrations?.new_tag ?? before?.migration_tag ?? null,
      versions: (before?.versions ?? 0) + 1,
    })
    const id = crypto.randomUUID()
    return {
      id,
      etag: 'etag',
      deployment_id: id.replaceAll('-', ''),
      startup_time_ms: 5,
      resources: { script: { etag: 'etag' } },
    }
  }

  #scriptPart(
    worker: UploadedWorker,
    name: string,
    method: string,
    part: string,
    detail: string,
    body: unknown,
  ): unknown {
    switch (`${method} ${part}${detail && `/${detail}`}`) {
      case 'GET secrets':
        return worker.bindings.filter(({ type }) => type === 'secret_text').map(({ name, type }) => ({ name, type }))
      case 'POST versions':
        return this.#upload(name, body)
      case 'GET deployments':
        return { deployments: [] }
      case 'POST deployments':
        return { id: crypto.randomUUID() }
      case 'PATCH script-settings':
        return { tags: [] }
      case 'GET settings':
        return {
          bindings: worker.bindings.map(({ text, ...binding }) =>
            binding.type === 'secret_text' ? binding : { text, ...binding },
          ),
        }
      case 'GET script-settings':
        return { tags: [] }
      case 'POST subdomain':
        worker.workers_dev = (body as { enabled: boolean }).enabled
        return { enabled: worker.workers_dev, previews_enabled: false }
      case 'PUT schedules':
        worker.schedules = (body as { cron: string }[]).map(({ cron }) => cron)
        return { schedules: body }
      case 'PUT routes':
        worker.routes = (body as { pattern: string }[]).map(({ pattern }) => pattern)
        return body
      case 'POST domains/changeset':
        return { added: [], removed: [], updated: [], conflicting: [] }
      case 'PUT domains/records':
        worker.domains = (body as { origins: { hostname: string }[] }).origins.map(({ hostname }) => hostname)
        for (const host of worker.domains) this.domains.set(host, name)
        return []
      default:
        throw new Refusal(404, 7003, `the recorder does not know ${method} ${part} of a script`)
    }
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (bytes.length === 0) return null
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) return JSON.parse(bytes.toString())
  const form = await new Response(bytes, { headers: { 'Content-Type': type } }).formData()
  const metadata = form.get('metadata')
  const modules: [string, string][] = []
  for (const [name, part] of form) {
    if (typeof part !== 'string' && part.type.startsWith('application/javascript'))
      modules.push([name, await part.text()])
  }
  return { ...JSON.parse(typeof metadata === 'string' ? metadata : '{}'), modules }
}
