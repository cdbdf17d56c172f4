import { chooseWords } from '../pages/words/choose.ts'
import type { Words } from '../pages/words/words.ts'
import { placeOf } from '../tracking/visit.ts'

/** What a request to a public page says of who sent it. */
export interface Visitor {
  /** Network address; null when it is not known. */
  client: string | null
  /** ISO 3166-1 alpha-2. */
  country: string | null
  /** The language that the page's address names. */
  lang: string | null
  accept_language: string | null
  referer: string | null
  /** A person's browser, which wants a page; else a program, which wants JSON. */
  wants_page: boolean
}

export function visitorOf(request: Pick<Request, 'headers' | 'url'> & { cf?: unknown }): Visitor {
  const { headers } = request
  return {
    client: headers.get('cf-connecting-ip'),
    country: placeOf(request.cf).country,
    lang: new URL(request.url).searchParams.get('lang'),
    accept_language: headers.get('accept-language'),
    referer: headers.get('referer'),
    wants_page: /\btext\/html\b/i.test(headers.get('accept') ?? ''),
  }
}

/** @param locale - what they said before, in a form or as a subscriber */
export const wordsFor = ({ lang, accept_language }: Visitor, locale: string | null = null): Words =>
  chooseWords(lang, locale, accept_language)
