// HTTP load in a process of its own over keep-alive connections, where every answer is looked at. Either each connection
// asks again as soon as it is answered, or requests fall due at a fixed rate; then each is timed from the moment it was due,
// so that one slow answer is seen in all that had to wait behind it.
import { connect, type Socket } from 'node:net'

/** What an answer must be. */
export interface Expected {
  status: number
  /** One header with its value, e.g. `location: https://example.com/`. */
  header: string
}

export interface LoadOrder {
  port: number
  /** Requested in turn. */
  paths: string[]
  requests: number
  connections: number
  expected: Expected
  /** Requests a second; as many as possible when it is left out. */
  rate?: number
}

export interface LoadReport {
  ms: number
  /** Answers that were not what was expected. */
  wrong: number
  /** The first of them. */
  example: string | null
  /** Ms from due to answered, of half and of 99 in 100 requests. */
  p50: number
  p99: number
}

const HEAD_END = '\r\n\r\n'

process.on('message', (order: LoadOrder) => {
  load(order).then(
    (report) => process.send?.(report),
    (error) => process.send?.({ ...FAILED, wrong: order.requests, example: String(error) } satisfies LoadReport),
  )
})
process.on('disconnect', () => process.exit())

const FAILED: LoadReport = { ms: 0, wrong: 0, example: null, p50: 0, p99: 0 }

function load({ port, paths, requests, connections, expected, rate }: LoadOrder): Promise<LoadReport> {
  const status = `HTTP/1.1 ${expected.status} `
  const header = `\r\n${expected.header.toLowerCase()}\r\n`
  const took: number[] = []
  const idle: Socket[] = []
  let asked = 0
  let wrong = 0
  let example: string | null = null
  const began = performance.now()
  /** When request n falls due, in ms; without a rate all are due at once, and timed from when they were sent. */
  const due = (n: number) => (rate === undefined ? performance.now() : began + (n * 1000) / rate)

  const check = (head: string) => {
    if (head.startsWith(status) && head.toLowerCase().includes(header)) return
    wrong++
    example ??= head
  }

  return new Promise((resolve, reject) => {
    const sent = new Map<Socket, number>()
    const ask = (socket: Socket) => {
      if (asked === requests) return idle.push(socket)
      const at = due(asked)
      if (at > performance.now()) return idle.push(socket)
      sent.set(socket, at)
      return socket.write(`GET ${paths[asked++ % paths.length]} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    }
    const answered = (socket: Socket) => {
      took.push(performance.now() - (sent.get(socket) ?? 0))
      if (took.length < requests) return ask(socket)
      const ms = performance.now() - began
      took.sort((a, b) => a - b)
      const share = (part: number) => took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? 0
      resolve({ ms, wrong, example, p50: share(0.5), p99: share(0.99) })
      for (const socket of idle.concat([...sent.keys()])) socket.removeAllListeners('close').destroy()
    }
    for (let n = 0; n < connections; n++) {
      const socket = connect(port, '127.0.0.1')
      let text = ''
      socket.setNoDelay(true)
      socket.on('connect', () => ask(socket))
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('the server closed a connection')))
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        const end = answerEnd(text)
        if (end < 0 || text.length < end) return
        check(text.slice(0, text.indexOf(HEAD_END) + 2))
        text = text.slice(end)
        answered(socket)
      })
    }
    if (rate === undefined) return
    const wake = () => {
      while (idle.length > 0 && asked < requests && due(asked) <= performance.now()) {
        const socket = idle.pop()
        if (socket) ask(socket)
      }
      // Not at once: what turns in circles takes a core from the server.
      if (asked < requests) setTimeout(wake, 1)
    }
    wake()
  })
}

/** Where the first answer in `text` ends, which may be beyond it; -1 while that cannot be said. */
function answerEnd(text: string): number {
  const head_end = text.indexOf(HEAD_END)
  if (head_end < 0) return -1
  const head = text.slice(0, head_end).toLowerCase()
  const length = /\r\ncontent-length: *(\d+)/.exec(head)
  if (length) return head_end + HEAD_END.length + Number(length[1])
  if (!head.includes('\r\ntransfer-encoding: chunked')) return head_end + HEAD_END.length
  const last = text.indexOf('0\r\n\r\n', head_end)
  return last < 0 ? -1 : last + 5
}
