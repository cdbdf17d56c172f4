import { checkSource } from '../render/check.ts'
import type { Program } from '../render/handlebars/ast.ts'
import { plainLinks } from '../render/splice.ts'
import { lineAt } from '../render/syntax.ts'
import { assembleTemplate } from './assemble.ts'
import { CLIPPED, type CompiledTemplate, type TemplateWarning } from './compiled.ts'
import { TemplateError, type TemplateProblem } from './errors.ts'
import { findForbidden } from './forbidden.ts'
import { TagGuard } from './guard.ts'
import { trackLinks } from './links.ts'
import { compileMjml } from './mjml.ts'
import { located } from './origin.ts'
import { NO_PARTIALS } from './partial.ts'
import { shrinkHtml } from './shrink.ts'
import { textFromHtml, trackText } from './text.ts'
import { summarize, type UsedVariable, usedVariables } from './variables.ts'

/** What the author hands in. */
export interface TemplateSource {
  format: 'mjml' | 'html'
  source: string
  /** The author's own text part; null has it made from the HTML. */
  text_source: string | null
}

/** Renders to nothing when the address is empty: previews, and mails that are not to be tracked. */
const PIXEL =
  '{{#if @pixel}}<img src="{{{@pixel}}}" width="1" height="1" alt="" style="display:block;width:1px;height:1px;border:0">{{/if}}'

/**
 * Compiles a template when it is saved, so that sending only fills it in.
 *
 * @param partials - those that it calls
 * @throws {TemplateError} with every problem that could be found, each with its line where that is known
 */
export async function compileTemplate(template: TemplateSource, partials = NO_PARTIALS): Promise<CompiledTemplate> {
  const { source, text_source } = await assembleTemplate(template, partials)
  const origins = { source: source.origins, text_source: text_source?.origins ?? [] }
  const used = new Map([...source.used, ...(text_source?.used ?? [])].map((partial) => [partial.id, partial]))
  try {
    const whole = { format: template.format, source: source.text, text_source: text_source?.text ?? null }
    const { warnings, variables, ...content } = await compileWhole(whole)
    return {
      ...content,
      variables: summarize(
        variables.map((used) => ({ ...used, line: origins[used.field][used.line - 1]?.line ?? used.line })),
      ),
      warnings: warnings.map((warning) => located(warning, origins[warning.field ?? 'source'])),
      partials: [...used.values()].map(({ id, name, version }) => ({ id, name, version })),
    }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    throw new TemplateError(error.problems.map((problem) => located(problem, origins[problem.field])))
  }
}

async function compileWhole(template: TemplateSource) {
  const program = parse(template.source, 'source')
  const text_program = template.text_source === null ? null : parse(template.text_source, 'text_source')
  const guard = new TagGuard(template.source)
  refuse(findForbidden(guard, template.format))
  const markup = template.format === 'mjml' ? await compileMjml(guard) : guard.text
  const locate = template.format === 'mjml' ? locateIn(guard) : (_: string, offset: number) => guard.lineAt(offset)
  const tracked = trackLinks(markup, guard, locate)
  refuse(tracked.problems)

  const html = addPixel(guard.restore(shrinkHtml(tracked.html, guard)))
  const text = textPart(template.text_source, tracked.html, guard, tracked.links.length + 1)
  const links = [...tracked.links, ...text.links]
  checkResult(plainLinks(html, links, 'html'), 'The compiled HTML')
  checkResult(plainLinks(text.text, links, 'text'), 'The text part made of it')

  const own = usedVariables(program, template.source)
  const in_text = text_program ? usedVariables(text_program, template.text_source ?? '') : []
  return {
    html,
    text: text.text,
    links,
    variables: [...inField('source', own), ...inField('text_source', in_text)],
    // Kept with every version: a hundred say as much as ten thousand.
    warnings: [
      ...clipped(html),
      ...unescaped(own),
      ...tracked.warnings,
      ...inField('text_source', text.warnings),
    ].slice(0, 100),
  }
}

/** No mail program shows them, and some refuse mails that hold them. Tabs, line and page breaks are white space. */
const CONTROL = /(?![\t\n\r\f])\p{Cc}/u

function parse(source: string, field: TemplateProblem['field']): Program {
  const control = CONTROL.exec(source)
  if (control) {
    const code = source.charCodeAt(control.index).toString(16).toUpperCase().padStart(4, '0')
    refuse([{ field, line: lineAt(source, control.index), detail: `The control character U+${code} is not allowed.` }])
  }
  const { program, problems } = checkSource(source)
  refuse(problems.map((problem) => ({ field, ...problem })))
  if (!program) throw new TemplateError([{ field, detail: 'Not valid Handlebars.' }])
  const guard = new TagGuard(source)
  const reserved = guard.tags.filter((tag) => /@\s*\[?(?:links?|pixel|click)\b/.test(tag.source))
  refuse(reserved.map((tag) => ({ field, line: tag.line, detail: `${tag.source} is filled in by the system.` })))
  return program
}

function inField<T extends object>(field: TemplateProblem['field'], list: readonly T[]) {
  return list.map((one) => ({ ...one, field }))
}

function refuse(problems: TemplateProblem[]): void {
  if (problems.length > 0) throw new TemplateError(problems)
}

/** MJML's output has lines of its own; an address is found again in the source by its spelling. */
function locateIn(guard: TagGuard): (raw: string) => number | undefined {
  return (raw) => {
    const offset = raw === '' ? -1 : guard.text.indexOf(raw)
    return offset === -1 ? undefined : guard.lineAt(offset)
  }
}

function textPart(text_source: string | null, html: string, guard: TagGuard, first: number) {
  if (text_source === null) return { text: guard.restore(textOf(html)), links: [], warnings: [] }
  const own = new TagGuard(text_source)
  const { text, links, warnings } = trackText(own, first)
  return { text: own.restore(text), links, warnings }
}

function textOf(html: string): string {
  try {
    return textFromHtml(html)
  } catch (error) {
    // It walks the elements by recursion: what ends it is the stack.
    if (!(error instanceof RangeError)) throw error
    throw new TemplateError([{ field: 'source', detail: 'Its elements nest too deep, or one is never closed.' }])
  }
}

function addPixel(html: string): string {
  const at = html.toLowerCase().lastIndexOf('</body')
  return at === -1 ? html + PIXEL : html.slice(0, at) + PIXEL + html.slice(at)
}

/** A tag can be fine in the source and no longer so where the markup around it went. */
function checkResult(source: string, what: string): void {
  const [problem] = checkSource(source).problems
  if (problem) refuse([{ field: 'source', detail: `${what} is not valid Handlebars any more: ${problem.detail}` }])
}

function clipped(html: string): TemplateWarning[] {
  const bytes = new TextEncoder().encode(html).length
  if (bytes <= CLIPPED) return []
  const detail = `The HTML has ${Math.ceil(bytes / 1024)} KB. Gmail cuts mails off after 102 KB, unsubscribe link included.`
  return [{ code: 'clipped', detail }]
}

/** Addresses and the sender's own data are ours; what subscribers typed in is not. */
function unescaped(used: readonly UsedVariable[]): TemplateWarning[] {
  return used
    .filter(
      ({ path, unescaped }) =>
        unescaped && !/^(?:unsubscribe_url|web_view_url|preferences_url|sender|campaign|list)\b/.test(path),
    )
    .map(({ path, line }) => ({
      code: 'unescaped_variable',
      line,
      detail: `{{{${path}}}} puts subscriber data into the mail as HTML. Write {{${path}}} unless that is meant.`,
    }))
}
