import { ConnectionLost, type Reply, ReplyBuffer } from './reply.ts'

/** What is used of a socket of cloudflare:sockets. */
export interface RawSocket {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly opened: Promise<unknown>
  readonly closed: Promise<unknown>
  close(): Promise<void>
  startTls(): RawSocket
}

/** Opens a TCP socket; `connect` of cloudflare:sockets fits. */
export type OpenSocket = (
  address: { hostname: string; port: number },
  options: { secureTransport: 'on' | 'off' | 'starttls'; allowHalfOpen: boolean },
) => RawSocket

const encoder = new TextEncoder()

/**
 * A socket read reply by reply, with a clock on every wait. Whatever goes wrong (closed, reset, too slow, not
 * SMTP) is a ConnectionLost, after which the connection is never used again: a late answer would be taken for the next
 * command's.
 */
export class Wire {
  #socket: RawSocket
  #reader: ReadableStreamDefaultReader<Uint8Array>
  #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #replies = new ReplyBuffer()
  /** No wait goes beyond this moment (ms since 1970). */
  deadline = Number.POSITIVE_INFINITY
  /** Longest wait for one step, ms. */
  readonly #patience: number
  #timer: ReturnType<typeof setTimeout> | null = null
  /** When the timer rings (ms since 1970); the step under way may have got more time since. */
  #rings = 0
  /** When the step under way is given up (ms since 1970). */
  #due = 0
  #give_up: (() => void) | null = null

  constructor(socket: RawSocket, patience: number) {
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

  /**
   * Hands over bytes without waiting: an answer is always read next, and a connection that takes no more bytes gives no
   * answer either.
   * @throws {ConnectionLost} when the deadline has passed: then nothing of it left
   */
  write(data: string | Uint8Array): void {
    if (Date.now() >= this.deadline) throw new ConnectionLost('no time was left')
    this.#writer.write(typeof data === 'string' ? encoder.encode(data) : data).catch(() => {})
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
    this.write(`${line}\r\n`)
    return await this.read()
  }

  /** Something arrived that no command asked for. */
  get has_unasked(): boolean {
    return !this.#replies.empty
  }

  /** The same connection, encrypted; to be called right after the 220 to STARTTLS. @throws {ConnectionLost} */
  async startTls(): Promise<Wire> {
    this.rest()
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
    this.rest()
    this.#socket.close().catch(() => {})
  }

  /** Stops the clock between two groups: a pending timer would keep the invocation alive. */
  rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** One step under the clock. There is one timer for many steps: a timer for each would cost more than the step. */
  #within<T>(step: Promise<T>, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = <V>(settle: (value: V) => void) => {
        return (value: V) => {
          this.#give_up = null
          settle(value)
        }
      }
      const now = Date.now()
      this.#due = Math.min(now + this.#patience, this.deadline)
      this.#give_up = () => reject(new ConnectionLost(`no ${what} in time`))
      if (this.#timer === null || this.#due < this.#rings) this.#ring(now)
      step.then(
        ended(resolve),
        ended((error: unknown) => reject(new ConnectionLost(reason(error)))),
      )
    })
  }

  #ring(now: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#rings = this.#due
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        if (this.#give_up === null) return
        // Not Date.now() alone: in workerd the clock stands still between two inputs.
        const later = Math.max(Date.now(), this.#rings)
        if (later < this.#due) this.#ring(later)
        else this.#give_up()
      },
      Math.max(0, this.#due - now),
    )
  }
}

/** The socket's own promises reject when the peer goes away; the reads and writes tell us already. */
function ignoreRejections(socket: RawSocket): void {
  socket.closed.catch(() => {})
  socket.opened.catch(() => {})
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
