import { SMTPServer } from 'smtp-server'
import type { Mailbox } from './mailbox.ts'

/** Largest mail taken, in bytes. */
const SIZE = 50 * 1024 * 1024

/** Takes mail for anybody from anybody; a login is possible, with any name and password. Resolves to the port. */
export async function startSmtp(mailbox: Mailbox, port: number): Promise<{ port: number; stop(): Promise<void> }> {
  const server = new SMTPServer({
    name: 'inbox.localhost',
    banner: 'every mail stays here',
    size: SIZE,
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onAuth: ({ username }, _session, done) => done(null, { user: username ?? 'anybody' }),
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (stream.sizeExceeded) {
          return done(Object.assign(new Error('5.3.4 Message too big'), { responseCode: 552 }))
        }
        const to = session.envelope.rcptTo.map(({ address }) => address)
        mailbox.add(to, Buffer.concat(chunks), new Date()).then(
          ({ id }) => done(null, `2.0.0 kept as ${id}`),
          (error: Error) => done(Object.assign(error, { responseCode: 451 })),
        )
      })
    },
  })
  // A client that goes away in the middle is its own business.
  server.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
