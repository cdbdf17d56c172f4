import { Problem } from '../http/problem.ts'
import { templateData } from '../render/data.ts'
import { RenderError } from '../render/errors.ts'
import { prepareContent } from '../render/render.ts'
import { plainLinks } from '../render/splice.ts'
import type { CompiledTemplate } from './compiled.ts'

/** Whom a preview is for when the caller says nothing else. */
const SAMPLE = templateData(
  {
    email: 'ada.lovelace@example.com',
    first_name: 'Ada',
    last_name: 'Lovelace',
    attributes: {},
    timezone: 'Europe/London',
    locale: 'en-GB',
  },
  {
    sender: {
      from_name: 'Example Sender',
      from_email: 'news@example.com',
      reply_to: null,
      postal_address: '1 Example Street, 12345 Example Town',
      account: null,
    },
    campaign: { id: 0, name: 'Preview' },
    list: { id: 0, name: 'Example List' },
  },
  'https://example.com/unsubscribe',
)

interface PreviewRequest {
  subject: string
  preheader: string
  data: Record<string, unknown>
}

/** Parts of a mail under the names by which the caller sent them. */
const FIELDS = { subject: 'subject', preheader: 'preheader', html: 'source', text: 'text_source' } as const

/**
 * Renders one mail for looking at: links lead straight to their target, nothing in it counts as an open or a click.
 *
 * @throws {Problem} template_invalid when the template cannot be rendered with this data
 */
export function renderPreview(compiled: CompiledTemplate, { subject, preheader, data }: PreviewRequest) {
  const { html, text, links, warnings } = compiled
  try {
    const content = { subject, preheader, html: plainLinks(html, links, 'html'), text: plainLinks(text, links, 'text') }
    const mail = prepareContent(content).render({ ...SAMPLE, ...data }, { pixel: '', click: '' })
    return { ...mail, warnings }
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
    const field = error.part ? FIELDS[error.part] : 'data'
    throw new Problem('template_invalid', error.message, {
      errors: [{ field, detail: error.message, ...(error.line === null ? {} : { line: error.line }) }],
    })
  }
}
