// The server side of Dovecot's authentication protocol 1.1, as far as Postfix speaks it: PLAIN and LOGIN against one user.
import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export interface SaslServer {
  port: number
  stop(): Promise<void>
}

export async function startSaslServer(user: { username: string; password: string }): Promise<SaslServer> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => {})
    const say = (...fields: string[]) => socket.write(`${fields.join('\t')}\n`)
    say('VERSION', '1', '1')
    for (const mechanism of ['PLAIN', 'LOGIN']) say('MECH', mechanism, 'plaintext')
    say('SPID', '1')
    say('CUID', '1')
    say('COOKIE', randomBytes(16).toString('hex'))
    say('DONE')
    /** What a LOGIN has given so far, by request. */
    const logins = new Map<string, string[]>()
    const verdict = (id: string, username = '', password = '') =>
      username === user.username && password === user.password
        ? say('OK', id, `user=${username}`)
        : say('FAIL', id, `user=${username}`)
    createInterface({ input: socket }).on('line', (line) => {
      const [verb, id = '', third = '', ...rest] = line.split('\t')
      if (verb === 'AUTH' && third === 'PLAIN') {
        const response = rest.find((field) => field.startsWith('resp='))?.slice('resp='.length) ?? ''
        const [, username, password] = Buffer.from(response, 'base64').toString('utf8').split('\0')
        verdict(id, username, password)
      } else if (verb === 'AUTH') {
        logins.set(id, [])
        say('CONT', id, Buffer.from('Username:').toString('base64'))
      } else if (verb === 'CONT') {
        const given = [...(logins.get(id) ?? []), Buffer.from(third, 'base64').toString('utf8')]
        logins.set(id, given)
        if (given.length === 1) say('CONT', id, Buffer.from('Password:').toString('base64'))
        else verdict(id, given[0], given[1])
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stop() {
      for (const socket of open) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
