// Handlebars tags as stretches of text, for the work that must not look inside them.

/** Strings and `[…]` segments inside a tag may hold braces; a comment may hold anything but its own end. */
const INSIDE = String.raw`(?:"(?:\\"|[^"])*"|'(?:\\'|[^'])*'|\[[^\]]*\]`
const TAG = new RegExp(
  [
    String.raw`\\?\{\{\{\{${INSIDE}|[^"'\[}]|\}(?!\}\}\}))*\}\}\}\}`,
    String.raw`\\?\{\{~?!--[\s\S]*?--~?\}\}`,
    String.raw`\\?\{\{~?![\s\S]*?\}\}`,
    String.raw`\\?\{\{\{${INSIDE}|[^"'\[}]|\}(?!\}\}))*\}\}\}`,
    String.raw`\\?\{\{${INSIDE}|[^"'\[}]|\}(?!\}))*\}\}`,
  ].join('|'),
  'g',
)

export interface Tag {
  /** As the author wrote it, braces included. */
  source: string
  /** Where it starts, in the text it was taken from. */
  offset: number
}

/** All tags of a text that parses as Handlebars, in order. */
export function findTags(text: string): Tag[] {
  return Array.from(text.matchAll(TAG), (match) => ({ source: match[0], offset: match.index }))
}

/** Changes what stands between tags, and leaves the tags alone. */
export function mapLiteralText(text: string, change: (literal: string) => string): string {
  let out = ''
  let from = 0
  for (const { source, offset } of findTags(text)) {
    out += change(text.slice(from, offset)) + source
    from = offset + source.length
  }
  return out + change(text.slice(from))
}

/** What a tag does, which decides where it may stand. */
export function isComment(tag: string): boolean {
  return /^\{\{~?!/.test(tag)
}
