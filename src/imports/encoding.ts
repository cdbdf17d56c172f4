import type { Encoding } from './options.ts'
import { UnreadableFile } from './unreadable.ts'

/** Bytes of the beginning that are looked at when nobody said which encoding it is: some 1,500 rows. */
export const SAMPLE = 262_144

/** What the first bytes say about files that are no text. */
const SIGNATURES: [bytes: number[], what: string][] = [
  [[0x50, 0x4b, 0x03, 0x04], 'a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'an Excel workbook: save the sheet as CSV'],
  [[0x1f, 0x8b], 'a gzip archive: unpack it'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF'],
]

const MARKS: [bytes: number[], encoding: Encoding][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

export const ENCODING_NAMES: Record<Encoding, string> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 LE',
  'utf-16be': 'UTF-16 BE',
  'windows-1252': 'Windows-1252',
}

/** Of big-endian text the bytes are swapped before anything else reads it. */
const decoders: Record<Encoding, TextDecoder> = {
  'utf-8': new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  'utf-16le': new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true }),
  'utf-16be': new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true }),
  'windows-1252': new TextDecoder('windows-1252', { fatal: true, ignoreBOM: true }),
}

const lenient: Record<Encoding, TextDecoder> = {
  'utf-8': new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }),
  'utf-16le': new TextDecoder('utf-16le', { fatal: false, ignoreBOM: true }),
  'utf-16be': new TextDecoder('utf-16le', { fatal: false, ignoreBOM: true }),
  'windows-1252': decoders['windows-1252'],
}

/** The text of some bytes; null when they are not of this encoding. */
export function decode(bytes: Uint8Array, encoding: Encoding): string | null {
  try {
    return decoders[encoding].decode(bytes)
  } catch {
    return null
  }
}

/** The text of some bytes, with U+FFFD for what is not of this encoding. */
export const decodeAnyway = (bytes: Uint8Array, encoding: Encoding): string => lenient[encoding].decode(bytes)

/** The encoding that the first bytes declare by their mark, and the bytes of the mark. */
export function encodingByMark(head: Uint8Array): { encoding: Encoding; mark: number } | null {
  for (const [bytes, encoding] of MARKS) if (begins(head, bytes)) return { encoding, mark: bytes.length }
  return null
}

/**
 * UTF-16 shows by the zeros beside its ASCII characters. UTF-8 is what reads as such; a few broken rows do not make a file
 * another one's, so where both kinds of bytes occur the more frequent one decides. Everything else is Windows-1252, which
 * has a character for each byte.
 */
export function guessEncoding(sample: Uint8Array): Encoding {
  let even = 0
  let odd = 0
  for (let i = 0; i < sample.length; i++) if (sample[i] === 0) i % 2 === 0 ? even++ : odd++
  const half = sample.length / 2
  if (odd > half * 0.3 && even < half * 0.1) return 'utf-16le'
  if (even > half * 0.3 && odd < half * 0.1) return 'utf-16be'
  const { whole, broken } = sequences(sample)
  return broken > whole ? 'windows-1252' : 'utf-8'
}

/** Counts the characters of more than one byte (RFC 3629), and the bytes past ASCII that belong to none. */
function sequences(sample: Uint8Array): { whole: number; broken: number } {
  let whole = 0
  let broken = 0
  for (let i = 0; i < sample.length; ) {
    const lead = sample[i++] ?? 0
    if (lead < 0x80) continue
    const rest = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    let seen = 0
    while (seen < rest && ((sample[i + seen] ?? 0) & 0xc0) === 0x80) seen++
    // The sample may end inside a character.
    if (rest > 0 && (seen === rest || i + seen === sample.length)) {
      whole++
      i += seen
    } else broken++
  }
  return { whole, broken }
}

/** @throws {UnreadableFile} when it is no text */
export function refuseOtherFiles(head: Uint8Array): void {
  for (const [bytes, what] of SIGNATURES) {
    if (begins(head, bytes)) throw new UnreadableFile(`The file is not CSV but ${what}`)
  }
}

const begins = (head: Uint8Array, bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte)
