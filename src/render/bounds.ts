import type { SourceProblem } from './check.ts'
import { lineAt } from './syntax.ts'
import { findTags, isComment } from './tags.ts'

/** Blocks in blocks, each `else if` being one more; below what a render may (handlebars/budget.ts). */
const BLOCKS = 100
/** Expressions in expressions. */
const EXPRESSIONS = 50
/** Tags of one source; a newsletter has some fifty. */
const TAGS = 10_000
/** Characters of one tag. */
const TAG_LENGTH = 20_000

/**
 * Handlebars parses and walks nested blocks by recursion, and keeps for each level what it found below: thousands of levels
 * cost minutes and then the isolate, and tags of megabytes cost minutes, too. So they are counted before it sees them.
 */
export function beyondBounds(source: string): SourceProblem | null {
  // One entry per open block: the levels it takes.
  const open: number[] = []
  let levels = 0
  const tags = findTags(source)
  for (const { source: tag, offset } of tags) {
    if (/^\{\{~?(?:#|\^\s*[^\s~}])/.test(tag)) {
      open.push(1)
      levels++
    } else if (/^\{\{~?\//.test(tag)) {
      levels -= open.pop() ?? 0
    } else if (/^\{\{~?\s*else\s+[^\s~}]/.test(tag) && open.length > 0) {
      open.push((open.pop() ?? 0) + 1)
      levels++
    }
    const line = () => lineAt(source, offset)
    if (levels > BLOCKS) return { line: line(), detail: `Blocks nest more than ${BLOCKS} deep here.` }
    if (parentheses(tag) > EXPRESSIONS) {
      return { line: line(), detail: `Expressions nest more than ${EXPRESSIONS} deep here.` }
    }
    if (tag.length > TAG_LENGTH && !isComment(tag)) {
      return { line: line(), detail: `This tag is longer than ${TAG_LENGTH} characters.` }
    }
  }
  const extra = tags[TAGS]
  if (extra) return { line: lineAt(source, extra.offset), detail: `There are more than ${TAGS} tags.` }
  return null
}

function parentheses(tag: string): number {
  if (!tag.includes('(')) return 0
  let deepest = 0
  let depth = 0
  let quote = ''
  for (const char of tag) {
    if (quote) quote = char === quote ? '' : quote
    else if (char === '"' || char === "'") quote = char
    else if (char === '(') deepest = Math.max(deepest, ++depth)
    else if (char === ')') depth--
  }
  return deepest
}
