// A program of somebody else's that takes messages: a real HTTP server, polite or not.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'

export interface Taken {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Receiver {
  /** No slash at the end. */
  url: string
  /** What came, oldest first. */
  taken: Taken[]
  /** How it behaves from now on. */
  answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>
  stop(): Promise<void>
}

export const ok = (_: IncomingMessage, response: ServerResponse) => {
  response.end('thanks')
}

/** On a free port of this computer; it answers 200 until it is told otherwise. */
export async function startReceiver(): Promise<Receiver> {
  const taken: Taken[] = []
  const server: Server = createServer(async (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    for await (const chunk of request) body += chunk
    taken.push({ path: request.url ?? '', headers: request.headers, body })
    receiver.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    taken,
    answer: ok,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}

/**
 * For tests inside workerd, which cannot reach into this process: `/<name>/<status>` is answered with that status, `/<name>/open`
 * with an answer that never ends; `GET /<name>` shows what came under that name.
 */
export const answerByPath =
  ({ taken }: Receiver): Receiver['answer'] =>
  ({ method, url = '' }, response) => {
    const [, name, how] = url.split('/')
    if (method === 'GET') response.end(JSON.stringify(taken.filter(({ path }) => path.startsWith(`/${name}/`))))
    else if (how === 'open') response.writeHead(200).write('x'.repeat(100_000))
    else response.writeHead(Number(how), { location: `/${name}/200` }).end(`answered ${how}`)
  }
