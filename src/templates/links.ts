import { isAllowedScheme, schemeOf, webAddress } from '../render/address.ts'
import { checkSource } from '../render/check.ts'
import { isTrackable } from '../tokens/link.ts'
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
const isLinking = (name: string) => name === 'a' || name === 'area' || name.startsWith('v:')
/** Longest link text that is kept, in characters: it names the link in reports. */
const TEXT_LENGTH = 200

/**
 * Replaces every web address that a reader can click by a numbered place, in order of appearance.
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
        const refused = refusal(attribute.value, guard)
        if (refused) tracked.problems.push(problem(refused, attribute))
      }
      const href = tag.attributes.find((attribute) => attribute.name === 'href')
      if (!isLinking(tag.name) || !href) return
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
    const found = linkTo(address, guard)
    if ('refused' in found) tracked.problems.push(problem(found.refused, href))
    if ('warning' in found && found.warning) tracked.warnings.push(located(found.warning, href))
    if (!('link' in found)) {
      if (isRelative(address, guard)) tracked.warnings.push(located(relative(address), href))
      return null
    }
    const link = { n: tracked.links.length + 1, ...found.link, text: '' }
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

type Found =
  | { link: Pick<TemplateLink, 'url' | 'origin'>; warning?: TemplateWarning }
  | { warning: TemplateWarning | null }
  | { refused: string }

/**
 * What becomes of an address.
 *
 * @param address - decoded, trimmed and guarded
 * @returns the link to track, or why there is none; no warning for what is not meant to be one
 */
export function linkTo(address: string, guard: TagGuard): Found {
  if (guard.has(address)) return linkWithVariables(address, guard)
  const scheme = schemeOf(address)
  if (scheme !== 'http' && scheme !== 'https') return { warning: null }
  const url = webAddress(address)
  if (url === null || !/^https?:\/\//i.test(url)) return { refused: `"${address}" is not a valid address.` }
  if (!isTrackable(url)) return { refused: `The address ${url.slice(0, 100)}... is too long.` }
  // Written as an entity it is no tag, and must not become one.
  return { link: { url: url.replaceAll('{{', '%7B%7B') } }
}

/** Addresses that are ours, each made for one recipient and never tracked. */
const OWN = /^\{\{\{?~?&?\s*(?:@root\.)?(?:unsubscribe_url|web_view_url|preferences_url)\s*~?\}?\}\}$/

function linkWithVariables(address: string, guard: TagGuard): Found {
  const written = guard.restore(address)
  if (OWN.test(written) || /^(?:(?:mailto|tel|sms):|#)/i.test(written)) return { warning: null }
  // These would end the address, or begin a tag, in the source that it becomes part of.
  const literal: Record<string, string> = { '{': '%7B', '}': '%7D', '\\': '%5C' }
  const url = guard.restore(address.replace(/[{}\\]/g, (char) => literal[char] ?? char))
  if (checkSource(url).program === null) {
    return { warning: untracked(written, 'it opens or closes a block that reaches beyond it') }
  }
  const host = /^https?:\/\/[^/?#\\]+(?=[/?#])/i.exec(address)?.[0]
  if (host === undefined || guard.has(host)) {
    const why = 'a variable supplies its host, and only hosts in LINK_HOSTS are redirected to'
    return { link: { url, origin: null }, warning: untracked(written, why) }
  }
  if (!URL.canParse(host)) return { refused: `"${written}" is not a valid address.` }
  return { link: { url, origin: new URL(host).origin } }
}

const untracked = (address: string, why: string): TemplateWarning => ({
  code: 'untracked_link',
  detail: `Clicks on ${address} may not be counted: ${why}.`,
})

const relative = (address: string): TemplateWarning => ({
  code: 'relative_link',
  detail: `"${address}" leads nowhere in a mail: write the whole address.`,
})

function refusal(address: string, guard: TagGuard): string | null {
  // What a scheme is pieced together from is not a variable's business either.
  const pieced = schemeOf(guard.literal(address))
  if (pieced !== null && /^(?:javascript|vbscript|data)$/.test(pieced))
    return `Addresses with ${pieced}: are not allowed.`
  const scheme = schemeOf(address)
  if (scheme === null || guard.has(scheme) || isAllowedScheme(scheme)) return null
  return `Addresses with ${scheme}: are not allowed.`
}

function isRelative(address: string, guard: TagGuard): boolean {
  return address !== '' && !guard.has(address) && !address.startsWith('#') && schemeOf(address) === null
}

function attributeOf(tag: StartTag, name: string): string {
  return tag.attributes.find((attribute) => attribute.name === name)?.value ?? ''
}

function gapBefore(html: string, offset: number): number {
  const before = html.slice(Math.max(0, offset - 100), offset)
  return before.length - before.trimEnd().length
}
