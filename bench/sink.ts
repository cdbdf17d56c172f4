// A bare SMTP sink in a process of its own (`node bench/sink.ts`): takes every mail, keeps none, and counts them and
// their recipients. It does as little as a server can, so that the sender is what is measured. It may be as far away as it
// is told: then what it hears and says is on its way for half a round trip.
import { createServer, type Socket } from 'node:net'

/** What has arrived since the last `start`. */
export interface SinkCounts {
  /** Mails whose final dot was answered with 250. */
  accepted: number
  /** Different recipients among them. */
  unique: number
  /** Octets of these mails on the wire, final dots included. */
  bytes: number
  connections: number
  /** Moment of the last answer (ms since 1970). */
  last_at: number
}

/**
 * From the parent process: forget everything, be so many ms away (there and back), and say when so many mails are in; or
 * say how things stand.
 */
export type SinkOrder = { start: number; round_trip: number } | 'report'
/** To the parent process. */
export type SinkNews = { port: number } | { complete: SinkCounts } | { counts: SinkCounts }

const END = Buffer.from('\r\n.\r\n')
const NEWLINE = 10

let counts: SinkCounts
let recipients: Set<string>
let expected = 0
/** How long everything takes in one direction, in ms. */
let away = 0

/** What happens at the other end of the line. Nothing overtakes what was sent before it: timers of one length keep their order. */
function later(act: () => void): void {
  if (away === 0) act()
  else setTimeout(act, away)
}

function reset(expect: number): void {
  counts = { accepted: 0, unique: 0, bytes: 0, connections: 0, last_at: 0 }
  recipients = new Set()
  expected = expect
}

function serve(socket: Socket): void {
  let line = ''
  let in_data = false
  /** The last octets of the data so far: the final dot may come in pieces. */
  let tail: Buffer = Buffer.from('\r\n')
  let envelope: string[] = []
  counts.connections++

  /** @returns where the data ends in `chunk`, or -1 */
  const endOfData = (chunk: Buffer, from: number): number => {
    const seam = Buffer.concat([tail, chunk.subarray(from, from + END.length - 1)])
    const split = seam.indexOf(END)
    if (split >= 0) return from + split + END.length - tail.length
    const whole = chunk.indexOf(END, from)
    if (whole >= 0) return whole + END.length
    tail = chunk.length - from >= END.length - 1 ? chunk.subarray(1 - END.length) : seam.subarray(1 - END.length)
    return -1
  }

  const command = (text: string): string => {
    switch (text.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        return '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 0\r\n'
      case 'RCPT':
        envelope.push(text.slice(text.indexOf('<') + 1, text.lastIndexOf('>')).toLowerCase())
        return '250 2.1.5 OK\r\n'
      case 'MAIL':
      case 'RSET':
        envelope = []
        return '250 2.1.0 OK\r\n'
      case 'DATA':
        in_data = true
        tail = Buffer.from('\r\n')
        return '354 go on\r\n'
      case 'HELO':
      case 'NOOP':
        return '250 OK\r\n'
      case 'QUIT':
        return '221 2.0.0 bye\r\n'
      default:
        return '500 5.5.1 unknown\r\n'
    }
  }

  socket.setNoDelay(true)
  socket.on('error', () => {})
  later(() => socket.write('220 sink ESMTP\r\n'))
  socket.on('data', (chunk: Buffer) => later(() => take(chunk)))
  const take = (chunk: Buffer) => {
    let answers = ''
    let at = 0
    while (at < chunk.length) {
      if (in_data) {
        const end = endOfData(chunk, at)
        counts.bytes += (end < 0 ? chunk.length : end) - at
        if (end < 0) break
        at = end
        in_data = false
        accept(envelope)
        envelope = []
        answers += '250 2.0.0 accepted\r\n'
        continue
      }
      const newline = chunk.indexOf(NEWLINE, at)
      line += chunk.toString('utf8', at, newline < 0 ? chunk.length : newline)
      if (newline < 0) break
      at = newline + 1
      answers += command(line.trimEnd())
      line = ''
    }
    if (answers !== '') later(() => socket.write(answers))
    if (counts.accepted === expected && counts.last_at === 0) {
      counts.last_at = Date.now() + away
      counts.unique = recipients.size
      tell({ complete: counts })
    }
  }
}

function accept(envelope: readonly string[]): void {
  counts.accepted++
  for (const recipient of envelope) recipients.add(recipient)
}

function tell(news: SinkNews): void {
  if (process.send) process.send(news)
  else console.log(JSON.stringify(news))
}

reset(0)
const server = createServer(serve)
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  tell({ port: typeof address === 'object' && address ? address.port : 0 })
})
process.on('message', (order: SinkOrder) => {
  if (order !== 'report') {
    away = order.round_trip / 2
    return reset(order.start)
  }
  counts.unique = recipients.size
  tell({ counts })
})
process.on('disconnect', () => process.exit())
