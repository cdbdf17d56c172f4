/** Which of a mail's parts could not be rendered. */
export type ContentPart = 'subject' | 'preheader' | 'html' | 'text'

/** A template that cannot be compiled, or cannot be rendered with this person's data. The message names no data. */
export class RenderError extends Error {
  override name = 'RenderError'
  readonly part: ContentPart | null
  /** Line in that part's source, counted from 1, where it is known. */
  readonly line: number | null

  constructor(detail: string, part: ContentPart | null, line: number | null = null) {
    super([part, line ? `line ${line}` : null, detail].filter(Boolean).join(': '))
    this.part = part
    this.line = line
  }
}

/** A link that leads nowhere once this person's data is in its address. */
export class DeadLinkError extends RenderError {
  override name = 'DeadLinkError'
}
