import type { TemplateSource } from './compile.ts'
import { TemplateError } from './errors.ts'
import { type Expanded, expandPartials } from './expand.ts'
import { documentOf, placeOf } from './fragment.ts'
import { TagGuard } from './guard.ts'
import { compileMjml } from './mjml.ts'
import type { Partial, Partials } from './partial.ts'
import { textFromHtml } from './text.ts'

/** A template with its partials in it. */
export interface Assembled {
  source: Expanded
  text_source: Expanded | null
}

/**
 * Puts the partials into a template.
 *
 * @throws {TemplateError} for partials that do not exist, circles, and partials that cannot stand where they are called
 */
export async function assembleTemplate(template: TemplateSource, partials: Partials): Promise<Assembled> {
  const { format, text_source } = template
  const source = expandMarkup(template.source, format, partials)
  if (text_source === null) return { source, text_source: null }
  return { source, text_source: await expandText(text_source, partials) }
}

function expandMarkup(source: string, format: TemplateSource['format'], partials: Partials): Expanded {
  return expandPartials(source, {
    field: 'source',
    partials,
    sourceOf: (partial) => partial.source,
    wrap: (partial, tags) => (partial.format === 'mjml' ? `<mj-raw>${tags}</mj-raw>` : tags),
    refuse({ name, format: holds, source }, { has_arguments, is_block }) {
      if (holds === 'html') return null
      if (format === 'html') return `The partial "${name}" is MJML, which an HTML template cannot hold.`
      if (is_block) return `The partial "${name}" is MJML: it can be called by {{> ${name}}}, not as a block.`
      if (has_arguments && placeOf(source).place === 'head')
        return `The partial "${name}" takes no arguments in mj-head.`
      return null
    },
  })
}

async function expandText(source: string, partials: Partials): Promise<Expanded> {
  const expanding = {
    field: 'text_source' as const,
    partials,
    wrap: (_: Partial, tags: string) => tags,
    refuse: () => null,
  }
  // The first time for what there is to say of the calls, and to know which partials need words.
  const { used } = expandPartials(source, {
    ...expanding,
    sourceOf: (partial) => partial.text_source ?? partial.source,
  })
  const texts = new Map<string, string>()
  for (const partial of used) texts.set(partial.name, await textOfPartial(partial, partials))
  return { ...expandPartials(source, { ...expanding, sourceOf: ({ name }) => texts.get(name) ?? '' }), used }
}

/** What stands for a partial in a text part. */
async function textOfPartial(partial: Partial, partials: Partials): Promise<string> {
  const { name, format, source, text_source } = partial
  if (text_source !== null) return text_source
  try {
    const { text } = expandMarkup(source, format, partials)
    const guard = new TagGuard(format === 'mjml' ? documentOf(text, placeOf(text).place ?? 'body') : text)
    return guard.restore(textFromHtml(format === 'mjml' ? await compileMjml(guard) : guard.text))
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    // It was fine when it was saved; a partial that it calls has changed since.
    const say = (detail: string) => `The partial "${name}" does not compile: ${detail}`
    throw new TemplateError(error.problems.map(({ detail }) => ({ field: 'text_source', detail: say(detail) })))
  }
}
