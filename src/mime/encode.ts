// Transfer encodings of RFC 2045. Table driven: this is the inner loop of every campaign.

const CR = 13
const LF = 10
const SPACE = 32
const TAB = 9
const DOT = 46
const EQUALS = 61
const UPPER_F = 70
const HEX = new TextEncoder().encode('0123456789ABCDEF')
/** RFC 2045 6.7 (5): 76 columns with the "=" of a soft break. */
const QP_COLUMNS = 76
/** Scratch above this size is not kept: an isolate has 128 MB for everything. */
const KEPT_SCRATCH = 1_048_576

/** 1 = stands for itself in quoted-printable. Blanks do too, but not before a line break. */
const PLAIN = new Uint8Array(256)
for (let byte = 33; byte <= 126; byte++) if (byte !== EQUALS) PLAIN[byte] = 1
PLAIN[SPACE] = 1
PLAIN[TAB] = 1

const encoder = new TextEncoder()
let scratch = new Uint8Array(65_536)

/** The UTF-8 bytes of `text`, in memory that the next call reuses. */
function utf8(text: string): Uint8Array {
  const needed = text.length * 3
  if (needed > KEPT_SCRATCH) return encoder.encode(text)
  if (scratch.length < needed) scratch = new Uint8Array(needed)
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}

/** Bytes that `writeQuotedPrintable` may need for a text of this length (UTF-16 units), soft breaks included. */
export function quotedPrintableBound(length: number): number {
  const bytes = length * 9
  return bytes + Math.ceil(bytes / (QP_COLUMNS - 3)) * 3 + 3
}

/**
 * Writes `text` as quoted-printable UTF-8 into `out` at `at`; any line break becomes CRLF. A "." or "From " at the
 * start of a line is encoded, so that neither SMTP transparency nor an mbox on the way changes it.
 * @returns the position after the last byte
 */
export function writeQuotedPrintable(text: string, out: Uint8Array, at: number): number {
  const bytes = utf8(text)
  const length = bytes.length
  let column = 0
  let i = 0
  while (i < length) {
    if (column === 0 && startsLineSpecially(bytes, i)) {
      at = writeEscaped(bytes[i++] as number, out, at)
      column = 3
    }
    const run_from = i
    const run_end = Math.min(length, i + QP_COLUMNS - 1 - column)
    let byte = 0
    while (i < run_end) {
      byte = bytes[i] as number
      if (PLAIN[byte] !== 1) break
      out[at++] = byte
      i++
    }
    column += i - run_from
    if (i === length) break
    byte = bytes[i] as number
    if (byte === LF || byte === CR) {
      at = escapeTrailingBlank(i > run_from, column, out, at)
      if (byte === CR && bytes[i + 1] === LF) i++
      i++
      out[at++] = CR
      out[at++] = LF
      column = 0
      continue
    }
    const plain = PLAIN[byte] === 1
    const next = i + 1 < length ? (bytes[i + 1] as number) : LF
    // The last column is free only for what ends the line; otherwise it belongs to the "=" of the soft break.
    const columns = next === LF || next === CR ? QP_COLUMNS : QP_COLUMNS - 1
    if (column + (plain && byte > SPACE ? 1 : 3) > columns) {
      out[at++] = EQUALS
      out[at++] = CR
      out[at++] = LF
      column = 0
    } else if (plain && byte > SPACE) {
      out[at++] = byte
      column++
      i++
    } else {
      at = writeEscaped(byte, out, at)
      column += 3
      i++
    }
  }
  return escapeTrailingBlank(column > 0, column, out, at)
}

function startsLineSpecially(bytes: Uint8Array, i: number): boolean {
  const byte = bytes[i]
  if (byte === DOT) return true
  return byte === UPPER_F && bytes[i + 1] === 114 && bytes[i + 2] === 111 && bytes[i + 3] === 109
}

function writeEscaped(byte: number, out: Uint8Array, at: number): number {
  out[at] = EQUALS
  out[at + 1] = HEX[byte >> 4] as number
  out[at + 2] = HEX[byte & 15] as number
  return at + 3
}

/** RFC 2045 6.7 (3): a blank at the end of a line must not stand for itself; it was written plain a moment ago. */
function escapeTrailingBlank(written: boolean, column: number, out: Uint8Array, at: number): number {
  const last = written ? (out[at - 1] as number) : 0
  if (last !== SPACE && last !== TAB) return at
  at--
  if (column - 1 + 3 > QP_COLUMNS) {
    out[at++] = EQUALS
    out[at++] = CR
    out[at++] = LF
  }
  return writeEscaped(last, out, at)
}

/** Whether `text` may travel as 7bit unchanged: printable ASCII, lines of at most 76, none ending in a blank or starting with "From ". */
export function isShortAsciiLines(text: string): boolean {
  let start = 0
  let last = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? LF : text.charCodeAt(i)
    if (code === LF || code === CR) {
      if (i > start && (last === SPACE || last === TAB)) return false
      if (text.startsWith('From ', start)) return false
      start = i + 1
    } else if (code > 126 || (code < SPACE && code !== TAB) || i - start >= QP_COLUMNS) return false
    last = code
  }
  return true
}

/** Base64 without line breaks. */
export function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let i = 0; i < bytes.length; i += 8_192) binary += String.fromCharCode(...bytes.subarray(i, i + 8_192))
  return btoa(binary)
}

/** Base64 of the UTF-8 form of `text`. */
export const base64Utf8 = (text: string): string => base64(encoder.encode(text))
