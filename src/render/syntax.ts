import type { SourceProblem } from './check.ts'
import { findTags } from './tags.ts'

/** Says in an author's words what Handlebars' parser says in a grammar's. */
export function syntaxProblem(source: string, error: unknown): SourceProblem {
  const message = error instanceof Error ? error.message : String(error)
  const unclosed = unclosedBlock(source)
  // "if doesn't match each - 3:2", from the check of a block's two ends.
  const mismatch = /^(.+) doesn't match (.+) - (\d+):\d+$/s.exec(message)
  if (mismatch) {
    return {
      line: unclosed?.line ?? Number(mismatch[3]),
      detail: `{{/${mismatch[2]}}} closes a block that was opened as {{#${mismatch[1]}}}.`,
    }
  }
  const line = Number(/on line (\d+)/.exec(message)?.[1] ?? / - (\d+):\d+$/.exec(message)?.[1] ?? 0)
  if (/got 'EOF'/.test(message) && unclosed) return unclosed
  if (/got 'OPEN_ENDBLOCK'|got 'INVERSE'|got 'OPEN_INVERSE/.test(message)) {
    return located(line, `A closing or else tag has no block that it belongs to: ${excerpt(message)}`)
  }
  if (/^(Parse|Lexical) error/.test(message)) return located(line, `Not valid Handlebars: ${excerpt(message)}`)
  return located(line, message.replace(/ - \d+:\d+$/, ''))
}

function located(line: number, detail: string): SourceProblem {
  return line > 0 ? { line, detail } : { detail }
}

/** The stretch of source that the parser prints above its `---^`. */
function excerpt(message: string): string {
  return (message.split('\n')[1] ?? '').trim()
}

function unclosedBlock(source: string): { line: number; detail: string } | null {
  const open: { tag: string; name: string; offset: number }[] = []
  for (const { source: tag, offset } of findTags(source)) {
    const start = /^\{\{~?(?:#\*?|#>|\^)\s*([^\s~}]+)/.exec(tag)
    const end = /^\{\{~?\/\s*([^\s~}]+)/.exec(tag)
    if (start?.[1]) open.push({ tag, name: start[1], offset })
    if (end && open.at(-1)?.name === end[1]) open.pop()
  }
  const last = open.at(-1)
  return last ? { line: lineAt(source, last.offset), detail: `${last.tag} is never closed.` } : null
}

/** Line, counted from 1, of a place in a text. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}
