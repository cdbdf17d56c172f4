import { de } from './de.ts'
import { en } from './en.ts'
import type { Words } from './words.ts'

/** The languages there are. A new one is one line here. */
export const LANGUAGES: readonly Words[] = [en, de]

/** Longer ones are nobody's settings. */
const LONGEST_WISH = 200

/**
 * The words for somebody.
 *
 * @param wishes - the first that names a language we have counts; each a language tag (`de-AT`) or the value of an
 *   Accept-Language header (RFC 9110, 12.5.4)
 * @returns English where no wish can be met
 */
export function chooseWords(...wishes: (string | null | undefined)[]): Words {
  for (const wish of wishes) {
    for (const tag of tagsOf(wish ?? '')) {
      const found = LANGUAGES.find(({ language }) => language.toLowerCase() === tag) ?? LANGUAGES.find(isLike(tag))
      if (found) return found
    }
  }
  return en
}

/** Whoever reads one region's language reads another's. */
const isLike = (tag: string) => {
  const [primary = ''] = tag.split('-')
  return ({ language }: Words) => language.toLowerCase().split('-')[0] === primary
}

/** What a request says of the language that it wants: `?lang` of its address, and Accept-Language. */
export interface Wishes {
  lang: string | null
  accept_language: string | null
}

/**
 * The words of a page: what its address says is above everything else.
 *
 * @param locale - what the reader said before, in a form or as a subscriber
 */
export const wordsFor = ({ lang, accept_language }: Wishes, locale: string | null = null): Words =>
  chooseWords(lang, locale, accept_language)

/** The tags of a wish in lower case, most wanted first. */
function tagsOf(wish: string): string[] {
  return wish
    .slice(0, LONGEST_WISH)
    .toLowerCase()
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((text) => text.trim())
      const q = parameters.find((parameter) => parameter.startsWith('q='))
      return { tag, weight: q === undefined ? 1 : Number(q.slice(2)) || 0 }
    })
    .filter(({ tag, weight }) => tag !== '' && weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
}
