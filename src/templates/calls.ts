import { language } from '../render/language.ts'
import { findTags } from '../render/tags.ts'

/** A tag that calls a partial by its name: `{{> footer}}`, `{{> button url=link}}`, `{{#> layout}}`. */
export interface PartialCall {
  name: string
  has_arguments: boolean
  is_block: boolean
}

/** @returns null for every other tag, and for partials that are chosen by an expression */
export function partialCall(tag: string): PartialCall | null {
  const start = /^\{\{~?(#?)>/.exec(tag)
  if (!start) return null
  try {
    const [statement] = language.parse(tag.replace('#>', '>')).body
    if (statement?.type !== 'PartialStatement' || statement.name.type === 'SubExpression') return null
    const { name, params, hash } = statement
    return {
      name: String(name.original),
      has_arguments: params.length > 0 || hash !== undefined,
      is_block: start[1] === '#',
    }
  } catch {
    // Not valid Handlebars: said of the whole source, with its line.
    return null
  }
}

/** Partials that a source defines itself: `{{#*inline "row"}}`. */
export function inlineNames(source: string): string[] {
  return findTags(source).flatMap(({ source: tag }) => {
    const name = /^\{\{~?#\*\s*inline\s+(?:"([^"]*)"|'([^']*)')/.exec(tag)
    return name ? [name[1] ?? name[2] ?? ''] : []
  })
}

/** The names that sources call, but not the partials they define themselves. */
export function calledNames(...sources: (string | null)[]): string[] {
  const called = new Set<string>()
  for (const source of sources) {
    if (source === null) continue
    const own = new Set(['@partial-block', ...inlineNames(source)])
    for (const { source: tag } of findTags(source)) {
      const name = partialCall(tag)?.name
      if (name !== undefined && !own.has(name)) called.add(name)
    }
  }
  return [...called]
}
