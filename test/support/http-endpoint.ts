import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface Endpoint {
  /** No slash at the end. */
  url: string
  stop(): Promise<void>
}

/** A small HTTP server on a free port; `answer` gets the whole body. */
export async function startEndpoint(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => Promise<void> | void,
): Promise<Endpoint> {
  const server = createServer(async (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    for await (const chunk of request) body += chunk
    await answer(request, body, response)
  })
  // workerd keeps connections open and reports one that closes under its hands as a failed request.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What a test reads back: every request the endpoint took, by a mark the test put into it. */
export class Journal<Entry> {
  readonly #entries: { mark: string; entry: Entry }[] = []
  add(mark: string, entry: Entry) {
    this.#entries.push({ mark, entry })
  }
  of(mark: string): Entry[] {
    return this.#entries.filter((known) => known.mark === mark).map(({ entry }) => entry)
  }
}
