// A part of a CSV file (RFC 4180) as records with their places in the file.
import { Batch } from './batch.ts'
import { begin, type Wanted } from './begin.ts'
import { afterBreak, countBreaks, findBreak, scanRecord, UNFINISHED } from './scan.ts'
import type { ReadState, SourceRecord } from './state.ts'
import { type Units, Window } from './window.ts'

/** Bytes of one record. */
const RECORD_LIMIT = 1_000_000
/** Records, and units of text, that are yielded at once. */
const ROWS = 500
const BATCH_UNITS = 262_144
/** Bytes that are waited for before they are looked at. */
const READ_AHEAD = 65_536

export interface Place {
  /** Bytes of the file before it. */
  offset: number
  /** The line that begins there, or goes on there, from 1. */
  line: number
}

export interface Piece extends Place {
  state: ReadState
  records: SourceRecord[]
}

/**
 * Reads one part of a file. Each yield is some whole records and the place behind them: there the next part may begin, with
 * the state that was yielded with it. What the part ends in the middle of is not read; the next one begins with it. A part
 * that is not the last moves on if it holds 1 MB (the longest record), the first of a file 256 KB more (enough to tell the
 * encoding); shorter ones move on as far as their whole records go.
 *
 * Comma, semicolon or tab; CRLF, LF or CR; a mark at the beginning (BOM) and lines without any content are no records.
 * Quotes inside cells that do not begin with one are text. A record that cannot be read carries its problem and ends
 * nothing: after a quote that is not closed, reading goes on in the line after it.
 *
 * @param from - where the part begins: what the last piece before it said
 * @param wanted - what the caller said about the file; null is found out
 * @param state - null at the beginning of the file
 * @param last - whether the file ends with this part: then its last record needs no line break
 * @throws {UnreadableFile} when there is no header that can be read, or the file is no CSV at all
 */
export async function* readPart(
  body: ReadableStream<Uint8Array>,
  from: Place,
  wanted: Wanted,
  state: ReadState | null,
  last: boolean,
): AsyncGenerator<Piece> {
  const window = new Window(body, from.offset)
  try {
    let { line } = from
    if (state) window.setEncoding(state.encoding)
    else {
      const begun = await begin(window, line, wanted, last)
      if (!begun) return
      state = begun.state
      line = begun.line
    }
    const batch = new Batch(state.encoding, state.header.length)
    let told = from.offset
    let needed = READ_AHEAD
    for (;;) {
      await window.fill(needed)
      const units = window.units
      const done = scan(units, window.unit, last && window.ended, line, state, batch)
      const records = batch.take(units, window.offset, window.unit)
      window.drop(done.at * window.unit)
      line = done.line
      if (done.in_long_record !== (state.in_long_record === true)) {
        const { in_long_record: _, ...rest } = state
        state = done.in_long_record ? { ...rest, in_long_record: true } : rest
      }
      const moved = done.at > 0
      if (window.offset > told) yield { state, records, offset: window.offset, line }
      told = window.offset
      if (!moved && window.ended) return
      needed = moved ? READ_AHEAD : Math.max(READ_AHEAD, window.bytes.length * 2)
    }
  } finally {
    await window.cancel()
  }
}

/** Finds records in the window until it or the batch is at its end. */
function scan(units: Units, unit: number, ended: boolean, line: number, state: ReadState, batch: Batch) {
  const { cells } = batch
  const to = units.length
  const limit = RECORD_LIMIT / unit
  const delimiter = state.delimiter.charCodeAt(0)
  let in_long_record = state.in_long_record === true
  let at = 0
  while (at < to && batch.size < ROWS && at < BATCH_UNITS) {
    if (in_long_record) {
      at = findBreak(units, at, to)
      const next = at < to ? afterBreak(units, at, to, ended) : UNFINISHED
      if (next === UNFINISHED) break
      in_long_record = false
      at = next
      line++
      continue
    }
    const { used } = cells
    const stop = Math.min(to, at + limit)
    const found = scanRecord(units, at, stop, ended && stop === to, delimiter, state.header.length, cells)
    if (found >= 0) {
      if (cells.filled) batch.add(at, line)
      else cells.used = used
      at = found
      line += cells.breaks
      continue
    }
    cells.used = used
    if (found === UNFINISHED && !ended && to - at <= limit) break
    // A quote is not closed, or the record is too long. Reading goes on in the line after that quote.
    const { open } = cells
    const bound = found === UNFINISHED ? stop : to
    const edge = open < 0 ? bound : findBreak(units, open, bound)
    if (open >= 0 && (edge < bound || (ended && bound === to))) {
      const next = edge < to ? afterBreak(units, edge, to, ended) : edge
      if (next === UNFINISHED) break
      const opened = line + countBreaks(units, at, open)
      batch.refuse(at, edge, line, quoteProblem(found, opened))
      line = opened + (next > edge ? 1 : 0)
      at = next
    } else if (to - at <= limit) break
    else {
      batch.refuse(at, stop, line, 'is longer than 1 MB')
      line += countBreaks(units, at, stop)
      at = stop
      in_long_record = true
    }
  }
  return { at, line, in_long_record }
}

const quoteProblem = (found: number, line: number) =>
  found === UNFINISHED
    ? `opens a quote in line ${line} that is never closed`
    : `has text after a closing quote in the cell that begins in line ${line}; quotes inside a quoted cell are doubled`
