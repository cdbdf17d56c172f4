import type { TemplateLink } from '../templates/compiled.ts'
import { ANY_ORIGIN } from './personal.ts'
import { mapLiteralText } from './tags.ts'

const LINK = /\{\{\{@links\.(\d+)\}\}\}/g

/** Stands around an address that each recipient's data makes another; see personal.ts. */
export const LINK_MARK = '{{{@link}}}'

type Format = 'html' | 'text'

/**
 * Puts signed addresses where a compiled template has its tracked links; once per campaign. What is left for each mail
 * is its own half, `{{{@click}}}`, and the links that hold variables: they are signed when they are rendered.
 *
 * @param source - compiled HTML or text
 * @param halves - by number, the halves of the links without variables
 * @param base - where /t answers, without a slash at the end
 * @param format - html addresses stand in attributes and are escaped for it
 * @throws {RangeError} when a link has no half: better no campaign than one with dead links
 */
export function signLinks(
  source: string,
  links: readonly TemplateLink[],
  halves: ReadonlyMap<number, string>,
  base: string,
  format: Format,
): string {
  return replaceLinks(source, links, (link, n) => {
    if (link && isPersonal(link)) {
      return `${LINK_MARK}${n} ${link.origin ?? ANY_ORIGIN} ${written(link.url, format)}${LINK_MARK}`
    }
    const half = halves.get(n)
    if (half === undefined) throw new RangeError(`link ${n} of the template is not signed`)
    return `${base}/t/c/{{{@click}}}/${half}`
  })
}

/** Puts the addresses themselves there: for previews, which must not count as clicks. */
export function plainLinks(source: string, links: readonly TemplateLink[], format: Format): string {
  return replaceLinks(source, links, (link, n) => (link ? written(link.url, format) : `{{{@links.${n}}}}`))
}

/** Whether a link's address holds variables. */
export const isPersonal = (link: TemplateLink) => link.origin !== undefined

function replaceLinks(
  source: string,
  links: readonly TemplateLink[],
  replace: (link: TemplateLink | undefined, n: number) => string,
): string {
  const byNumber = new Map(links.map((link) => [link.n, link]))
  return source.replace(LINK, (_, n: string) => replace(byNumber.get(Number(n)), Number(n)))
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '"': '&quot;', "'": '&#x27;', '<': '&lt;', '>': '&gt;' }

function written(url: string, format: Format): string {
  if (format === 'text') return url
  return mapLiteralText(url, (literal) => literal.replace(/[&"'<>]/g, (char) => ENTITIES[char] ?? char))
}
