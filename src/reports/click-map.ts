import type { Snapshot } from '../campaigns/snapshot.ts'
import { templateData } from '../render/data.ts'
import { RenderError } from '../render/errors.ts'
import { prepareContent } from '../render/render.ts'
import { LINK_MARK } from '../render/splice.ts'
import { SAMPLE_ADDRESSES, SAMPLE_PERSON } from '../templates/sample.ts'
import { Splices, type StartTag, scanHtml } from '../templates/scan.ts'

/** A mail's HTML as a compiled template or a snapshot holds it, and what else its tags may name. */
export type MappedMail = Pick<Snapshot, 'preheader' | 'html' | 'sender' | 'campaign' | 'list'>

/** What a link's badge says; by the link's number. */
export type Badges = ReadonlyMap<number, { text: string; title: string; strong: boolean }>

/**
 * The mail with its links' counts on them, as a sample person would get it: to be shown in a frame that runs no scripts. It
 * loads no pixel and its links lead nowhere, so that looking at it counts nothing.
 *
 * @returns null when the mail cannot be rendered with the sample's data
 */
export function clickMap(mail: MappedMail, badges: Badges): string | null {
  try {
    const content = { subject: '', text: '', preheader: mail.preheader, html: markLinks(mail.html) }
    const data = templateData(SAMPLE_PERSON, mail, SAMPLE_ADDRESSES)
    return withBadges(prepareContent(content).render(data, { pixel: '', click: '' }).html, badges)
  } catch (error) {
    if (error instanceof RenderError) return null
    throw error
  }
}

const MARK = '#emk-link-'

/** As snapshots have them, signed and with variables, and as templates have them. */
const LINKS = [
  /https?:\/\/[^\s"'<>{}]*\/t\/c\/[^\s"'<>/]+\/r?\d+\.\d+\.(\d+)\.[\w-]+\.[\w-]+/g,
  new RegExp(`${escaped(LINK_MARK)}(\\d+) [\\s\\S]*?${escaped(LINK_MARK)}`, 'g'),
  /\{\{\{@links\.(\d+)\}\}\}/g,
]

/** Puts a link's number in the place of its address, before anything is filled in. */
const markLinks = (html: string) => LINKS.reduce((marked, link) => marked.replace(link, `${MARK}$1`), html)

/** Of elements that lead or send somewhere. */
const LEADING = new Set(['href', 'xlink:href', 'action', 'formaction', 'target', 'ping'])

function withBadges(html: string, badges: Badges): string {
  const splices = new Splices()
  /** Links whose end tag has not come yet. */
  const open: number[] = []
  scanHtml(html, {
    open(tag) {
      // Style sheets and fonts from elsewhere: the page that holds the frame lets none of them in.
      if (tag.name === 'link' || tag.name === 'base') return splices.replace(tag.start, tag.end, '')
      if (tag.name === 'a' && !tag.self_closing) open.push(numberOf(tag))
      for (const { name, start, end } of tag.attributes) if (LEADING.has(name)) splices.replace(start, end, '')
    },
    close(name, start) {
      const badge = name === 'a' ? badges.get(open.pop() ?? 0) : undefined
      if (badge) splices.replace(start, start, badgeOf(badge))
    },
  })
  // Without an address a link is none to a browser, and would look like the text around it.
  return `<style>:where(a){color:#1d4ed8;text-decoration:underline}</style>${splices.apply(html)}`
}

/** 0 for a link that is not counted. */
function numberOf(tag: StartTag): number {
  const href = tag.attributes.find(({ name }) => name === 'href')?.value.trim() ?? ''
  return href.startsWith(MARK) ? Number(href.slice(MARK.length)) : 0
}

const LOOK =
  'display:inline-block;margin:0 0 0 4px;padding:0 6px;border-radius:9px;font:bold 11px/18px sans-serif;letter-spacing:0;text-transform:none;text-decoration:none;white-space:nowrap;vertical-align:middle'

const badgeOf = ({ text, title, strong }: { text: string; title: string; strong: boolean }) =>
  `<span title="${title}" style="${LOOK};color:#ffffff;box-shadow:0 0 0 1px #ffffff;background:${strong ? '#b91c1c' : '#1f2937'}">${text}</span>`

function escaped(text: string): string {
  return text.replace(/[{}@.]/g, '\\$&')
}
