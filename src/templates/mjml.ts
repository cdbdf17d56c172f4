/// <reference path="./mjml-browser.d.ts" />
import type { MjmlError } from 'mjml-browser'
import { isComment } from '../render/tags.ts'
import { TemplateError, type TemplateProblem } from './errors.ts'
import type { TagGuard } from './guard.ts'
import { scanHtml } from './scan.ts'

type Mjml = typeof import('mjml-browser')['default']

let loading: Promise<Mjml> | undefined

/**
 * MJML is 1.5 MB of script that only saving a template needs, so it is loaded then. Its bundle looks for the global object
 * by `Function('return this')`, which Workers refuse after start-up, and takes `window` instead if there is one; other
 * libraries take a `window` for a browser, so it is there for that moment only.
 */
function loadMjml(): Promise<Mjml> {
  loading ??= (async () => {
    const scope = globalThis as { window?: unknown }
    const had = 'window' in scope
    if (!had) scope.window = globalThis
    try {
      // A CommonJS bundle of a module with a default export: how deep the function lies depends on who loads it.
      const loaded: unknown = await import('mjml-browser')
      return functionOf(loaded)
    } finally {
      if (!had) delete scope.window
    }
  })()
  loading.catch(() => {
    loading = undefined
  })
  return loading
}

function functionOf(loaded: unknown): Mjml {
  let found = loaded
  while (typeof found !== 'function') {
    if (found === null || typeof found !== 'object' || !('default' in found))
      throw new Error('mjml-browser has no function')
    found = found.default
  }
  return found as Mjml
}

/**
 * Compiles guarded MJML to HTML with the guard's words still in it.
 *
 * @throws {TemplateError} for what MJML itself refuses, what it would drop in silence, and elements left open
 */
export async function compileMjml(guard: TagGuard): Promise<string> {
  const unbalanced = findUnbalanced(guard)
  if (unbalanced.length > 0) throw new TemplateError(unbalanced)
  const mjml = await loadMjml()
  let html: string
  try {
    html = (await mjml(guard.text, { validationLevel: 'strict' })).html
  } catch (error) {
    const refused = refusals(error, guard)
    if (refused.length > 0) throw new TemplateError(refused)
    // Only variables where MJML wants to see a colour or a size: it compiles them all the same.
    html = (await mjml(guard.text, { validationLevel: 'soft' })).html
  }
  const dropped = guard.missingFrom(html).filter(({ source, line }) => line > 0 && !isComment(source))
  if (dropped.length > 0) {
    throw new TemplateError(
      dropped.map(({ source, line }) => ({
        field: 'source',
        line,
        detail: `MJML drops ${source} where it stands. Between MJML elements, wrap each such tag: <mj-raw>${source}</mj-raw>.`,
      })),
    )
  }
  return html
}

function refusals(error: unknown, guard: TagGuard): TemplateProblem[] {
  const errors = error instanceof Error && 'errors' in error ? (error.errors as MjmlError[]) : []
  if (errors.length === 0) {
    const message = error instanceof Error ? error.message : String(error)
    return [{ field: 'source', detail: `MJML cannot compile it: ${guard.restore(message)}` }]
  }
  return errors
    .filter(({ message }) => !isHarmless(message, guard))
    .map(({ line, message, tagName }) => {
      const variable = guard.has(message) ? ' A variable cannot stand there.' : ''
      const detail = `<${tagName}>: ${guard.restore(message).trim()}.${variable}`
      return { field: 'source', line: sourceLine(guard, line), detail }
    })
}

/** A variable as a colour or a length is only copied into CSS. Widths are computed with, and attributes' names are not values. */
function isHarmless(message: string, guard: TagGuard): boolean {
  const invalid = /^Attribute (\S+) has invalid value: (.*) for type (Color|Unit)\b/s.exec(message)
  return invalid !== null && invalid[1] !== 'width' && guard.has(invalid[2] ?? '')
}

/** MJML counts lines of the guarded source, where a tag over several lines is one word. */
function sourceLine(guard: TagGuard, line: number): number {
  let offset = 0
  for (let n = 1; n < line; n++) offset = guard.text.indexOf('\n', offset) + 1
  return guard.lineAt(offset)
}

/** MJML closes silently what the author forgot to close, and the rest of the mail lands inside it. */
function findUnbalanced(guard: TagGuard): TemplateProblem[] {
  const problems: TemplateProblem[] = []
  const open: { name: string; start: number }[] = []
  scanHtml(guard.text, {
    open({ name, start, self_closing }) {
      if (name.startsWith('mj') && !self_closing) open.push({ name, start })
    },
    close(name, start) {
      if (!name.startsWith('mj')) return
      const last = open.at(-1)
      if (last?.name === name) {
        open.pop()
        return
      }
      problems.push({
        field: 'source',
        line: guard.lineAt(start),
        detail: last ? `</${name}> comes while <${last.name}> is open.` : `</${name}> closes nothing.`,
      })
      if (open.some((element) => element.name === name)) while (open.pop()?.name !== name);
    },
  })
  for (const { name, start } of open) {
    problems.push({ field: 'source', line: guard.lineAt(start), detail: `<${name}> is never closed.` })
  }
  return problems
}
