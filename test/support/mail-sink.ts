// A mail server that takes everything and writes down who it was for: the witness of what really went out.
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface Sink {
  port: number
  /** One entry per mail that was accepted, in order. */
  accepted: { to: string; message_id: string; unsubscribe_url: string }[]
  /** Ms before each mail is accepted: time to do something to the sender. */
  delay: number
  /** Called when a mail has come in whole (`source`, as bytes in latin1), before its reply. A number is refused with that code. */
  onMail: (nth: number, to: string, source: string, envelope_from: string) => number | undefined
  close(): Promise<void>
}

export async function startSink(): Promise<Sink> {
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, done) {
      let text = ''
      stream.setEncoding('latin1')
      stream.on('data', (chunk: string) => {
        text += chunk
      })
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const to = rcptTo[0]?.address ?? ''
        const envelope_from = mailFrom ? mailFrom.address : ''
        const refused = sink.onMail(sink.accepted.length + 1, to, text, envelope_from)
        if (refused !== undefined) return done(Object.assign(new Error('as the test wants'), { responseCode: refused }))
        const message_id = /^Message-ID: *(?:\r\n +)?<([^>]+)>/im.exec(text)?.[1] ?? ''
        const unsubscribe_url = /^List-Unsubscribe:\s*<([^>]+)>/im.exec(text)?.[1]?.replace(/\s/g, '') ?? ''
        setTimeout(() => {
          sink.accepted.push({ to, message_id, unsubscribe_url })
          done()
        }, sink.delay)
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const sink: Sink = {
    port: (server.server.address() as AddressInfo).port,
    accepted: [],
    delay: 0,
    onMail: () => undefined,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return sink
}
