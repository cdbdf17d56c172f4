// Handlebars tags as stretches of text, for the work that must not look inside them.

// Strings and `[…]` segments inside a tag may hold braces, nothing else may. Each part can match in one way only.
const INSIDE = String.raw`(?:"(?:\\"|[^"\\]|\\(?!"))*"|'(?:\\'|[^'\\]|\\(?!'))*'|\[[^\]]{0,500}\]|[^"'\[{}])*`
const TAG = new RegExp(
  [
    String.raw`\{\{\{\{${INSIDE}\}\}\}\}`,
    String.raw`\{\{~?![\s\S]*?\}\}`,
    String.raw`\{\{~?\{${INSIDE}\}~?\}\}`,
    String.raw`\{\{${INSIDE}\}\}`,
  ].join('|'),
  'y',
)
/** These end at `--}}` and may hold `}}` before it. */
const COMMENT = /\{\{~?!--/y
const COMMENT_END = /--~?\}\}/g
/** A text that parses has next to none; one that does not may make each of them a walk to its end. */
const MOST_MISSES = 100

export interface Tag {
  /** As the author wrote it, braces included. */
  source: string
  /** Where it starts, in the text it was taken from. */
  offset: number
}

/** All tags of a text, in order. In a text that does not parse as Handlebars some may be missing. */
export function findTags(text: string): Tag[] {
  const tags: Tag[] = []
  let from = 0
  let comments_end = true
  let misses = 0
  const last = text.lastIndexOf('}}')
  for (let at = text.indexOf('{{'); at !== -1 && at < last; at = text.indexOf('{{', from)) {
    let end = -1
    COMMENT.lastIndex = at
    if (comments_end && COMMENT.test(text)) {
      COMMENT_END.lastIndex = COMMENT.lastIndex
      if (COMMENT_END.test(text)) end = COMMENT_END.lastIndex
      else comments_end = false
    }
    TAG.lastIndex = at
    if (end === -1 && TAG.test(text)) end = TAG.lastIndex
    if (end === -1) {
      if (++misses === MOST_MISSES) break
      from = at + 1
      continue
    }
    const escaped = at > from && text[at - 1] === '\\' ? 1 : 0
    tags.push({ source: text.slice(at - escaped, end), offset: at - escaped })
    from = end
  }
  return tags
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
