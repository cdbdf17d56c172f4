import type { TemplateProblem } from './errors.ts'
import type { TagGuard } from './guard.ts'
import { scanHtml } from './scan.ts'

const FORBIDDEN = new Set(['script', 'mj-include', 'iframe', 'object', 'embed'])
/** Without their end tag, the rest of the mail is theirs. */
const SWALLOWING = new Set(['style', 'title', 'textarea'])

/** MJML takes what stands in these for HTML. */
const ENDING = new Set([
  'mj-accordion-text',
  'mj-accordion-title',
  'mj-button',
  'mj-navbar-link',
  'mj-preview',
  'mj-raw',
  'mj-social-element',
  'mj-style',
  'mj-table',
  'mj-text',
  'mj-title',
])

/**
 * Scripts and what carries them run in no mail program, but would in a preview; includes would read nothing and vanish; a
 * tag that does not end takes the rest of the mail along; MJML where nothing compiles it is known to no mail program.
 */
export function findForbidden(guard: TagGuard, format: 'mjml' | 'html'): TemplateProblem[] {
  const problems: TemplateProblem[] = []
  const say = (start: number, detail: string) => {
    problems.push({ field: 'source', line: guard.lineAt(start), detail })
  }
  const open: { name: string; start: number }[] = []
  let html_in: string | null = null
  scanHtml(guard.text, {
    open({ name, start, attributes, self_closing }) {
      if (FORBIDDEN.has(name)) say(start, `<${name}> is not allowed.`)
      if (/^mj(?:ml|-)/.test(name)) {
        if (format === 'html') say(start, `<${name}> is MJML, which an HTML template cannot hold.`)
        else if (html_in) say(start, `<${name}> is not compiled inside <${html_in}>.`)
        else if (ENDING.has(name) && !self_closing) html_in = name
      }
      const handler = attributes.find((attribute) => attribute.name.startsWith('on'))
      if (handler) say(start, `The attribute ${handler.name} is not allowed.`)
      if (SWALLOWING.has(name) && !self_closing) open.push({ name, start })
    },
    close(name) {
      if (name === html_in) html_in = null
      if (open.at(-1)?.name === name) open.pop()
    },
    unfinished(start) {
      const what = guard.text.startsWith('<!--', start) ? 'This comment' : 'This tag'
      say(start, `${what} is never closed: ${guard.restore(excerpt(guard.text, start))}`)
    },
  })
  for (const { name, start } of open) say(start, `<${name}> is never closed.`)
  return problems
}

const EXCERPT = 40

function excerpt(text: string, start: number): string {
  const line = text.slice(start, start + EXCERPT).split(/\r?\n/, 1)[0] ?? ''
  return line.length < EXCERPT ? line : `${line}…`
}
