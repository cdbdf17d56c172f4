import type { TemplateLink } from '../templates/compiled.ts'

const LINK = /\{\{\{@links\.(\d+)\}\}\}/g

/**
 * Puts signed addresses where a compiled template has its tracked links; once per campaign. What is left for each mail
 * is its own half, `{{{@click}}}`.
 *
 * @param source - compiled HTML or text
 * @param halves - the links' own halves by number
 * @param base - where /t answers, without a slash at the end
 * @throws {RangeError} when a link has no half: better no campaign than one with dead links
 */
export function signLinks(source: string, halves: ReadonlyMap<number, string>, base: string): string {
  return source.replace(LINK, (_, n: string) => {
    const half = halves.get(Number(n))
    if (half === undefined) throw new RangeError(`link ${n} of the template is not signed`)
    return `${base}/t/c/{{{@click}}}/${half}`
  })
}

/**
 * Puts the addresses themselves there: for previews, which must not count as clicks.
 *
 * @param format - html addresses stand in attributes and are escaped for it
 */
export function plainLinks(source: string, links: readonly TemplateLink[], format: 'html' | 'text'): string {
  const urls = new Map(links.map((link) => [link.n, link.url]))
  return source.replace(LINK, (tag, n: string) => {
    const url = urls.get(Number(n))
    if (url === undefined) return tag
    return format === 'text' ? url : url.replace(/[&"'<>]/g, (char) => `&#${char.charCodeAt(0)};`)
  })
}
