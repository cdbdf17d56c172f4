import { checkSource } from './check.ts'
import { type ContentPart, RenderError } from './errors.ts'
import type { Template } from './handlebars/environment.ts'
import { language } from './language.ts'
import { assertPlain } from './plain.ts'
import { insertPreheader } from './preheader.ts'

/** A mail's content: Handlebars sources, of which `html` and `text` are compiled templates with their links signed. */
export interface Content {
  subject: string
  preheader: string
  html: string
  text: string
}

/** One recipient's mail. */
export interface Rendered {
  subject: string
  html: string
  text: string
}

export interface Renderer {
  /**
   * Renders one recipient's mail.
   *
   * @param data - plain JSON; the documented variables are in data.ts
   * @param tracking - `pixel`: address of the open pixel, empty for none; `click`: the recipient's half of every link
   * @throws {RenderError} when this data cannot be rendered; the renderer stays usable
   */
  render(data: object, tracking: { pixel: string; click: string }): Rendered
}

/**
 * Compiles a mail's content, once for all its recipients.
 *
 * @throws {RenderError} naming the part, and the line where it is known, when one is not valid
 */
export function prepareContent(content: Content): Renderer {
  const subject = prepare('subject', content.subject, content.subject)
  prepare('preheader', content.preheader, content.preheader)
  const html = prepare('html', content.html, insertPreheader(content.html, content.preheader))
  const text = prepare('text', content.text, content.text)
  return {
    render(data, tracking) {
      assertPlain(data)
      // Handlebars puts @root into it, and frames inherit from it.
      const variables = { pixel: tracking.pixel, click: tracking.click }
      return {
        subject: oneLine(subject(data, variables)),
        html: html(data, variables),
        text: text(data, variables),
      }
    },
  }
}

type Part = (data: object, variables: Record<string, unknown>) => string

function prepare(part: ContentPart, checked: string, source: string): Part {
  const [problem] = checkSource(checked).problems
  if (problem) throw new RenderError(problem.detail, part, problem.line ?? null)
  const template: Template = language.compile(source, { noEscape: part !== 'html' })
  return (data, variables) => {
    try {
      return template(data, {
        data: variables,
        // Said outright, else Handlebars writes to the log whenever data lacks what every object inherits.
        allowProtoPropertiesByDefault: false,
        allowProtoMethodsByDefault: false,
      })
    } catch (error) {
      throw new RenderError(reason(error), part, lineOf(error))
    }
  }
}

function reason(error: unknown): string {
  if (error instanceof RangeError) return 'blocks and partials nest too deep'
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
