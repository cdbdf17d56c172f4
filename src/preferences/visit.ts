import { log } from '../log.ts'
import type { Brand } from '../pages/brand.ts'
import { lookingPage, lookOf, NO_BRAND } from '../pages/look.ts'
import { plainScreen, type Screen } from '../pages/preferences.ts'
import { type Wishes, wordsFor } from '../pages/words/choose.ts'
import type { Words } from '../pages/words/words.ts'

/** A request for one of somebody's own pages. */
export interface Visit extends Wishes {
  request_id: string
  request: Request
  /** What stands in the address. */
  token: string
  /** ISO 3166-1 alpha-2, as the edge told. */
  country: string | null
}

/** Of the page itself, in the language it was asked for. */
export const samePage = ({ lang }: Visit, { language }: Words): string => (lang === null ? '?' : `?lang=${language}`)

export async function answerScreen(
  words: Words,
  brand: Brand,
  status: number,
  { title, body }: Screen,
  headers: Record<string, string> = {},
): Promise<Response> {
  return lookingPage(await lookOf(brand, words), status, title, body, headers)
}

/** Answers without asking a database: for addresses that are nobody's. */
export function answerBroken(visit: Visit): Promise<Response> {
  const words = wordsFor(visit)
  const { broken_title, broken } = words.preferences
  return answerScreen(words, NO_BRAND, 404, plainScreen(broken_title, broken))
}

/** Whoever is here no longer. */
export function answerGone(visit: Visit, brand: Brand): Promise<Response> {
  const words = wordsFor(visit)
  const { gone_title, gone } = words.preferences
  return answerScreen(words, brand, 410, plainScreen(gone_title, gone))
}

/** A database that cannot be asked is no reason to show nothing: they are told to come back. */
export async function orLater(visit: Visit, run: () => Promise<Response>): Promise<Response> {
  try {
    return await run()
  } catch (error) {
    const { request_id } = visit
    log('preferences_failed', { request_id, error: error instanceof Error ? error.name : 'unknown' })
    const words = wordsFor(visit)
    const { later_title, later } = words.preferences
    return await answerScreen(words, NO_BRAND, 503, plainScreen(later_title, later), { 'Retry-After': '60' })
  }
}
