import { decode, decodeAnyway, ENCODING_NAMES } from './encoding.ts'
import type { Encoding } from './options.ts'
import { Cells } from './scan.ts'
import type { SourceRecord } from './state.ts'
import type { Units } from './window.ts'

/** Characters that are kept of a record that cannot be read. */
const KEPT = 10_000

/** Records of one window, found but not yet decoded: decoding many at once is several times as fast as one by one. */
export class Batch {
  readonly cells = new Cells()
  readonly #encoding: Encoding
  readonly #columns: number
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  readonly #lines: number[] = []
  /** Where the cells of each begin in `cells.bounds`. */
  readonly #firsts: number[] = []
  readonly #problems: (string | null)[] = []
  #units: Units = new Uint8Array()
  #records: SourceRecord[] = []

  constructor(encoding: Encoding, columns: number) {
    this.#encoding = encoding
    this.#columns = columns
  }

  get size(): number {
    return this.#starts.length
  }

  /** Takes the record that was scanned last. */
  add(start: number, line: number): void {
    const { count, surplus, used } = this.cells
    const wrong = count < this.#columns || surplus
    this.#push(
      start,
      this.cells.end,
      line,
      wrong ? `has ${amount(count, 'cell')}, the header names ${amount(this.#columns, 'column')}` : null,
    )
    this.#firsts.push(used - 2 * Math.min(count, this.#columns))
  }

  refuse(start: number, end: number, line: number, problem: string): void {
    this.#push(start, end, line, problem)
    this.#firsts.push(this.cells.used)
  }

  #push(start: number, end: number, line: number, problem: string | null): void {
    this.#starts.push(start)
    this.#ends.push(end)
    this.#lines.push(line)
    this.#problems.push(problem)
  }

  /** Makes records of what was taken since the last time. */
  take(units: Units): SourceRecord[] {
    this.#units = units
    this.#records = []
    for (let first = 0; first < this.size; ) {
      if (this.#problems[first] !== null) {
        this.#records.push(this.#refused(first, this.#problems[first] ?? ''))
        first++
        continue
      }
      let last = first
      while (last + 1 < this.size && this.#problems[last + 1] === null) last++
      this.#decode(first, last)
      first = last + 1
    }
    this.#starts.length = 0
    this.#ends.length = 0
    this.#lines.length = 0
    this.#firsts.length = 0
    this.#problems.length = 0
    this.cells.used = 0
    return this.#records
  }

  #decode(first: number, last: number): void {
    const from = this.#starts[first] ?? 0
    const to = this.#ends[last] ?? 0
    const text = decode(bytesOf(this.#units, from, to), this.#encoding)
    if (text === null) {
      if (first === last) {
        this.#records.push(this.#refused(first, `has bytes that are not ${ENCODING_NAMES[this.#encoding]}`))
      } else for (let i = first; i <= last; i++) this.#decode(i, i)
      return
    }
    const nul = this.#units.subarray(from, to).includes(0)
    // Where a character takes several units, positions in the text lag behind those in the file.
    const place = text.length === to - from ? (at: number) => at - from : counter(this.#units, from)
    const { bounds } = this.cells
    for (let i = first; i <= last; i++) {
      const begin = place(this.#starts[i] ?? 0)
      const cells = new Array<string>(this.#columns)
      let bound = this.#firsts[i] ?? 0
      for (let column = 0; column < this.#columns; column++) {
        const start = place(bounds[bound++] ?? 0)
        const end = bounds[bound++] ?? 0
        cells[column] = end < 0 ? text.slice(start, place(~end)).replaceAll('""', '"') : text.slice(start, place(end))
      }
      const record = text.slice(begin, place(this.#ends[i] ?? 0))
      this.#records.push(
        nul && record.includes('\0')
          ? this.#refused(i, 'contains a NUL character')
          : { line: this.#lines[i] ?? 0, cells, text: record, problem: null },
      )
    }
  }

  #refused(i: number, problem: string): SourceRecord {
    const start = this.#starts[i] ?? 0
    const end = Math.min(this.#ends[i] ?? 0, start + KEPT * 4)
    const text = decodeAnyway(bytesOf(this.#units, start, end), this.#encoding).slice(0, KEPT)
    return { line: this.#lines[i] ?? 0, cells: [], text, problem }
  }
}

export const bytesOf = (units: Units, from: number, to: number) => {
  const part = units.subarray(from, to)
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
}

/** From places in UTF-8, asked for in ascending order, to places in its text. */
function counter(units: Units, from: number): (at: number) => number {
  let seen = from
  let chars = 0
  return (at) => {
    for (; seen < at; seen++) {
      const byte = units[seen] as number
      // A character beyond the basic plane takes four bytes here and two units there.
      if ((byte & 0xc0) !== 0x80) chars += byte >= 0xf0 ? 2 : 1
    }
    return chars
  }
}

const amount = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
