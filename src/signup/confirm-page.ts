import { type Context, Hono } from 'hono'
import type { AppEnv } from '../http/context.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import * as pages from '../pages/signup.ts'
import { wordsFor } from '../pages/words/choose.ts'
import type { SignupWords } from '../pages/words/words.ts'
import { verifyTimed } from '../tokens/timed.ts'
import { answerPage, publicLook } from './answer.ts'
import { confirmSignup, findSignup } from './confirm.ts'
import { CONFIRM_DAYS } from './receive.ts'
import { visitorOf } from './visitor.ts'

interface Shown {
  status: number
  page: (words: SignupWords) => pages.PageText
  locale?: string | null
}

const BROKEN: Shown = { status: 404, page: pages.brokenConfirmPage }
const EXPIRED: Shown = { status: 410, page: (words) => pages.expiredPage(CONFIRM_DAYS, words) }
const CONFIRMED_BEFORE: Shown = { status: 200, page: pages.confirmedBeforePage }
const LISTS_DELETED: Shown = { status: 410, page: pages.listsDeletedPage }
const FAILED: Shown = { status: 503, page: pages.signupFailedPage }

/** `/confirm/<token>`: GET asks and changes nothing, because scanners fetch every link of a mail; POST subscribes. */
export function confirmPages(s: Services) {
  const router = new Hono<AppEnv>()

  router.get('/confirm/:token', (c) =>
    answer(c, c.req.param('token'), async (id) => {
      const signup = await findSignup(s.db, id)
      if (!signup) return EXPIRED
      const { locale } = signup
      if (signup.confirmed) return { ...CONFIRMED_BEFORE, locale }
      if (signup.lists.length === 0) return { ...LISTS_DELETED, locale }
      return { status: 200, page: (words) => pages.confirmPage(signup, words), locale }
    }),
  )

  router.post('/confirm/:token', (c) =>
    answer(c, c.req.param('token'), async (id) => {
      const { country } = visitorOf(c.req.raw)
      const { locale, ...result } = await confirmSignup(s, id, country)
      switch (result.outcome) {
        case 'confirmed':
          return { status: 200, page: (words) => pages.confirmedPage(result.lists, words), locale }
        case 'confirmed_before':
          return { ...CONFIRMED_BEFORE, locale }
        case 'lists_deleted':
          return { ...LISTS_DELETED, locale }
        case 'unknown':
          return EXPIRED
      }
    }),
  )

  async function answer(c: Context<AppEnv>, token: string, show: (id: number) => Promise<Shown>): Promise<Response> {
    const { status, page, locale } = await shownFor(token, show).catch((error: unknown) => {
      log('confirm_failed', { request_id: c.var.request_id, error: error instanceof Error ? error.name : 'unknown' })
      return FAILED
    })
    const words = wordsFor(visitorOf(c.req.raw), locale)
    const headers: Record<string, string> = status === 503 ? { 'Retry-After': '30' } : {}
    return answerPage(await publicLook(s, words), status, page(words.signup), { headers })
  }

  async function shownFor(token: string, show: (id: number) => Promise<Shown>): Promise<Shown> {
    const access = await verifyTimed(s.signing_keys, 'confirm', token)
    if (!access) return BROKEN
    return access.expires_at <= s.now() ? EXPIRED : show(access.id)
  }

  return router
}
