/** One SMTP reply, all its lines together (RFC 5321 4.2). */
export interface Reply {
  code: number
  /** Enhanced status (RFC 3463), only when it agrees with the code's class: "5.1.1". */
  enhanced: string | null
  /** Text of each line, without code. */
  lines: string[]
}

/** The connection is over: closed, silent for too long, or out of step. What that means for a mail depends on how far it got. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost'
}

/** A server that sends this much without ending a reply is not speaking SMTP. */
const REPLY_LIMIT = 65_536

/** Cuts what arrives, in whatever pieces, into replies. */
export class ReplyBuffer {
  #rest = ''
  #lines: string[] = []
  #size = 0
  readonly #decoder = new TextDecoder()

  push(chunk: Uint8Array): void {
    this.#rest += this.#decoder.decode(chunk, { stream: true })
    if (this.#size + this.#rest.length > REPLY_LIMIT) throw new ConnectionLost('the server sends no end of a reply')
  }

  /** Nothing has arrived beyond the replies that were taken. */
  get empty(): boolean {
    return this.#rest === '' && this.#lines.length === 0
  }

  /** The next whole reply, or null when more must arrive first. @throws {ConnectionLost} on what is no reply */
  take(): Reply | null {
    for (;;) {
      const end = this.#rest.indexOf('\n')
      if (end < 0) return null
      const line = this.#rest.slice(0, this.#rest.charCodeAt(end - 1) === 13 ? end - 1 : end)
      this.#rest = this.#rest.slice(end + 1)
      if (!/^[2-5][0-9][0-9](?:[ -]|$)/.test(line)) throw new ConnectionLost('the server does not speak SMTP')
      this.#lines.push(line.slice(4))
      this.#size += line.length
      if (line.charCodeAt(3) === 45) continue
      const code = Number(line.slice(0, 3))
      const lines = this.#lines
      this.#lines = []
      this.#size = 0
      return { code, enhanced: enhancedStatus(line), lines }
    }
  }
}

function enhancedStatus(line: string): string | null {
  const match = /^([245])[0-9][0-9] (\1\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)/.exec(line)
  return match?.[2] ?? null
}

/** "550 5.1.1 no such user", as one line. */
export const replyText = (reply: Reply): string => `${reply.code} ${reply.lines.join(' ')}`.trimEnd()
