import { lineAt } from '../render/syntax.ts'
import { findTags } from '../render/tags.ts'

export interface GuardedTag {
  source: string
  /** Line in the author's source; 0 for tags that we added. */
  line: number
}

/**
 * Stands in for Handlebars tags while a template passes through tools that know only MJML, HTML or CSS: each tag is one
 * plain word, which no parser, escaper or CSS inliner has a reason to touch. What is dropped on the way is noticed.
 */
export class TagGuard {
  /** The source with words in place of tags. */
  readonly text: string
  readonly tags: GuardedTag[] = []
  /** Where in `text` a line ends, in order; a tag's own line breaks are at the end of its word. */
  private readonly breaks: number[] = []
  private readonly prefix: string
  private readonly word: RegExp

  constructor(source: string) {
    const lower = source.toLowerCase()
    let n = 0
    while (lower.includes(`hbs${n}x`)) n++
    this.prefix = `hbs${n}x`
    this.word = new RegExp(`${this.prefix}(\\d+)q`, 'gi')
    let text = ''
    let from = 0
    let line = 1
    for (const { source: tag, offset } of findTags(source)) {
      const literal = source.slice(from, offset)
      line += newlines(literal)
      this.see(literal, text.length)
      text += literal + this.add(tag, line)
      for (let n = newlines(tag); n > 0; n--) this.breaks.push(text.length - 1)
      line += newlines(tag)
      from = offset + tag.length
    }
    this.see(source.slice(from), text.length)
    this.text = text + source.slice(from)
  }

  /** Notes the line breaks of a literal that goes to `offset`. */
  private see(literal: string, offset: number): void {
    for (let at = literal.indexOf('\n'); at !== -1; at = literal.indexOf('\n', at + 1)) this.breaks.push(offset + at)
  }

  /** Takes a tag into custody and returns the word for it. */
  add(tag: string, line = 0): string {
    this.tags.push({ source: tag, line })
    return `${this.prefix}${this.tags.length - 1}q`
  }

  /** Puts the tags back. A tag that stood as a bare attribute loses the `=""` that a serialiser gave it. */
  restore(text: string): string {
    const attribute = new RegExp(`${this.word.source}(?:=""|(?=))`, 'gi')
    return text.replace(attribute, (_, index: string) => this.tags[Number(index)]?.source ?? '')
  }

  /** The tags whose words are in a text. */
  in(text: string): GuardedTag[] {
    return Array.from(text.matchAll(this.word), (match) => this.tags[Number(match[1])] ?? { source: '', line: 0 })
  }

  has(text: string): boolean {
    return text.search(this.word) !== -1
  }

  /** What a text says before the first tag of a kind; all of it when there is none. */
  before(text: string, isOfKind: (tag: string) => boolean): string {
    for (const match of text.matchAll(this.word)) {
      if (isOfKind(this.tags[Number(match[1])]?.source ?? '')) return text.slice(0, match.index)
    }
    return text
  }

  /** The tags whose words are not in a text. */
  missingFrom(text: string): GuardedTag[] {
    const kept = new Set(this.in(text))
    return this.tags.filter((tag) => !kept.has(tag))
  }

  /** Line of the author's source for a place in the guarded text. Tags may span lines; their words do not. */
  lineAt(offset: number): number {
    let [low, high] = [0, this.breaks.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.breaks[middle] ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return 1 + low
  }

  /** What a text says whatever its tags yield. */
  literal(text: string): string {
    return text.replace(this.word, '')
  }
}

function newlines(text: string): number {
  return lineAt(text, text.length) - 1
}
