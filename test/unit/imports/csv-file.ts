import type { Delimiter, Encoding } from '../../../src/imports/options.ts'
import { type Piece, readPart } from '../../../src/imports/read.ts'
import type { ReadState, SourceRecord } from '../../../src/imports/state.ts'

const NOTHING_SAID = { encoding: null, delimiter: null }

/** The bytes of a text in one of the encodings, without a mark. */
export function encode(text: string, encoding: Encoding): Uint8Array {
  if (encoding === 'utf-8') return new TextEncoder().encode(text)
  if (encoding === 'windows-1252') {
    return Uint8Array.from(text, (char) => {
      const byte = WINDOWS_1252.indexOf(char)
      if (byte < 0) throw new Error(`${char} is not in Windows-1252`)
      return byte
    })
  }
  const bytes = new Uint8Array(text.length * 2)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), encoding === 'utf-16le')
  return bytes
}

const WINDOWS_1252 = Array.from({ length: 256 }, (_, byte) =>
  new TextDecoder('windows-1252').decode(Uint8Array.of(byte)),
)

export function streamOf(bytes: Uint8Array, chunk = 65_536): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + chunk))
      at += chunk
    },
  })
}

export interface ReadFile {
  state: ReadState
  records: SourceRecord[]
  pieces: Piece[]
}

/**
 * Reads a file as the import does: in parts, each from where the one before it said.
 *
 * @param cuts - bytes of the parts; the last goes to the end of the file
 */
export async function readFile(
  bytes: Uint8Array,
  options: {
    wanted?: Partial<{ encoding: Encoding; delimiter: Delimiter }>
    cuts?: number[]
    chunk?: number
  } = {},
): Promise<ReadFile> {
  const wanted = { ...NOTHING_SAID, ...options.wanted }
  let state: ReadState | null = null
  let place = { offset: 0, line: 1 }
  const records: SourceRecord[] = []
  const pieces: Piece[] = []
  for (const cut of [...(options.cuts ?? []), Number.POSITIVE_INFINITY]) {
    const end = Math.min(place.offset + cut, bytes.length)
    const last = cut === Number.POSITIVE_INFINITY
    const part = streamOf(bytes.slice(place.offset, end), options.chunk)
    for await (const piece of readPart(part, place, wanted, state, last)) {
      state = piece.state
      place = { offset: piece.offset, line: piece.line }
      records.push(...piece.records)
      pieces.push(piece)
    }
  }
  if (!state) throw new Error('the file was read to its end without a header')
  return { state, records, pieces }
}

export const cellsOf = ({ records }: ReadFile) => records.map(({ cells, problem }) => problem ?? cells)
