import { bytesOf } from './batch.ts'
import { detectDelimiter, SEPARATOR_LINE } from './delimiter.ts'
import {
  decode,
  decodeAnyway,
  ENCODING_NAMES,
  encodingByMark,
  guessEncoding,
  refuseOtherFiles,
  SAMPLE,
} from './encoding.ts'
import { formatOf } from './formats.ts'
import { DELIMITERS, type Delimiter, type Encoding } from './options.ts'
import { afterBreak, Cells, MALFORMED, scanRecord } from './scan.ts'
import type { ReadState } from './state.ts'
import { UnreadableFile } from './unreadable.ts'
import type { Units, Window } from './window.ts'

const COLUMNS_LIMIT = 1_000
/** Bytes in which the header must end. */
const HEADER_LIMIT = 1_000_000
/** Units of the first line that are looked at for the delimiter. */
const LINE_SAMPLE = 65_536

export interface Wanted {
  encoding: Encoding | null
  delimiter: Delimiter | null
}

/**
 * Reads to behind the header. Null when the part ends before that; and when it is too short to tell the encoding, so that
 * cutting a file in other places never changes how it is read.
 *
 * @throws {UnreadableFile}
 */
export async function begin(
  window: Window,
  line: number,
  wanted: Wanted,
  last: boolean,
): Promise<{ state: ReadState; line: number } | null> {
  await window.fill(SAMPLE)
  const complete = last && window.ended
  if (window.bytes.length < 4 && !complete) return null
  refuseOtherFiles(window.bytes)
  const mark = encodingByMark(window.bytes)
  if (!mark && !wanted.encoding && window.bytes.length < SAMPLE && !complete) return null
  if (mark && wanted.encoding && mark.encoding !== wanted.encoding) {
    const [is, said] = [ENCODING_NAMES[mark.encoding], ENCODING_NAMES[wanted.encoding]]
    throw new UnreadableFile(`The file begins with the mark of ${is}, but was said to be ${said}`)
  }
  const encoding = mark?.encoding ?? wanted.encoding ?? guessEncoding(window.bytes.subarray(0, SAMPLE))
  window.drop(mark?.mark ?? 0)
  window.setEncoding(encoding)

  for (let bytes = SAMPLE; ; bytes *= 2) {
    await window.fill(bytes)
    const found = header(window.units, encoding, line, wanted, last && window.ended)
    if (found) {
      window.drop(found.next * window.unit)
      return found
    }
    if (window.ended && last) throw new UnreadableFile('The file is empty: its first line must name the columns')
    if (window.bytes.length > HEADER_LIMIT) {
      throw new UnreadableFile('The first line, which must name the columns, is longer than 1 MB')
    }
    if (window.ended) return null
  }
}

/** The header and where it ends; null when it is not whole. */
function header(units: Units, encoding: Encoding, line: number, wanted: Wanted, ended: boolean) {
  let at = 0
  let delimiter = wanted.delimiter
  const head = decodeAnyway(bytesOf(units, 0, LINE_SAMPLE), encoding)
  const said = SEPARATOR_LINE.exec(head)
  if (said) {
    delimiter ??= DELIMITERS.find((one) => one === said[1]) ?? null
    const next = afterBreak(units, said[0].trimEnd().length, units.length, ended)
    if (next < 0) return null
    at = next
    line++
  }
  while (at < units.length && (units[at] === 0x0a || units[at] === 0x0d)) {
    const next = afterBreak(units, at, units.length, ended)
    if (next < 0) return null
    at = next
    line++
  }
  if (at >= units.length) return null
  delimiter ??= detectDelimiter(decodeAnyway(bytesOf(units, at, at + LINE_SAMPLE), encoding))
  const cells = new Cells()
  const next = scanRecord(units, at, units.length, ended, delimiter.charCodeAt(0), COLUMNS_LIMIT, cells)
  if (next === MALFORMED || (next < 0 && ended)) {
    throw new UnreadableFile(
      `The quotes in line ${line}, which must name the columns, are not closed as they should be`,
    )
  }
  if (next < 0) return null
  if (cells.count > COLUMNS_LIMIT) {
    throw new UnreadableFile(`The first line names ${cells.count} columns; at most ${COLUMNS_LIMIT} can be read`)
  }
  const names: string[] = []
  for (let i = 0; i < cells.used; i += 2) {
    const end = cells.bounds[i + 1] ?? 0
    const name = decode(bytesOf(units, cells.bounds[i] ?? 0, end < 0 ? ~end : end), encoding)
    if (name === null || name.includes('\0')) {
      throw new UnreadableFile(`The names of the columns are not ${ENCODING_NAMES[encoding]} text`)
    }
    names.push((end < 0 ? name.replaceAll('""', '"') : name).trim())
  }
  const state: ReadState = { encoding, delimiter, format: formatOf(names), header: names }
  return { state, line: line + cells.breaks, next }
}
