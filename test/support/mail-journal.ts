// A mail server's own log: the witness of what it took, written before its answer goes out, whether or not that answer
// arrives. It lives outside the system under test and outlives every kill.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface JournalLine {
  what: 'taken' | 'refused'
  to: string
  /** `<campaign>.<subscriber>`, as the mail itself says. */
  id: string
}

export class MailJournal {
  readonly file: string
  /** Mails taken so far. */
  taken = 0
  /** Mails whose answer was kept back on purpose, taken or not: nobody but this server can know what became of them. */
  unanswered = 0
  /** How often each fault struck. */
  readonly struck: Record<string, number> = {}

  constructor(file: string) {
    this.file = file
    writeFileSync(file, '')
  }

  take(to: string, id: string): void {
    this.#write({ what: 'taken', to, id })
    this.taken++
  }

  /** For good: asking again would not help. */
  refuse(to: string): void {
    this.#write({ what: 'refused', to, id: '' })
  }

  strike(fault: string): void {
    this.struck[fault] = (this.struck[fault] ?? 0) + 1
  }

  lines(): JournalLine[] {
    const text = readFileSync(this.file, 'utf8')
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }

  #write(line: JournalLine): void {
    appendFileSync(this.file, `${JSON.stringify(line)}\n`)
  }
}

/** A server that takes so many mails a second, over all its connections. */
export class Pace {
  readonly #gap: number
  #next = 0
  #waiting = 0

  constructor(mails_per_second: number) {
    this.#gap = 1000 / mails_per_second
  }

  /** Waits for this mail's turn. Whoever sent it may be dead by then. */
  async turn(): Promise<void> {
    const now = Date.now()
    this.#next = Math.max(this.#next, now) + this.#gap
    this.#waiting++
    await sleep(this.#next - now)
    this.#waiting--
  }

  get idle(): boolean {
    return this.#waiting === 0
  }
}
