import {
  asWarning,
  type ReadVariable,
  sortOut,
  unknownToPerson,
  unknownVariables,
} from '../campaigns/check/variables.ts'
import type { Database } from '../db/client.ts'
import { Problem } from '../http/problem.ts'
import { templateData } from '../render/data.ts'
import { RenderError } from '../render/errors.ts'
import { prepareContent, type Rendered } from '../render/render.ts'
import { plainLinks } from '../render/splice.ts'
import type { CompiledTemplate, TemplateWarning } from './compiled.ts'
import { findReader, type Reader } from './reader.ts'
import { SAMPLE_ADDRESSES, SAMPLE_MAILING, SAMPLE_PERSON } from './sample.ts'
import { type Sending, sizeAsSent } from './size.ts'
import { namesIn } from './variables.ts'

export interface PreviewRequest {
  subject: string
  preheader: string
  subscriber_id?: number | undefined
  list_id?: number | undefined
  data: Record<string, unknown>
}

export interface Preview extends Rendered {
  size: { html: number; message: number }
  warnings: TemplateWarning[]
}

/** Parts of a mail under the names by which the caller sent them. */
const FIELDS = { subject: 'subject', preheader: 'preheader', html: 'source', text: 'text_source' } as const

/**
 * Renders one mail for looking at: links lead straight to their target, nothing in it counts as an open or a click.
 *
 * @throws {Problem} template_invalid when the template cannot be rendered with this data
 */
export function renderPreview(
  compiled: CompiledTemplate,
  { subject, preheader, data }: Pick<PreviewRequest, 'subject' | 'preheader' | 'data'>,
  { person, list }: Reader = { person: SAMPLE_PERSON, list: SAMPLE_MAILING.list },
): Rendered & { warnings: TemplateWarning[] } {
  const { html, text, links, warnings } = compiled
  const known = templateData(person, { ...SAMPLE_MAILING, list }, SAMPLE_ADDRESSES)
  try {
    const content = { subject, preheader, html: plainLinks(html, links, 'html'), text: plainLinks(text, links, 'text') }
    return { ...prepareContent(content).render({ ...known, ...data }, { pixel: '', click: '' }), warnings }
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
    const field = error.part ? FIELDS[error.part] : 'data'
    throw new Problem('template_invalid', error.message, {
      errors: [{ field, detail: error.message, ...(error.line === null ? {} : { line: error.line }) }],
    })
  }
}

/**
 * The same with what it weighs when it is sent, and which of its variables will be empty.
 *
 * @throws {Problem} template_invalid, and validation_failed for a subscriber or list that there is not
 */
export async function previewMail(
  s: Sending & { db: Database },
  compiled: CompiledTemplate,
  request: PreviewRequest,
): Promise<Preview> {
  const reader = await findReader(s.db, request)
  const { warnings, ...mail } = renderPreview(compiled, request, reader)
  const [size, unknown] = await Promise.all([
    sizeAsSent(s, compiled, mail, reader),
    unknownIn(s.db, compiled, request, reader),
  ])
  return { ...mail, size, warnings: [...warnings, ...unknown] }
}

/** What the list lacks if there is one, what the subscriber lacks if there is one, and what no mail has. */
async function unknownIn(
  db: Database,
  compiled: CompiledTemplate,
  { subject, preheader, subscriber_id, list_id }: PreviewRequest,
  { person }: Reader,
): Promise<TemplateWarning[]> {
  const variables: ReadVariable[] = [...compiled.variables, ...namesIn(subject), ...namesIn(preheader)]
  if (list_id !== undefined) {
    return unknownVariables(db, { include: [list_id], exclude: [], where: {}, sample: null }, variables)
  }
  return subscriber_id === undefined ? sortOut(variables).unknown.map(asWarning) : unknownToPerson(person, variables)
}
