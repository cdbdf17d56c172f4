// The mails that arrived: each a file as it came, and one line of an index. Only the lines are held in memory, so that
// 100,000 mails are some 50 MB.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'

/** Mails per folder: some file systems are slow with more. */
const PER_FOLDER = 1000

export interface Summary {
  id: number
  /** Envelope recipients. */
  to: string[]
  /** The From header. */
  from: string
  subject: string
  /** ISO 8601, UTC. */
  received_at: string
  /** Without angle brackets; empty when the mail has none. */
  message_id: string
  /** In bytes. */
  size: number
}

export interface Search {
  /** An envelope recipient, whole. */
  to?: string
  /** Part of a recipient, the sender or the subject. */
  query?: string
  limit: number
  /** Only mails older than the one with this id (the last of the page before). */
  after?: number
}

export class Mailbox {
  readonly #dir: string
  readonly #index: string
  readonly #summaries = new Map<number, Summary>()
  readonly #recipients = new Set<string>()
  #file: number
  #next = 1

  /** Opens the mails of earlier runs too. */
  constructor(dir: string) {
    this.#dir = dir
    this.#index = join(dir, 'index.jsonl')
    mkdirSync(dir, { recursive: true })
    this.#load()
    this.#file = openSync(this.#index, 'a')
  }

  get size(): number {
    return this.#summaries.size
  }

  get unique_recipients(): number {
    return this.#recipients.size
  }

  /** Keeps a mail. When this is done it survives the process being killed. */
  async add(to: string[], mail: Buffer, received_at: Date): Promise<Summary> {
    const id = this.#next++
    const { from, subject, messageId } = await simpleParser(headersOf(mail))
    const summary: Summary = {
      id,
      to,
      from: from?.text ?? '',
      subject: subject ?? '',
      received_at: received_at.toISOString(),
      message_id: (messageId ?? '').replace(/^<|>$/g, ''),
      size: mail.length,
    }
    if (id % PER_FOLDER === 1) mkdirSync(this.#folder(id), { recursive: true })
    await writeFile(this.#path(id), mail)
    writeSync(this.#file, `${JSON.stringify(summary)}\n`)
    this.#remember(summary)
    return summary
  }

  /** Newest first. */
  find({ to, query, limit, after }: Search): { total: number; data: Summary[] } {
    const address = to?.toLowerCase()
    const words = query?.toLowerCase()
    const found = [...this.#summaries.values()].filter(
      (mail) =>
        (address === undefined || mail.to.some((one) => one.toLowerCase() === address)) &&
        (words === undefined || `${mail.to.join(' ')} ${mail.from} ${mail.subject}`.toLowerCase().includes(words)),
    )
    found.sort((a, b) => b.id - a.id)
    const start = after === undefined ? 0 : found.findIndex(({ id }) => id < after)
    return { total: found.length, data: start < 0 ? [] : found.slice(start, start + limit) }
  }

  get(id: number): Summary | undefined {
    return this.#summaries.get(id)
  }

  /** The mail as it came. */
  raw(id: number): Promise<Buffer> {
    return readFile(this.#path(id))
  }

  clear(): void {
    truncateSync(this.#index)
    for (let first = 1; first < this.#next; first += PER_FOLDER) {
      rmSync(this.#folder(first), { recursive: true, force: true })
    }
    this.#summaries.clear()
    this.#recipients.clear()
    mkdirSync(this.#folder(this.#next), { recursive: true })
  }

  close(): void {
    closeSync(this.#file)
  }

  #load(): void {
    let text = ''
    try {
      text = readFileSync(this.#index, 'utf8')
    } catch {
      return
    }
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    // A line that a killed process did not finish: that mail was never acknowledged.
    if (whole.length < text.length) truncateSync(this.#index, Buffer.byteLength(whole))
    for (const line of whole.split('\n')) {
      if (line) this.#remember(JSON.parse(line))
    }
    this.#next = [...this.#summaries.keys()].reduce((last, id) => Math.max(last, id), 0) + 1
    mkdirSync(this.#folder(this.#next), { recursive: true })
  }

  #remember(summary: Summary): void {
    this.#summaries.set(summary.id, summary)
    for (const address of summary.to) this.#recipients.add(address.toLowerCase())
  }

  #folder(id: number): string {
    return join(this.#dir, String(Math.floor((id - 1) / PER_FOLDER)))
  }

  #path(id: number): string {
    return join(this.#folder(id), `${id}.eml`)
  }
}

/** The header section with the empty line that ends it. */
function headersOf(mail: Buffer): Buffer {
  const end = mail.indexOf('\r\n\r\n')
  return end < 0 ? mail : mail.subarray(0, end + 4)
}
