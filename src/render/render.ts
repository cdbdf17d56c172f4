import { checkSource } from './check.ts'
import { type ContentPart, RenderError } from './errors.ts'
import { language } from './language.ts'
import { type LinkTracking, plainLinksOf, trackLinksOf } from './personal.ts'
import { assertPlain } from './plain.ts'
import { insertPreheader } from './preheader.ts'
import { LINK_MARK } from './splice.ts'

/** A mail's content: Handlebars sources, of which `html` and `text` are compiled templates with their links signed. */
export interface Content {
  subject: string
  preheader: string
  html: string
  text: string
  /** Handlebars sources that all parts may name, also by an expression: `{{> footer}}`, `{{> (lookup . "plan")}}`. */
  partials?: Readonly<Record<string, string>>
}

/** One recipient's mail. */
export interface Rendered {
  subject: string
  html: string
  text: string
}

/** `pixel`: address of the open pixel, empty for none; `click`: the recipient's half of every link. */
export interface Tracking {
  pixel: string
  click: string
}

export interface Renderer {
  /** Whether the mail names its own web view, whose address then is worth signing. */
  readonly shows_web_view: boolean
  /** The same of its reader's preferences. */
  readonly shows_preferences: boolean
  /**
   * Renders one recipient's mail. Links whose address holds variables lead straight to their target.
   *
   * @param data - plain JSON; the documented variables are in data.ts
   * @throws {RenderError} when this data cannot be rendered; the renderer stays usable
   */
  render(data: object, tracking: Tracking): Rendered
  /**
   * The same, with links whose address holds variables tracked, too.
   *
   * @throws {RenderError} also for such a link that leads nowhere with this data
   */
  renderTracked(data: object, tracking: Tracking, links: LinkTracking): Promise<Rendered>
}

/**
 * Compiles a mail's content, once for all its recipients.
 *
 * @throws {RenderError} naming the part, and the line where it is known, when one is not valid
 */
export function prepareContent(content: Content): Renderer {
  const partials = content.partials ?? {}
  for (const [name, source] of Object.entries(partials)) {
    const [problem] = checkSource(source, Object.keys(partials)).problems
    if (problem) throw new RenderError(`partial "${name}": ${problem.detail}`, null, problem.line ?? null)
  }
  const subject = prepare('subject', content.subject, content.subject, partials)
  prepare('preheader', content.preheader, content.preheader, partials)
  const html = prepare('html', content.html, insertPreheader(content.html, content.preheader), partials)
  const text = prepare('text', content.text, content.text, partials)
  const parts = [content.subject, content.preheader, content.html, content.text, ...Object.values(partials)]
  // No recipient's data can hold it. Empty when no link holds variables: then there is nothing to look for in any mail.
  const mark = parts.some((part) => part.includes(LINK_MARK)) ? `link-${crypto.randomUUID()}:` : ''

  function render(data: object, tracking: Tracking): Rendered {
    assertPlain(data)
    // Handlebars puts @root into it, and frames inherit from it.
    const variables: Record<string, unknown> = { pixel: tracking.pixel, click: tracking.click }
    const rendered_subject = oneLine(subject(data, variables))
    if (mark !== '') variables.link = mark
    return { subject: rendered_subject, html: html(data, variables), text: text(data, variables) }
  }

  return {
    shows_web_view: parts.some((part) => part.includes('web_view_url')),
    shows_preferences: parts.some((part) => part.includes('preferences_url')),
    render(data, tracking) {
      const mail = render(data, tracking)
      if (mark === '') return mail
      return { ...mail, html: plainLinksOf(mail.html, mark), text: plainLinksOf(mail.text, mark) }
    },
    async renderTracked(data, tracking, links) {
      const mail = render(data, tracking)
      if (mark === '') return mail
      return {
        ...mail,
        html: await trackLinksOf(mail.html, mark, 'html', links),
        text: await trackLinksOf(mail.text, mark, 'text', links),
      }
    },
  }
}

type Part = (data: object, variables: Record<string, unknown>) => string

function prepare(part: ContentPart, checked: string, source: string, partials: Readonly<Record<string, string>>): Part {
  const [problem] = checkSource(checked, Object.keys(partials)).problems
  if (problem) throw new RenderError(problem.detail, part, problem.line ?? null)
  const template = language.prepare(source, { noEscape: part !== 'html', partials })
  return (data, variables) => {
    try {
      return template(data, variables)
    } catch (error) {
      throw new RenderError(reason(error), part, lineOf(error))
    }
  }
}

function reason(error: unknown): string {
  if (error instanceof RangeError && /stack/i.test(error.message)) return 'blocks and partials nest too deep'
  return error instanceof Error ? error.message : String(error)
}

function lineOf(error: unknown): number | null {
  if (error === null || typeof error !== 'object' || !('lineNumber' in error)) return null
  return typeof error.lineNumber === 'number' ? error.lineNumber : null
}

/** Line breaks and other control characters would end a header early: they become spaces. */
function oneLine(subject: string): string {
  return subject.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}
