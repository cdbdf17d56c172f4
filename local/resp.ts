// A client of real Redis, small because it needs little: one connection, commands in, replies out, in order
// (RESP2, redis.io/docs/latest/develop/reference/protocol-spec).
import { connect, type Socket } from 'node:net'

/** A command's reply as Redis gives it; a refused command is a value, since others of its pipeline did run. */
export type Reply = string | number | null | RedisFault | Reply[]

export class RedisFault {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** What runs commands: real Redis, or the built-in engine. */
export interface RedisBackend {
  /** Runs commands in order; others may run between them. */
  pipeline(commands: string[][]): Promise<Reply[]>
  /** Runs commands as MULTI/EXEC does: nothing comes between, and one that cannot be queued discards all. */
  transaction(commands: string[][]): Promise<Reply[] | RedisFault>
  close(): Promise<void>
}

export async function connectResp(port: number): Promise<RedisBackend> {
  const waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = []
  const parser = new Parser()
  let lost: Error | null = null
  const socket = await open(port)
  socket.on('data', (chunk) => {
    for (const reply of parser.feed(chunk)) waiting.shift()?.resolve(reply)
  })
  const fail = (error: Error) => {
    lost ??= error
    for (const { reject } of waiting.splice(0)) reject(lost)
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection to Redis is closed')))

  const send = (commands: string[][]): Promise<Reply[]> => {
    if (lost) return Promise.reject(lost)
    const replies = commands.map(() => new Promise<Reply>((resolve, reject) => waiting.push({ resolve, reject })))
    socket.write(commands.map(encode).join(''))
    return Promise.all(replies)
  }
  return {
    pipeline: send,
    async transaction(commands) {
      const replies = await send([['MULTI'], ...commands, ['EXEC']])
      const result = replies.at(-1)
      return Array.isArray(result) ? result : result instanceof RedisFault ? result : new RedisFault('ERR no answer')
    },
    async close() {
      // The server went first: its end is not announced twice.
      if (lost) return
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.end()
      await closed
    },
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

const encode = (command: string[]) =>
  `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`

/** Thrown inside the parser only: the rest of this reply has not arrived. */
const MORE = Symbol('more')

class Parser {
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0

  feed(chunk: Buffer | string): Reply[] {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    this.#buffer = this.#buffer.length ? Buffer.concat([this.#buffer, bytes]) : bytes
    const replies: Reply[] = []
    this.#at = 0
    let whole = 0
    try {
      while (whole < this.#buffer.length) {
        replies.push(this.#reply())
        whole = this.#at
      }
    } catch (error) {
      if (error !== MORE) throw error
    }
    this.#buffer = this.#buffer.subarray(whole)
    return replies
  }

  #reply(): Reply {
    const line = this.#line()
    const rest = line.slice(1)
    switch (line[0]) {
      case '+':
        return rest
      case '-':
        return new RedisFault(rest)
      case ':':
        return Number(rest)
      case '$':
        return rest === '-1' ? null : this.#bulk(Number(rest))
      case '*':
        return rest === '-1' ? null : Array.from({ length: Number(rest) }, () => this.#reply())
      default:
        throw new Error(`not a Redis reply: ${line}`)
    }
  }

  #line(): string {
    const end = this.#buffer.indexOf('\r\n', this.#at)
    if (end < 0) throw MORE
    const line = this.#buffer.toString('utf8', this.#at, end)
    this.#at = end + 2
    return line
  }

  #bulk(length: number): string {
    const end = this.#at + length
    if (this.#buffer.length < end + 2) throw MORE
    const text = this.#buffer.toString('utf8', this.#at, end)
    this.#at = end + 2
    return text
  }
}
