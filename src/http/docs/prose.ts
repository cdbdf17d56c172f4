import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** The little Markdown that our descriptions use: paragraphs, lists of `- `, `code` and **bold**. */
export function prose(markdown: string): Html[] {
  return markdown
    .split(/\n{2,}/)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      if (!block.startsWith('- ')) return html`<p>${inline(block)}</p>`
      const items = block.slice(2).split(/\n- /)
      return html`<ul>${items.map((item) => html`<li>${inline(item)}</li>`)}</ul>`
    })
}

const inline = (text: string) =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return html`<code>${part.slice(1, -1)}</code>`
    if (part.startsWith('**')) return html`<strong>${part.slice(2, -2)}</strong>`
    return part
  })
