import type { Wishes } from '../pages/words/choose.ts'
import { placeOf } from '../tracking/visit.ts'

/** What a request to a public page says of who sent it. */
export interface Visitor extends Wishes {
  /** Network address; null when it is not known. */
  client: string | null
  /** ISO 3166-1 alpha-2. */
  country: string | null
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
