// How the answers to a public form are given: as pages to people, as JSON to programs.
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import { lookingPage, lookOf, NO_BRAND, type PublicLook } from '../pages/look.ts'
import type { PageText } from '../pages/signup.ts'
import { CHALLENGES } from '../pages/signup-form.ts'
import type { Words } from '../pages/words/words.ts'
import { readBrand } from '../settings/brand.ts'

/** The look of the house; a plain one when the settings cannot be read. */
export async function publicLook({ db }: Pick<Services, 'db'>, words: Words): Promise<PublicLook> {
  const brand = await readBrand(db).catch((error: unknown) => {
    log('brand_not_read', { error: error instanceof Error ? error.name : 'unknown' })
    return NO_BRAND
  })
  return lookOf(brand, words)
}

interface Also {
  headers?: Record<string, string>
  /** Addresses that the page's form leads to in the end: browsers hold redirects to `form-action` too. */
  leads_to?: readonly string[]
  /** The page holds a challenge. */
  challenged?: boolean
}

export function answerPage(
  look: PublicLook,
  status: number,
  { title, body }: PageText,
  { headers = {}, leads_to = [], challenged = false }: Also = {},
): Response {
  const origins = [...new Set(leads_to.map((url) => new URL(url).origin))]
  let policy = look.policy.replace("form-action 'self'", ["form-action 'self'", ...origins].join(' '))
  if (challenged) policy += `; script-src ${CHALLENGES}; frame-src ${CHALLENGES}`
  return lookingPage(look, status, title, body, { 'Content-Security-Policy': policy, ...headers })
}
