// A cable that can be pulled: TCP passed on to another port, or not.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Cable {
  /** `host:port` to connect to. */
  host: string
  /** Ends what is open and refuses what comes. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** @param to - `host:port` of the server behind it */
export async function layCable(to: string): Promise<Cable> {
  const [host = '127.0.0.1', port = '0'] = to.split(':')
  const open = new Set<Socket>()
  let whole = true
  const server = createServer((near) => {
    if (!whole) return void near.resetAndDestroy()
    const far = connect(Number(port), host)
    for (const socket of [near, far]) {
      open.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          open.delete(socket)
          near.destroy()
          far.destroy()
        })
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = () => {
    for (const socket of open) socket.resetAndDestroy()
  }
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      whole = false
      drop()
    },
    mend() {
      whole = true
    },
    close() {
      drop()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
