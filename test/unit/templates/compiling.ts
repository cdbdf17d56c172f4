import { prepareContent } from '../../../src/render/render.ts'
import { plainLinks } from '../../../src/render/splice.ts'
import { compileTemplate } from '../../../src/templates/compile.ts'
import type { CompiledTemplate } from '../../../src/templates/compiled.ts'
import { TemplateError, type TemplateProblem } from '../../../src/templates/errors.ts'

/** What stands in one section and column of an MJML mail. */
export const inColumn = (markup: string, head = '') =>
  `<mjml><mj-head>${head}</mj-head><mj-body><mj-section><mj-column>${markup}</mj-column></mj-section></mj-body></mjml>`

export const compileMjmlSource = (source: string, text_source: string | null = null) =>
  compileTemplate({ format: 'mjml', source, text_source })

export const compileHtmlSource = (source: string, text_source: string | null = null) =>
  compileTemplate({ format: 'html', source, text_source })

/** Renders what was compiled, untracked. */
export function rendered(compiled: CompiledTemplate, data: object = {}) {
  const { links } = compiled
  return prepareContent({
    subject: '',
    preheader: '',
    html: plainLinks(compiled.html, links, 'html'),
    text: plainLinks(compiled.text, links, 'text'),
  }).render(data, { pixel: '', click: '' })
}

/** The problems a template is refused for. */
export async function problemsOf(compiling: Promise<CompiledTemplate>): Promise<TemplateProblem[]> {
  try {
    await compiling
  } catch (error) {
    if (error instanceof TemplateError) return error.problems
    throw error
  }
  throw new Error('the template was not refused')
}
