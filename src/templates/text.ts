import { compile, type DomNode, type FormatCallback } from 'html-to-text'
import { checkSource } from '../render/check.ts'
import type { TemplateLink, TemplateWarning } from './compiled.ts'
import type { TagGuard } from './guard.ts'
import { linkTo } from './links.ts'

/** `text (address)`; an image speaks through its alt text, and a link without either is left out. */
const link: FormatCallback = (element, walk, builder) => {
  const shown = textOf(element)
  const alt = shown === '' ? altOf(element) : ''
  if (shown === '' && alt === '') return
  if (alt) builder.addInline(alt)
  else walk(element.children, builder)
  const href = String(element.attribs?.href ?? '').trim()
  if (href !== '' && href !== shown && !href.startsWith('#')) {
    builder.addInline(` (${href.replace(/^mailto:/i, '')})`, { noWordTransform: true })
  }
}

const cell: FormatCallback = (element, walk, builder) => {
  walk(element.children, builder)
  builder.addInline(' ')
}

const row: FormatCallback = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 })
  walk(element.children, builder)
  builder.closeBlock({ trailingLineBreaks: 1 })
}

/** Upper-cased headings would upper-case the variables in them, and wrapped lines cut through tags. */
const convert = compile({
  wordwrap: false,
  formatters: { link, cell, row },
  selectors: [
    { selector: 'img', format: 'skip' },
    { selector: 'a', format: 'link' },
    { selector: '[style*="display:none"]', format: 'skip' },
    { selector: '[style*="display: none"]', format: 'skip' },
    { selector: 'title', format: 'skip' },
    { selector: 'tr', format: 'row' },
    { selector: 'td', format: 'cell' },
    { selector: 'th', format: 'cell' },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
})

/** Writes the text part of guarded HTML; links stand in it with the same numbers as there. */
export function textFromHtml(html: string): string {
  return `${convert(html)
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}

/** May begin right after a tag, whose word ends like this. */
const ADDRESS = /(?:\b|(?<=\dq))https?:\/\/[^\s<>"']+/gi
/** Closing brackets and punctuation after an address belong to the sentence. */
const TRAILING = new Set('.,;:!?)]}')

/** A tag that begins, divides or ends a block. */
const BLOCK = /^\{\{\{?~?\s*(?:[#/^]|else\b)/

/**
 * Numbers the addresses of the author's own text, after those of the HTML.
 *
 * @param guard - the text's own
 * @param first - number of the first link
 */
export function trackText(
  guard: TagGuard,
  first: number,
): { text: string; links: TemplateLink[]; warnings: TemplateWarning[] } {
  const links: TemplateLink[] = []
  const warnings: TemplateWarning[] = []
  const text = guard.text.replace(ADDRESS, (written: string, offset: number) => {
    const address = addressIn(written, guard)
    const found = linkTo(address, guard)
    if ('warning' in found && found.warning) warnings.push({ ...found.warning, line: guard.lineAt(offset) })
    if (!('link' in found)) return written
    const n = first + links.length
    links.push({ n, ...found.link, text: guard.restore(address) })
    return guard.add(`{{{@links.${n}}}}`) + written.slice(address.length)
  })
  return { text, links, warnings }
}

/** Leaves out what is the sentence's, and a block that began before the address or ends after it. */
function addressIn(written: string, guard: TagGuard): string {
  let address = written
  if (guard.has(address) && checkSource(guard.restore(address)).program === null) {
    address = guard.before(address, (tag) => BLOCK.test(tag))
  }
  let end = address.length
  if (!address.includes('(')) while (TRAILING.has(address[end - 1] ?? '')) end--
  return address.slice(0, end)
}

function textOf(node: DomNode): string {
  if (node.type === 'text') return (node.data ?? '').trim()
  return (node.children ?? []).map(textOf).join(' ').trim()
}

function altOf(node: DomNode): string {
  if (node.name === 'img') return String(node.attribs?.alt ?? '').trim()
  return (node.children ?? []).map(altOf).join(' ').trim()
}
