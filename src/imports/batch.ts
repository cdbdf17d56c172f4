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
  /** Whether there is more than ASCII in it. */
  readonly #mixed: boolean[] = []
  readonly #problems: (string | null)[] = []
  #units: Units = new Uint8Array()
  /** Bytes of the file before the units, and of each unit. */
  #offset = 0
  #unit = 1
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
    this.#mixed.push(this.cells.mixed > 127)
  }

  refuse(start: number, end: number, line: number, problem: string): void {
    this.#push(start, end, line, problem)
    this.#firsts.push(this.cells.used)
    this.#mixed.push(true)
  }

  #push(start: number, end: number, line: number, problem: string | null): void {
    this.#starts.push(start)
    this.#ends.push(end)
    this.#lines.push(line)
    this.#problems.push(problem)
  }

  /**
   * Makes records of what was taken since the last time.
   *
   * @param offset - bytes of the file before the units
   * @param unit - bytes of each
   */
  take(units: Units, offset: number, unit: number): SourceRecord[] {
    this.#units = units
    this.#offset = offset
    this.#unit = unit
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
    this.#mixed.length = 0
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
    const wide = text.length < to - from
    // How far places in the text lag behind those in the file, where a character takes several bytes.
    let lag = from
    for (let i = first; i <= last; i++) {
      const begin = (this.#starts[i] ?? 0) - lag
      let cells: string[]
      if (wide && this.#mixed[i]) {
        const place = counter(this.#units, this.#starts[i] ?? 0, lag)
        cells = this.#cells(text, this.#firsts[i] ?? 0, place)
        const end = this.#ends[i] ?? 0
        lag = end - place(end)
      } else cells = this.#plainCells(text, this.#firsts[i] ?? 0, lag)
      const record = text.slice(begin, (this.#ends[i] ?? 0) - lag)
      this.#records.push(
        nul && record.includes('\0')
          ? this.#refused(i, 'contains a NUL character')
          : { ...this.#place(i), cells, text: record, problem: null },
      )
    }
  }

  #plainCells(text: string, first: number, lag: number): string[] {
    const { bounds } = this.cells
    const cells: string[] = []
    for (let at = first; at < first + 2 * this.#columns; at += 2) {
      const start = (bounds[at] as number) - lag
      const end = bounds[at + 1] as number
      cells.push(end < 0 ? text.slice(start, ~end - lag).replaceAll('""', '"') : text.slice(start, end - lag))
    }
    return cells
  }

  #cells(text: string, first: number, place: (at: number) => number): string[] {
    const { bounds } = this.cells
    const cells: string[] = []
    for (let at = first; at < first + 2 * this.#columns; at += 2) {
      const start = place(bounds[at] as number)
      const end = bounds[at + 1] as number
      cells.push(end < 0 ? text.slice(start, place(~end)).replaceAll('""', '"') : text.slice(start, place(end)))
    }
    return cells
  }

  #refused(i: number, problem: string): SourceRecord {
    const start = this.#starts[i] ?? 0
    const end = Math.min(this.#ends[i] ?? 0, start + KEPT * 4)
    const text = decodeAnyway(bytesOf(this.#units, start, end), this.#encoding).slice(0, KEPT)
    return { ...this.#place(i), cells: [], text, problem }
  }

  #place(i: number): { offset: number; line: number } {
    return { offset: this.#offset + (this.#starts[i] ?? 0) * this.#unit, line: this.#lines[i] ?? 0 }
  }
}

export const bytesOf = (units: Units, from: number, to: number) => {
  const part = units.subarray(from, to)
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
}

/** From places in UTF-8, asked for in ascending order, to places in its text. */
function counter(units: Units, from: number, lag: number): (at: number) => number {
  let seen = from
  let chars = from - lag
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
