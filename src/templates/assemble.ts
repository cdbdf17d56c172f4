import { calledNames } from './calls.ts'
import type { TemplateSource } from './compile.ts'
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
  const texts = new Map<string, string>()
  if (calledNames(source).length > 0) {
    for (const partial of partials.found.values()) texts.set(partial.name, await textOfPartial(partial, partials))
  }
  return expandPartials(source, {
    field: 'text_source',
    partials,
    sourceOf: ({ name }) => texts.get(name) ?? '',
    wrap: (_, tags) => tags,
    refuse: () => null,
  })
}

/** What stands for a partial in a text part. */
async function textOfPartial({ format, source, text_source }: Partial, partials: Partials): Promise<string> {
  if (text_source !== null) return text_source
  const { text } = expandMarkup(source, format, partials)
  const guard = new TagGuard(format === 'mjml' ? documentOf(text, placeOf(text).place ?? 'body') : text)
  return guard.restore(textFromHtml(format === 'mjml' ? await compileMjml(guard) : guard.text))
}
