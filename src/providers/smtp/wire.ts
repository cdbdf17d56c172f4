import { ConnectionLost, type Reply, ReplyBuffer } from './reply.ts'

/** Opens a TCP socket; `connect` of cloudflare:sockets fits. */
export type OpenSocket = (
  address: { hostname: string; port: number },
  options: { secureTransport: 'on' | 'off' | 'starttls'; allowHalfOpen: boolean },
) => Socket

const encoder = new TextEncoder()

/**
 * A socket read reply by reply, with a clock on every read and write. Whatever goes wrong (closed, reset, too slow, not
 * SMTP) is a ConnectionLost, after which the connection is never used again: a late answer would be taken for the next
 * command's.
 */
export class Wire {
  #socket: Socket
  #reader: ReadableStreamDefaultReader<Uint8Array>
  #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #replies = new ReplyBuffer()
  /** No wait goes beyond this moment (ms since 1970). */
  deadline = Number.POSITIVE_INFINITY
  /** Longest wait for one step, ms. */
  readonly #patience: number

  constructor(socket: Socket, patience: number) {
    this.#patience = patience
    this.#socket = socket
    this.#reader = socket.readable.getReader()
    this.#writer = socket.writable.getWriter()
    ignoreRejections(socket)
  }

  /** @throws {ConnectionLost} refused, unreachable, or no TLS with this host */
  async opened(): Promise<void> {
    await this.#within(this.#socket.opened, 'connection')
  }

  /** @throws {ConnectionLost} */
  async write(data: string | Uint8Array): Promise<void> {
    await this.#within(
      this.#writer.write(typeof data === 'string' ? encoder.encode(data) : data),
      'progress in writing',
    )
  }

  /** @throws {ConnectionLost} */
  async read(): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.take()
      if (reply !== null) return reply
      const { done, value } = await this.#within(this.#reader.read(), 'answer')
      if (done) throw new ConnectionLost('the server closed the connection')
      this.#replies.push(value)
    }
  }

  /** @throws {ConnectionLost} */
  async command(line: string): Promise<Reply> {
    await this.write(`${line}\r\n`)
    return await this.read()
  }

  /** Something arrived that no command asked for. */
  get has_unasked(): boolean {
    return !this.#replies.empty
  }

  /** The same connection, encrypted; to be called right after the 220 to STARTTLS. @throws {ConnectionLost} */
  async startTls(): Promise<Wire> {
    this.#reader.releaseLock()
    this.#writer.releaseLock()
    let secured: Wire
    try {
      secured = new Wire(this.#socket.startTls(), this.#patience)
    } catch (error) {
      throw new ConnectionLost(reason(error))
    }
    secured.deadline = this.deadline
    await secured.opened()
    return secured
  }

  /** Lets go of the socket at once; never throws, never waits. */
  drop(): void {
    this.#socket.close().catch(() => {})
  }

  async #within<T>(step: Promise<T>, what: string): Promise<T> {
    const ms = Math.min(this.#patience, this.deadline - Date.now())
    let timer: ReturnType<typeof setTimeout> | null = null
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new ConnectionLost(`no ${what} in time`)), Math.max(0, ms))
    })
    try {
      return await Promise.race([step, late])
    } catch (error) {
      throw error instanceof ConnectionLost ? error : new ConnectionLost(reason(error))
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The socket's own promises reject when the peer goes away; the reads and writes tell us already. */
function ignoreRejections(socket: Socket): void {
  socket.closed.catch(() => {})
  socket.opened.catch(() => {})
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
