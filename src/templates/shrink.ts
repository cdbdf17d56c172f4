import type { TagGuard } from './guard.ts'
import { Splices, scanHtml } from './scan.ts'

/** White space means something in these, or is not text at all. */
const VERBATIM = new Set(['pre', 'textarea', 'listing', 'xmp', 'style', 'script', 'title'])
const PRESERVING_STYLE = /white-space\s*:\s*(?:pre|break-spaces)/i

/**
 * Takes out of HTML what no reader sees: indentation and comments, which are a third of what MJML writes. Encoding and
 * sending cost several times what rendering does, by the byte. Each run of white space becomes one line break or space,
 * so that lines which hold only a Handlebars tag stay such lines.
 *
 * Kept: conditional comments (Outlook reads them) and comments that hold tags (a way of writing `{{#if}}` in HTML).
 */
export function shrinkHtml(html: string, guard: TagGuard): string {
  const splices = new Splices()
  const keep_text = PRESERVING_STYLE.test(html)
  let verbatim = 0
  let text_from = 0
  const text = (to: number) => {
    if (verbatim === 0 && !keep_text) collapse(html, text_from, to, splices)
  }
  scanHtml(html, {
    open(tag) {
      text(tag.start)
      let from = tag.start + 1 + tag.name.length
      for (const attribute of tag.attributes) {
        if (/^\s+$/.test(html.slice(from, attribute.start))) splices.replace(from, attribute.start, ' ')
        from = attribute.end
      }
      if (/^\s+>$/.test(html.slice(from, tag.end))) splices.replace(from, tag.end - 1, '')
      if (VERBATIM.has(tag.name) && !tag.self_closing) verbatim++
      text_from = tag.end
    },
    close(name, start, end) {
      text(start)
      if (VERBATIM.has(name) && verbatim > 0) verbatim--
      text_from = end
    },
    comment(start, end) {
      text(start)
      text_from = end
      const comment = html.slice(start, end)
      if (/\[if |\[endif\]/.test(comment)) {
        // What it holds is visited next, as markup.
        text_from = start + comment.indexOf('>') + 1
      } else if (!guard.has(comment) && verbatim === 0) {
        splices.replace(start, end, '')
      }
    },
  })
  text(html.length)
  return splices.apply(html).trim()
}

function collapse(html: string, from: number, to: number, splices: Splices): void {
  for (const run of html.slice(from, to).matchAll(/[ \t\r\n\f]+/g)) {
    const start = from + run.index
    const one = run[0].includes('\n') ? '\n' : ' '
    if (run[0] !== one) splices.replace(start, start + run[0].length, one)
  }
}
