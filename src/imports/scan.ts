// One record of RFC 4180 at a time, in units of the file's encoding. The CSV libraries we know tokenise text and cannot say
// at which byte of the source a record ends, which is what going on after an interruption needs; and a quote that is never
// closed makes them swallow or refuse all that follows.
import type { Units } from './window.ts'

const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09

/** No end of the record is in sight. */
export const UNFINISHED = -1
/** A quoted cell goes on after its closing quote. */
export const MALFORMED = -2

/** Where the cells of records are, in units from the beginning of the window. Made once and used for many records. */
export class Cells {
  /** Start and end of one cell after the other; an end is inverted (`~`) where quotes in the cell are doubled. */
  bounds = new Int32Array(8_192)
  /** How much of `bounds` is used. */
  used = 0
  /** Of the record scanned last: its cells, those beyond `max` included. */
  count = 0
  /** Whether one of the cells beyond `max` holds anything. */
  surplus = false
  /** All its units in one: below 128 when there is nothing but ASCII. */
  mixed = 0
  /** Whether any cell holds anything but, in a line of one cell, blanks. */
  filled = false
  /** Where the record ends without its line break. */
  end = 0
  /** Line breaks in the record and after it. */
  breaks = 0
  /** The quote that was not closed, or not properly. -1 when there is none. */
  open = -1

  add(start: number, end: number): void {
    if (this.used + 2 > this.bounds.length) {
      const larger = new Int32Array(this.bounds.length * 2)
      larger.set(this.bounds)
      this.bounds = larger
    }
    this.bounds[this.used++] = start
    this.bounds[this.used++] = end
  }
}

/**
 * @param to - where to stop
 * @param ended - whether nothing comes after `to`: then the record ends there, line break or not
 * @param max - cells to take note of; those beyond are counted
 * @returns where the next record begins, UNFINISHED or MALFORMED
 */
export function scanRecord(
  units: Units,
  from: number,
  to: number,
  ended: boolean,
  delimiter: number,
  max: number,
  cells: Cells,
): number {
  let i = from
  let mixed = 0
  cells.count = 0
  cells.breaks = 0
  cells.surplus = false
  cells.filled = false
  cells.open = -1
  for (;;) {
    let start = i
    let end: number
    if (i < to && units[i] === QUOTE) {
      cells.open = i
      start = ++i
      let doubled = false
      for (;;) {
        for (; i < to; i++) {
          const unit = units[i]
          if (unit === QUOTE) break
          mixed |= unit as number
          if (unit === LF || (unit === CR && (i + 1 >= to || units[i + 1] !== LF))) cells.breaks++
        }
        if (i >= to) return UNFINISHED
        // One at the very end may be the first half of a doubled one: that is seen below.
        if (i + 1 >= to || units[i + 1] !== QUOTE) break
        doubled = true
        i += 2
      }
      end = doubled ? ~i : i
      i++
      while (i < to && (units[i] === SPACE || (units[i] === TAB && delimiter !== TAB))) i++
      if (i < to && units[i] !== delimiter && units[i] !== LF && units[i] !== CR) return MALFORMED
      if (i < to || ended) cells.open = -1
    } else {
      for (; i < to; i++) {
        const unit = units[i]
        if (unit === delimiter || unit === LF || unit === CR) break
        mixed |= unit as number
      }
      end = i
    }
    if (i >= to && !ended) return UNFINISHED
    if (end !== start) {
      cells.filled = true
      if (cells.count >= max) cells.surplus = true
    }
    if (cells.count < max) cells.add(start, end)
    cells.count++
    if (i < to && units[i] === delimiter) {
      i++
      continue
    }
    cells.end = i
    cells.mixed = mixed
    if (cells.count === 1 && units[from] === SPACE) cells.filled = !isBlank(units, from, i)
    if (i >= to) return i
    const next = afterBreak(units, i, to, ended)
    if (next === UNFINISHED) return UNFINISHED
    cells.breaks++
    return next
  }
}

function isBlank(units: Units, from: number, to: number): boolean {
  let i = from
  while (i < to && (units[i] === SPACE || units[i] === TAB)) i++
  return i === to
}

/** Behind the line break at `at`; UNFINISHED when a line feed may still follow a carriage return. */
export function afterBreak(units: Units, at: number, to: number, ended: boolean): number {
  if (units[at] === LF) return at + 1
  if (at + 1 >= to) return ended ? at + 1 : UNFINISHED
  return units[at + 1] === LF ? at + 2 : at + 1
}

/** The first line break from `from` on; `to` when there is none. */
export function findBreak(units: Units, from: number, to: number): number {
  let i = from
  while (i < to && units[i] !== LF && units[i] !== CR) i++
  return i
}

export function countBreaks(units: Units, from: number, to: number): number {
  let breaks = 0
  for (let i = from; i < to; i++) {
    if (units[i] === LF || (units[i] === CR && units[i + 1] !== LF)) breaks++
  }
  return breaks
}
