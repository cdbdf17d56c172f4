import { createServer } from 'node:net'

/** A free loopback port: the wished one if it is free, else any. */
export async function freePort(wish = 0): Promise<number> {
  return (wish ? await tryPort(wish) : null) ?? (await tryPort(0)) ?? 0
}

/** @throws when the port is taken: somebody asked for exactly this one */
export async function thisPort(port: number, purpose: string): Promise<number> {
  if ((await tryPort(port)) === null) throw new Error(`port ${port}, wanted for ${purpose}, is in use`)
  return port
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const got = typeof address === 'object' && address ? address.port : null
      server.close(() => resolve(got))
    })
  })
}
