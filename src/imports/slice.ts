import type { ReadState, SourceRecord } from './state.ts'

/**
 * Rows of one transaction. More of them cost less each, but hold their locks longer and are lost together when the part
 * breaks off.
 */
const ROWS = 4_000
/** Characters of the records of one transaction: what Neon takes in one request is not published, 64 MB pass. */
const CHARACTERS = 4_000_000
/** Rows of one person in one transaction: each further one costs it a pass of its own. */
const MENTIONS = 8
/** Characters of a refused record that are kept. */
const RECORD_LIMIT = 10_000

/** A place between two records. */
export interface Position {
  /** Bytes of the file before it. */
  offset: number
  line: number
}

export interface ReadRow<Row> {
  /** Where it begins in the file. */
  line: number
  row: Row
  /** As it stands in the file, cut at 10,000 characters. */
  record: string
}

export interface RefusedRecord {
  line: number
  reason: string
  record: string
}

/** Some records of a file in a row, and where the file goes on after them. */
export class Slice<Row> {
  readonly rows: ReadRow<Row>[] = []
  readonly refused: RefusedRecord[] = []
  readonly from: number
  to: Position
  /** How reading goes on there. */
  state: ReadState | undefined
  #characters = 0
  readonly #mentions = new Map<string, number>()

  constructor(from: Position) {
    this.from = from.offset
    this.to = from
  }

  /** @param who - whom the row is about; null where that makes no difference */
  add({ line, text }: SourceRecord, result: { row: Row } | { problem: string }, who: string | null): void {
    this.#characters += text.length
    const record = storable(text)
    if ('row' in result) this.rows.push({ line, row: result.row, record })
    else this.refused.push({ line, reason: result.problem, record })
    if (who !== null) this.#mentions.set(who, (this.#mentions.get(who) ?? 0) + 1)
  }

  /** Whether one more row about this person is for the next slice. */
  hasEnoughOf(who: string | null): boolean {
    return who !== null && (this.#mentions.get(who) ?? 0) >= MENTIONS
  }

  moveTo(to: Position, state: ReadState): void {
    this.to = to
    this.state = state
  }

  get isFull(): boolean {
    return this.rows.length + this.refused.length >= ROWS || this.#characters >= CHARACTERS
  }

  get isEmpty(): boolean {
    return this.from === this.to.offset
  }
}

/** What Postgres can keep: no NUL, no half of a surrogate pair (the cut may leave one). */
function storable(text: string): string {
  const cut = text.length > RECORD_LIMIT ? text.slice(0, RECORD_LIMIT) : text
  return cut.replaceAll('\0', '\ufffd').toWellFormed()
}
