/** Where a line of an expanded source was written. */
export interface Origin {
  /** In the author's source, counted from 1; for what came from a partial, of the tag that called it. */
  line: number
  /** The partial it was written in, and the line there. */
  partial: { name: string; line: number } | null
}

/** A source put together from pieces, that remembers where each line comes from. */
export class Pieces {
  length = 0
  private readonly texts: string[] = []
  /** By line, from 0. A line of several pieces counts as the author's own if any of it is. */
  private readonly origins: Origin[] = [{ line: 1, partial: null }]
  private is_fresh = true

  /** @param origin - of the text's first line */
  add(text: string, origin: Origin): void {
    if (text === '') return
    this.texts.push(text)
    this.length += text.length
    const last = this.origins.length - 1
    if (this.is_fresh || (this.origins[last]?.partial && !origin.partial)) this.origins[last] = origin
    this.is_fresh = text.endsWith('\n')
    let n = 0
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.origins.push(after(origin, ++n))
  }

  finish(): { text: string; origins: readonly Origin[] } {
    return { text: this.texts.join(''), origins: this.origins }
  }
}

function after({ line, partial }: Origin, lines: number): Origin {
  return partial ? { line, partial: { ...partial, line: partial.line + lines } } : { line: line + lines, partial: null }
}

/** Says a line of the expanded source, or what is wrong there, in terms of what the author wrote. */
export function located<T extends { line?: number; detail: string }>(what: T, origins: readonly Origin[]): T {
  const origin = what.line === undefined ? undefined : origins[what.line - 1]
  if (!origin) return what
  const { line, partial } = origin
  if (!partial) return { ...what, line }
  return { ...what, line, detail: `In the partial "${partial.name}", line ${partial.line}: ${what.detail}` }
}
