// Fault servers for tests inside workerd, which cannot listen themselves: POST options -> { port }, GET /port -> sessions.
import { createServer } from 'node:http'
import type { Certificates } from './certificates.ts'
import { type FaultServer, startFaultServer } from './smtp-fault-server.ts'

export async function startFaultControl(certificates: Certificates): Promise<{ url: string; stop(): Promise<void> }> {
  const servers = new Map<string, FaultServer>()
  const http = createServer(async (request, response) => {
    if (request.method === 'POST') {
      let body = ''
      for await (const chunk of request) body += chunk
      const server = await startFaultServer(JSON.parse(body), certificates)
      servers.set(`/${server.port}`, server)
      response.end(JSON.stringify({ port: server.port }))
      return
    }
    const server = servers.get(request.url ?? '')
    if (!server) response.writeHead(404)
    response.end(JSON.stringify(server?.sessions ?? []))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const address = http.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    async stop() {
      for (const server of servers.values()) await server.close()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
