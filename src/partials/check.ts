import { assembleTemplate } from '../templates/assemble.ts'
import { compileTemplate } from '../templates/compile.ts'
import type { TemplateWarning } from '../templates/compiled.ts'
import { TemplateError } from '../templates/errors.ts'
import { documentOf, placeOf } from '../templates/fragment.ts'
import type { Partial, Partials } from '../templates/partial.ts'

const WHOLE = new Set(['mjml', 'mj-head', 'mj-body'])

/**
 * Compiles a partial by itself, so that what is wrong with it is said when it is saved, and not of every template.
 *
 * @param others - the partials it calls
 * @throws {TemplateError} with every problem that could be found
 */
export async function checkPartial(
  partial: Omit<Partial, 'id' | 'version'>,
  others: Partials,
): Promise<TemplateWarning[]> {
  const { name, format, source, text_source } = partial
  const itself = { ...partial, id: 0, version: 0 }
  const partials = { names: others.names, found: new Map([...others.found, [name, itself]]) }
  if (format === 'html') return (await compileTemplate({ format, source, text_source }, partials)).warnings
  const assembled = await assembleTemplate({ format, source, text_source: null }, partials)
  const { place, elements } = placeOf(assembled.source.text)
  const whole = elements.find((element) => WHOLE.has(element))
  if (whole) refuse(`Leave out <${whole}>: a partial holds what stands inside.`)
  if (elements.length === 0) refuse('It has no MJML element: save it with the format html.')
  if (place === null) refuse(`Its elements belong in different places: ${[...new Set(elements)].join(', ')}.`)
  return (await compileTemplate({ format, source: documentOf(source, place), text_source }, partials)).warnings
}

function refuse(detail: string): never {
  throw new TemplateError([{ field: 'source', line: 1, detail }])
}
