import type { Encoding } from './options.ts'

/** Units of text as they are scanned: bytes, or the 16-bit units of UTF-16. */
export type Units = Uint8Array | Uint16Array

/**
 * The part of a stream that is held: from the first byte that is not done with to the last that came. It grows to what the
 * longest record needs and no further.
 */
export class Window {
  /** Position in the file of the first byte held. */
  offset: number
  ended = false
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #buffer = new Uint8Array(131_072)
  #start = 0
  #end = 0
  #unit: 1 | 2 = 1
  #swap = false
  /** How far the bytes of big-endian pairs are swapped. */
  #swapped = 0

  constructor(body: ReadableStream<Uint8Array>, offset: number) {
    this.#reader = body.getReader()
    this.offset = offset
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end)
  }

  /** Bytes of one unit. */
  get unit(): 1 | 2 {
    return this.#unit
  }

  /** What is held, in units of the encoding; half a unit at the end is left out. */
  get units(): Units {
    if (this.#unit === 1) return this.bytes
    return new Uint16Array(this.#buffer.buffer, this.#start, (this.#end - this.#start) >> 1)
  }

  /** To be called once, before the first record: from here on the window is read in this encoding. */
  setEncoding(encoding: Encoding): void {
    this.#unit = encoding.startsWith('utf-16') ? 2 : 1
    this.#swap = encoding === 'utf-16be'
    this.#move(this.#buffer)
    this.#swapNew()
  }

  /** Reads on until `bytes` are held, or the stream is at its end. */
  async fill(bytes: number): Promise<void> {
    while (!this.ended && this.#end - this.#start < bytes) {
      const { done, value } = await this.#reader.read()
      if (done) this.ended = true
      else this.#append(value)
    }
  }

  /** Lets go of the first bytes. */
  drop(bytes: number): void {
    this.#start += bytes
    this.offset += bytes
  }

  async cancel(): Promise<void> {
    if (!this.ended) await this.#reader.cancel().catch(() => {})
  }

  #append(chunk: Uint8Array): void {
    const held = this.#end - this.#start
    if (this.#end + chunk.length > this.#buffer.length) {
      const needed = held + chunk.length
      this.#move(needed > this.#buffer.length ? new Uint8Array(needed * 2) : this.#buffer)
    }
    this.#buffer.set(chunk, this.#end)
    this.#end += chunk.length
    this.#swapNew()
  }

  /** What is held comes to stand at the beginning, so that 16-bit units are aligned. */
  #move(buffer: Uint8Array<ArrayBuffer>): void {
    buffer.set(this.bytes, 0)
    this.#buffer = buffer
    this.#end -= this.#start
    this.#swapped = Math.max(this.#swapped - this.#start, 0)
    this.#start = 0
  }

  #swapNew(): void {
    if (!this.#swap) return
    for (; this.#swapped + 1 < this.#end; this.#swapped += 2) {
      const high = this.#buffer[this.#swapped] ?? 0
      this.#buffer[this.#swapped] = this.#buffer[this.#swapped + 1] ?? 0
      this.#buffer[this.#swapped + 1] = high
    }
  }
}
