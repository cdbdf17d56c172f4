import { suggestion } from '../render/nearest.ts'
import { findTags } from '../render/tags.ts'
import { inlineNames, type PartialCall, partialCall } from './calls.ts'
import { TemplateError, type TemplateProblem } from './errors.ts'
import { located, type Origin, Pieces } from './origin.ts'
import type { Partial, Partials } from './partial.ts'

/** Characters of a source with its partials in it. Each may call others, so that a few lines could ask for gigabytes. */
const MAX_EXPANDED = 1_000_000

export interface Expanded {
  text: string
  origins: readonly Origin[]
  used: Partial[]
}

export interface Expanding {
  field: TemplateProblem['field']
  partials: Partials
  /** What a partial says here: its markup, or its words. */
  sourceOf(partial: Partial): string
  /** Makes Handlebars tags stand where the partial's own source stands. */
  wrap(partial: Partial, tags: string): string
  /** @returns why this partial cannot be called so here */
  refuse(partial: Partial, call: PartialCall): string | null
}

/**
 * Puts partials where they are called, once per save: MJML, the links and the text part see the whole mail, and no later
 * change of a partial reaches it. A call with arguments or with a block keeps a scope of its own: it becomes an inline
 * partial, of which the call stays.
 *
 * @throws {TemplateError} for partials that do not exist, and for circles
 */
export function expandPartials(source: string, expanding: Expanding): Expanded {
  const expansion = new Expansion(expanding)
  expansion.walk(source, [], (line) => ({ line, partial: null }))
  return expansion.finish()
}

class Expansion {
  private readonly expanding: Expanding
  private readonly pieces = new Pieces()
  private readonly used = new Map<string, Partial>()
  /** Names that the sources define themselves. */
  private readonly inline = new Set<string>(['@partial-block'])
  private readonly problems: TemplateProblem[] = []
  private scopes = 0

  constructor(expanding: Expanding) {
    this.expanding = expanding
  }

  finish(): Expanded {
    if (this.problems.length > 0) throw new TemplateError(this.problems)
    return { ...this.pieces.finish(), used: [...this.used.values()] }
  }

  /** @param path - names of the partials that this text is in, outermost first */
  walk(text: string, path: readonly string[], originOf: (line: number) => Origin): void {
    for (const name of inlineNames(text)) this.inline.add(name)
    // One entry per open block: the name that its end must have, where it was changed.
    const open: (string | null)[] = []
    let [from, from_line, line, counted] = [0, 1, 1, 0]
    let is_raw = false
    for (const { source: tag, offset } of findTags(text)) {
      line += newlines(text, counted, offset)
      counted = offset
      if (tag.startsWith('{{{{')) is_raw = !tag.startsWith('{{{{/')
      if (is_raw) continue
      const place = originOf(line)
      const call = partialCall(tag)
      const end = /^(\{\{~?\/\s*)[^\s~}]+/.exec(tag)
      const renamed = end ? open.pop() : null
      const partial = call && this.find(call, path, place)
      if (/^\{\{~?(?:#|\^\s*[^\s~}])/.test(tag) && !partial) open.push(null)
      if (!partial && !renamed) continue

      this.add(text.slice(from, offset), originOf(from_line))
      from = offset + tag.length
      from_line = line + newlines(tag, 0, tag.length)
      if (end && renamed) this.add(tag.replace(end[0], `${end[1]}${renamed}`), place)
      if (!call || !partial) continue
      const scope = this.insert(partial, call, tag, [...path, call.name], place)
      if (call.is_block) open.push(scope)
    }
    this.add(text.slice(from), originOf(from_line))
  }

  private find(call: PartialCall, path: readonly string[], place: Origin): Partial | undefined {
    const { name, is_block } = call
    if (this.inline.has(name)) return undefined
    const { found, names } = this.expanding.partials
    const partial = found.get(name)
    if (!partial) {
      // A block is itself what stands there when there is no such partial.
      if (!is_block) this.problem(place, `There is no partial named "${name}".${suggestion(name, names)}`)
      return undefined
    }
    const circle = path.includes(name) ? `{{> ${name}}} leads back to itself: ${[...path, name].join(' > ')}.` : null
    const refused = circle ?? this.expanding.refuse(partial, call)
    if (refused === null) return partial
    this.problem(place, refused)
    return undefined
  }

  /** @returns the name under which a call with a scope of its own finds it */
  private insert(partial: Partial, call: PartialCall, tag: string, path: readonly string[], place: Origin): string {
    const { sourceOf, wrap } = this.expanding
    this.used.set(partial.name, partial)
    const inside = (line: number): Origin => ({ line: place.line, partial: { name: partial.name, line } })
    // The line break at the end of a file is not part of what it says.
    const source = sourceOf(partial).replace(/\r?\n$/, '')
    const scope = `${partial.name}:${++this.scopes}`
    if (tag.startsWith('{{~')) this.add('{{~!}}', place)
    if (call.has_arguments || call.is_block) {
      const named = tag.replace(/>\s*(?:"[^"]*"|'[^']*'|\[[^\]]*\]|[^\s~}]+)/, `> ${scope}`)
      this.add(wrap(partial, `{{#*inline "${scope}"}}`), place)
      this.walk(source, path, inside)
      this.add(wrap(partial, `{{/inline}}${named}`), place)
    } else {
      this.walk(source, path, inside)
      if (tag.endsWith('~}}')) this.add('{{!~}}', place)
    }
    return scope
  }

  private add(text: string, origin: Origin): void {
    this.pieces.add(text, origin)
    if (this.pieces.length <= MAX_EXPANDED) return
    this.problem(origin, `With its partials it has more than ${MAX_EXPANDED} characters.`)
    throw new TemplateError(this.problems)
  }

  private problem(place: Origin, detail: string): void {
    const problem = { field: this.expanding.field, line: 1, detail }
    this.problems.push(located(problem, [place]))
  }
}

function newlines(text: string, from: number, to: number): number {
  let n = 0
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) n++
  return n
}
