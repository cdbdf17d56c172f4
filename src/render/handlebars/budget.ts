/**
 * Bounds of one render, so that a template which loops in itself ends with an error instead of the isolate.
 * Programs are block bodies run: each pass of an `{{#each}}` is one.
 */
export const MAX_DEPTH = 150
export const MAX_PROGRAMS = 100_000
/** Characters of one block's output, the whole template being the outermost block. */
export const MAX_LENGTH = 2_000_000
/**
 * Characters that all blocks of a render write together, counted again by each block around them: a loop's output grows
 * inside its helper, far past MAX_LENGTH and the isolate's memory, before the loop itself ends.
 */
export const MAX_WRITTEN = 20_000_000

/** What the render in progress has used up. One per environment: rendering is synchronous. */
export class Budget {
  depth = 0
  programs = 0
  written = 0

  /** Before the outermost block. */
  restart(): void {
    this.programs = 0
    this.written = 0
  }

  enter(): void {
    if (++this.depth > MAX_DEPTH) throw new TemplateTooLarge(`blocks and partials nest more than ${MAX_DEPTH} deep`)
    if (++this.programs > MAX_PROGRAMS) throw new TemplateTooLarge(`more than ${MAX_PROGRAMS} blocks were run`)
  }

  leave(length: number): void {
    this.depth--
    this.written += length
    if (this.written > MAX_WRITTEN) throw new TemplateTooLarge(`more than ${MAX_WRITTEN} characters were written`)
    if (length > MAX_LENGTH) throw new TemplateTooLarge(`the output is longer than ${MAX_LENGTH} characters`)
  }
}

/** A render passed one of the bounds above. */
export class TemplateTooLarge extends Error {
  override name = 'TemplateTooLarge'
}
