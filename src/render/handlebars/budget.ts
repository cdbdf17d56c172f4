/**
 * Bounds of one render, so that a template which loops in itself ends with an error instead of the isolate. Work is
 * counted, not timed: a Worker's clock stands still while it computes.
 */
export const MAX_DEPTH = 150
/** About a tenth of a second to half a second. A newsletter takes a few thousand. */
export const MAX_STEPS = 1_000_000
/** Characters of one block's output, the whole template being the outermost block. */
export const MAX_LENGTH = 2_000_000
/** One step is a tag printed, a block run, a helper's call or argument, or 32 characters that one of them yields. */
const CHARACTERS_LOG2 = 5

/** What the render in progress has used up. One per environment: rendering is synchronous. */
export class Budget {
  depth = 0
  steps = 0

  /** Before the outermost block. */
  restart(): void {
    this.steps = 0
  }

  /** A block begins. */
  enter(tags: number): void {
    if (++this.depth > MAX_DEPTH) throw new TemplateTooLarge(`blocks and partials nest more than ${MAX_DEPTH} deep`)
    this.spend(1 + tags)
  }

  /** A block has put out so many characters. */
  leave(length: number): void {
    this.depth--
    this.checkLength(length)
    this.spendCharacters(length)
  }

  checkLength(length: number): void {
    if (length > MAX_LENGTH) throw new TemplateTooLarge(`the output is longer than ${MAX_LENGTH} characters`)
  }

  spend(steps: number): void {
    this.steps += steps
    if (this.steps > MAX_STEPS)
      throw new TemplateTooLarge(`it takes more than ${MAX_STEPS} steps: too many loops, or too much in them`)
  }

  spendCharacters(length: number): void {
    this.spend(length >> CHARACTERS_LOG2)
  }
}

/** A render passed one of the bounds above. */
export class TemplateTooLarge extends Error {
  override name = 'TemplateTooLarge'
}
