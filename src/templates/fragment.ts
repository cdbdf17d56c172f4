import { TagGuard } from './guard.ts'
import { scanHtml } from './scan.ts'

/** Where MJML wants to see a fragment. */
export type Place = 'head' | 'body' | 'section' | 'column'

const HEAD = new Set([
  'mj-attributes',
  'mj-breakpoint',
  'mj-font',
  'mj-html-attributes',
  'mj-preview',
  'mj-style',
  'mj-title',
])
const BODY = new Set(['mj-section', 'mj-wrapper', 'mj-hero'])
const SECTION = new Set(['mj-column', 'mj-group'])

/**
 * Tells from the outermost elements of an MJML fragment where it belongs.
 *
 * @returns `elements`, which are none when it is not MJML, and their place, which is null when they belong to several
 */
export function placeOf(source: string): { place: Place | null; elements: string[] } {
  const elements: string[] = []
  let depth = 0
  scanHtml(new TagGuard(source).text, {
    open({ name, self_closing }) {
      if (!name.startsWith('mj')) return
      if (depth === 0) elements.push(name)
      if (!self_closing) depth++
    },
    close(name) {
      if (name.startsWith('mj')) depth = Math.max(0, depth - 1)
    },
  })
  const places = new Set(elements.filter((name) => name !== 'mj-raw').map(placeFor))
  const [place = 'body'] = places
  return { elements, place: places.size > 1 ? null : place }
}

function placeFor(name: string): Place {
  if (HEAD.has(name)) return 'head'
  if (BODY.has(name)) return 'body'
  return SECTION.has(name) ? 'section' : 'column'
}

/** Makes a whole document around a fragment, on its own lines. */
export function documentOf(fragment: string, place: Place): string {
  switch (place) {
    case 'head':
      return `<mjml><mj-head>${fragment}</mj-head><mj-body></mj-body></mjml>`
    case 'body':
      return `<mjml><mj-body>${fragment}</mj-body></mjml>`
    case 'section':
      return documentOf(`<mj-section>${fragment}</mj-section>`, 'body')
    case 'column':
      return documentOf(`<mj-column>${fragment}</mj-column>`, 'section')
  }
}
