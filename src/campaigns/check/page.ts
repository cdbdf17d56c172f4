import { Parser } from 'htmlparser2'

/** What a reader sees of a mail's HTML: nothing in comments, in hidden elements or for Outlook alone. */
export interface Page {
  text: string
  hrefs: string[]
  images: Image[]
}

export interface Image {
  src: string
  /** null where the attribute is missing; empty says that the image is decoration. */
  alt: string | null
  width: string | null
}

const UNSEEN = new Set(['head', 'style', 'script', 'title', 'template'])
const VOID = new Set(['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'wbr'])

export function readPage(html: string): Page {
  const page: Page = { text: '', hrefs: [], images: [] }
  // One entry per open element: whether it, or one around it, is hidden.
  const hidden: boolean[] = []
  const parser = new Parser({
    onopentag(name, attributes) {
      const style = (attributes.style ?? '').replace(/\s/g, '').toLowerCase()
      const unseen =
        hidden.at(-1) === true ||
        UNSEEN.has(name) ||
        style.includes('display:none') ||
        style.includes('visibility:hidden')
      if (!unseen) see(name, attributes)
      if (!VOID.has(name)) hidden.push(unseen)
    },
    onclosetag(name) {
      if (!VOID.has(name)) hidden.pop()
    },
    ontext(data) {
      if (hidden.at(-1) !== true) page.text += data
    },
  })
  parser.end(html)
  return page

  function see(name: string, attributes: Record<string, string>): void {
    if (name === 'a' && attributes.href) page.hrefs.push(attributes.href)
    if (name !== 'img') return
    const { src = '', alt = null, width = null, height } = attributes
    // A pixel that counts, ours or another's, is no picture.
    if (width !== '1' || height !== '1') page.images.push({ src, alt, width })
  }
}

/** Letters and digits of a text, addresses of links left out: what there is to read. */
export const lettersIn = (text: string) => text.replace(/https?:\/\/\S+/gi, '').replace(/[^\p{L}\p{N}]/gu, '').length
