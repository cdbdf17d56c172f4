import type { TemplateLink, TemplateWarning } from './compiled.ts'
import type { TemplateProblem } from './errors.ts'
import type { TagGuard } from './guard.ts'
import { type Attribute, Splices, type StartTag, scanHtml } from './scan.ts'

export interface TrackedHtml {
  /** Still guarded; each tracked address is a guarded `{{{@links.N}}}`. */
  html: string
  links: TemplateLink[]
  warnings: TemplateWarning[]
  problems: TemplateProblem[]
}

/** Elements that take a reader somewhere; the v: ones are how Outlook draws buttons. */
const LINKING = new Set(['a', 'area', 'v:roundrect', 'v:rect', 'v:shape', 'v:oval'])
/** Longest link text that is kept, in characters: it names the link in reports. */
const TEXT_LENGTH = 200

/**
 * Replaces every literal web address that a reader can click by a numbered place, in order of appearance.
 *
 * @param locate - line in the author's source of a stretch of this HTML, if it can be told
 */
export function trackLinks(
  html: string,
  guard: TagGuard,
  locate: (raw: string, offset: number) => number | undefined,
): TrackedHtml {
  const tracked: TrackedHtml = { html, links: [], warnings: [], problems: [] }
  const splices = new Splices()
  /** Links whose end tag has not come yet, so that text still belongs to them. */
  const open: { name: string; link: TemplateLink }[] = []
  const say = (text: string) => {
    for (const { link } of open) link.text += text
  }
  scanHtml(html, {
    open(tag) {
      if (tag.name === 'img') say(` ${attributeOf(tag, 'alt')} `)
      for (const attribute of tag.attributes) {
        if (attribute.name !== 'href' && attribute.name !== 'action' && attribute.name !== 'formaction') continue
        const refused = refusal(guard.literal(attribute.value))
        if (refused) tracked.problems.push(problem(refused, attribute))
      }
      const href = tag.attributes.find((attribute) => attribute.name === 'href')
      if (!LINKING.has(tag.name) || !href) return
      const off = tag.attributes.find((attribute) => attribute.name === 'data-track')
      if (off) splices.replace(off.start - gapBefore(html, off.start), off.end, '')
      if (off?.value.trim().toLowerCase() === 'off') return
      const link = track(href)
      if (!link) return
      if (tag.name === 'area') link.text = attributeOf(tag, 'alt')
      else if (!tag.self_closing) open.push({ name: tag.name, link })
    },
    close(name) {
      const at = open.findLastIndex((element) => element.name === name)
      if (at !== -1) open.splice(at, 1)
    },
    text: say,
  })
  tracked.html = splices.apply(html)
  for (const link of tracked.links) {
    link.text = Array.from(guard.restore(link.text).replace(/\s+/g, ' ').trim()).slice(0, TEXT_LENGTH).join('')
  }
  return tracked

  function track(href: Attribute): TemplateLink | null {
    const address = href.value.trim()
    if (guard.has(address)) {
      const warning = variableLink(address, guard)
      if (warning) tracked.warnings.push(located(warning, href))
      return null
    }
    if (!/^https?:/i.test(address)) {
      if (isRelative(address)) {
        tracked.warnings.push(
          located(
            { code: 'relative_link', detail: `"${address}" leads nowhere in a mail: write the whole address.` },
            href,
          ),
        )
      }
      return null
    }
    const url = webAddress(address)
    if (url === null) {
      tracked.problems.push(problem(`"${address}" is not a valid address.`, href))
      return null
    }
    const link = { n: tracked.links.length + 1, url, text: '' }
    tracked.links.push(link)
    splices.replace(href.value_start, href.value_end, guard.add(`{{{@links.${link.n}}}}`))
    return link
  }

  function problem(detail: string, attribute: Attribute): TemplateProblem {
    return located({ field: 'source', detail }, attribute)
  }

  function located<T extends object>(what: T, { value_start, value_end }: Attribute): T & { line?: number } {
    const line = locate(html.slice(value_start, value_end), value_start)
    return line === undefined ? what : { ...what, line }
  }
}

/** Warns of an address that holds variables, unless it is one that is never tracked anyway. */
export function variableLink(address: string, guard: TagGuard): TemplateWarning | null {
  const written = guard.restore(address)
  if (/^\{\{\{?~?&?\s*(?:@root\.)?unsubscribe_url\s*~?\}?\}\}$/.test(written)) return null
  if (/^(?:mailto|tel|sms):/i.test(written) || written.startsWith('#')) return null
  return { code: 'untracked_link', detail: `Clicks on ${written} are not counted: its address holds variables.` }
}

/**
 * The address as it is stored and redirected to: as written, unless it holds what an HTTP header may not (accents, spaces).
 *
 * @returns null when it is no address
 */
export function webAddress(address: string): string | null {
  if (!URL.canParse(address)) return null
  return /^[\x21-\x7e]+$/.test(address) ? address : new URL(address).href
}

/** Browsers skip control characters and white space in a scheme. */
function refusal(address: string): string | null {
  const scheme = /^(javascript|vbscript|data):/i.exec(address.replace(/[\p{Cc}\s]/gu, ''))
  return scheme ? `Addresses with ${scheme[1]?.toLowerCase()}: are not allowed.` : null
}

function isRelative(address: string): boolean {
  return address !== '' && !address.startsWith('#') && !/^[a-z][a-z0-9+.-]*:/i.test(address)
}

function attributeOf(tag: StartTag, name: string): string {
  return tag.attributes.find((attribute) => attribute.name === name)?.value ?? ''
}

function gapBefore(html: string, offset: number): number {
  const before = html.slice(Math.max(0, offset - 100), offset)
  return before.length - before.trimEnd().length
}
