// Upstash's REST endpoint (upstash.com/docs/redis/features/restapi) over any Redis: `POST /` with one command,
// `/pipeline` and `/multi-exec` with several.
import { createServer, type IncomingMessage } from 'node:http'
import { type RedisBackend, RedisFault, type Reply } from './resp.ts'

/** Upstash refuses a larger request (free and pay-as-you-go plans). In bytes. */
const REQUEST_LIMIT = 10 * 1024 * 1024

export interface UpstashEndpoint {
  url: string
  port: number
  /** Also closes the backend. */
  stop(): Promise<void>
}

interface Answer {
  status: number
  body: unknown
}

export async function startUpstash(options: {
  backend: RedisBackend
  token: string
  port?: number
}): Promise<UpstashEndpoint> {
  const { backend, token } = options
  const server = createServer((request, response) => {
    handle(request, backend, token)
      .catch((error: unknown): Answer => ({ status: 500, body: { error: String(error) } }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
  })
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      await backend.close()
    },
  }
}

async function handle(request: IncomingMessage, backend: RedisBackend, token: string): Promise<Answer> {
  if (request.headers.authorization !== `Bearer ${token}`) {
    return { status: 401, body: { error: 'WRONGPASS invalid or missing auth token' } }
  }
  if (request.method !== 'POST') return { status: 405, body: { error: 'ERR only POST is served here' } }
  const text = await read(request)
  if (text === null) return { status: 413, body: { error: `ERR max request size exceeded (${REQUEST_LIMIT} bytes)` } }
  const encode = request.headers['upstash-encoding'] === 'base64' ? base64 : (value: Reply) => value
  const wrap = (reply: Reply) => (reply instanceof RedisFault ? { error: reply.message } : { result: encode(reply) })

  const path = request.url?.split('?')[0]
  if (path === '/') {
    const command = parseCommand(JSON.parse(text))
    if (!command) return { status: 400, body: { error: 'ERR a command is an array of strings and numbers' } }
    const [reply = null] = await backend.pipeline([command])
    return { status: reply instanceof RedisFault ? 400 : 200, body: wrap(reply) }
  }
  if (path !== '/pipeline' && path !== '/multi-exec')
    return { status: 404, body: { error: `ERR no such path ${path}` } }

  const parsed: unknown = JSON.parse(text)
  const commands = Array.isArray(parsed) ? parsed.map(parseCommand) : []
  if (commands.length === 0 || !commands.every((command) => command !== null)) {
    return { status: 400, body: { error: 'ERR a pipeline is an array of commands' } }
  }
  const replies = path === '/pipeline' ? await backend.pipeline(commands) : await backend.transaction(commands)
  if (replies instanceof RedisFault) return { status: 400, body: { error: replies.message } }
  return { status: 200, body: replies.map(wrap) }
}

function parseCommand(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  return value.map((part) => (typeof part === 'object' && part !== null ? JSON.stringify(part) : String(part)))
}

/** Every string of an answer, however deep. A status ("OK" as the whole answer) stays as it is. */
function base64(value: Reply): Reply {
  return value === 'OK' ? value : deepBase64(value)
}

function deepBase64(value: Reply): Reply {
  if (typeof value === 'string') return Buffer.from(value).toString('base64')
  return Array.isArray(value) ? value.map(deepBase64) : value
}

async function read(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > REQUEST_LIMIT) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
