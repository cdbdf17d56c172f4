import { findTags, mapLiteralText } from './tags.ts'

/** Hides it from the mail itself; mail programs show it beside the subject in the list of mails. */
const HIDDEN =
  'display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;mso-hide:all'

/**
 * Puts the preheader at the start of a compiled template's body.
 *
 * @param preheader - Handlebars source of plain text: its literal parts are escaped here, its variables when rendered
 */
export function insertPreheader(html: string, preheader: string): string {
  const text = preheader.trim()
  if (text === '') return html
  const escaped = mapLiteralText(text, (literal) =>
    literal.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`).replace(/\s+/g, ' '),
  )
  const at = startOfBody(html)
  return `${html.slice(0, at)}<div style="${HIDDEN}">${escaped}</div>${html.slice(at)}`
}

function startOfBody(html: string): number {
  // Tags become spaces, so that what is inside them cannot end the start tag of the body.
  const pieces: string[] = []
  let from = 0
  for (const { source, offset } of findTags(html)) {
    pieces.push(html.slice(from, offset), ' '.repeat(source.length))
    from = offset + source.length
  }
  pieces.push(html.slice(from))
  const body = /<body(?=[\s>])(?:"[^"]*"|'[^']*'|[^>"'])*>/i.exec(pieces.join(''))
  return body ? body.index + body[0].length : 0
}
