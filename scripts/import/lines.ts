/**
 * Knows in which line of a file a record begins. The parser's own count is no use for that: it takes a CRLF inside quotes
 * for two lines and leaves empty lines out.
 */
export class LineCounter {
  /** Where line feeds stand that no record has reached yet, in bytes from the beginning. */
  readonly #ahead: number[] = []
  #seen = 0
  #passed = 0

  /** Takes note of what the parser is about to read. */
  see(chunk: Uint8Array): void {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) this.#ahead.push(this.#seen + at)
    this.#seen += chunk.length
  }

  /**
   * The line a record begins in, from 1. To be asked for each record once, in order.
   *
   * @param end - where the record ends, its line feed included, in bytes from the beginning of the file
   * @param raw - its text as it stands in the file
   */
  lineOf(end: number, raw: string): number {
    let reached = 0
    while ((this.#ahead[reached] ?? end) < end) reached++
    const terminated = reached > 0 && this.#ahead[reached - 1] === end - 1
    this.#ahead.splice(0, reached)
    this.#passed += reached
    const inside = raw.replace(/^[\r\n]+|[\r\n]+$/g, '').split('\n').length - 1
    return this.#passed - inside + (terminated ? 0 : 1)
  }
}
