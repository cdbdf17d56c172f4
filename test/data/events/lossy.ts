import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * An Upstash endpoint whose answers to a path get lost: the command has run, its sender sees a broken connection.
 *
 * @param between - runs after the first such command and before its repeat
 */
export async function loseAnswers(url: string, path: string, times: number, between: () => Promise<unknown>) {
  let lost = 0
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const answer = await fetch(new URL(request.url ?? '/', url), {
      method: 'POST',
      headers: { authorization: request.headers.authorization ?? '', 'upstash-encoding': 'base64' },
      body: Buffer.concat(chunks),
    })
    const body = await answer.text()
    if (request.url === path && lost < times) {
      lost++
      await between()
      response.destroy()
      return
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost: () => lost,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
