// HTTP load in a process of its own: so many keep-alive connections, each with one request under way, and every answer
// is looked at.
import { connect } from 'node:net'

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
}

export interface LoadReport {
  ms: number
  /** Answers that were not what was expected. */
  wrong: number
  /** The first of them. */
  example: string | null
}

const HEAD_END = '\r\n\r\n'

process.on('message', (order: LoadOrder) => {
  load(order).then(
    (report) => process.send?.(report),
    (error) => process.send?.({ ms: 0, wrong: order.requests, example: String(error) } satisfies LoadReport),
  )
})
process.on('disconnect', () => process.exit())

async function load({ port, paths, requests, connections, expected }: LoadOrder): Promise<LoadReport> {
  const status = `HTTP/1.1 ${expected.status} `
  const header = `\r\n${expected.header.toLowerCase()}\r\n`
  let next = 0
  let wrong = 0
  let example: string | null = null
  const began = performance.now()

  const check = (head: string) => {
    if (head.startsWith(status) && head.toLowerCase().includes(header)) return
    wrong++
    example ??= head
  }

  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let text = ''
      const ask = () => {
        if (next === requests) {
          socket.destroy()
          return resolve()
        }
        socket.write(`GET ${paths[next++ % paths.length]} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
      }
      socket.setNoDelay(true)
      socket.on('connect', ask)
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('the server closed a connection')))
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        const end = answerEnd(text)
        if (end < 0 || text.length < end) return
        check(text.slice(0, text.indexOf(HEAD_END) + 2))
        text = text.slice(end)
        ask()
      })
    })

  await Promise.all(Array.from({ length: connections }, one))
  return { ms: performance.now() - began, wrong, example }
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
