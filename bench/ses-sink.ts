// Amazon SES v2 as far as a sender needs it, in a process of its own (`node bench/ses-sink.ts`): accepts every mail once the
// round trip is over, keeps none, and counts as bench/sink.ts does. It looks at no signature.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { SinkCounts, SinkNews, SinkOrder } from './sink.ts'

/** What GetAccount says: more than is sent here, so that it holds nobody up. */
const QUOTA = { SendQuota: { MaxSendRate: 1000, Max24HourSend: 50_000_000, SentLast24Hours: 0 } }

let counts: SinkCounts
let recipients: Set<string>
let expected = 0
let round_trip = 0

function reset(expect: number): void {
  counts = { accepted: 0, unique: 0, bytes: 0, connections: counts?.connections ?? 0, last_at: 0 }
  recipients = new Set()
  expected = expect
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => later(() => take(request, Buffer.concat(chunks), response)))
})

function take(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  if (request.method !== 'POST') return void response.end(JSON.stringify(QUOTA))
  const { Destination }: { Destination: { ToAddresses: string[] } } = JSON.parse(body.toString('utf8'))
  for (const address of Destination.ToAddresses) recipients.add(address.toLowerCase())
  counts.accepted++
  counts.bytes += body.length
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ MessageId: `bench-${counts.accepted}` }))
  if (counts.accepted !== expected) return
  counts.last_at = Date.now()
  counts.unique = recipients.size
  tell({ complete: counts })
}

function later(act: () => void): void {
  if (round_trip === 0) act()
  else setTimeout(act, round_trip)
}

function tell(news: SinkNews): void {
  if (process.send) process.send(news)
  else console.log(JSON.stringify(news))
}

reset(0)
// A connection that is closed under a sender's hands is a failed request.
server.keepAliveTimeout = 0
server.on('connection', () => counts.connections++)
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  tell({ port: typeof address === 'object' && address ? address.port : 0 })
})
process.on('message', (order: SinkOrder) => {
  if (order !== 'report') {
    round_trip = order.round_trip
    return reset(order.start)
  }
  counts.unique = recipients.size
  tell({ counts })
})
process.on('disconnect', () => process.exit())
