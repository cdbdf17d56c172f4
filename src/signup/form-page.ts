import { type Context, Hono } from 'hono'
import type { AppEnv } from '../http/context.ts'
import { PROBLEMS, Problem, problemResponse } from '../http/problem.ts'
import type { Services } from '../http/services.ts'
import { log } from '../log.ts'
import * as pages from '../pages/signup.ts'
import { wordsFor } from '../pages/words/choose.ts'
import { fill } from '../pages/words/words.ts'
import { answerPage, publicLook } from './answer.ts'
import { formAgain, formOf, nameFields, resendOf } from './form.ts'
import { namesOf } from './mails.ts'
import { type GivenSignup, readSignup } from './read-request.ts'
import { findPublicLists, type PublicList } from './receive.ts'
import { type Taken, takeSignup } from './subscribe.ts'
import { type Visitor, visitorOf } from './visitor.ts'

/** Any page may send its form here by script: no cookie and no key is involved. */
const ANY_ORIGIN = { 'Access-Control-Allow-Origin': '*' }
const PREFLIGHT = {
  ...ANY_ORIGIN,
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'Content-Type',
  'Access-Control-Max-Age': '86400',
}

/**
 * `/subscribe/<list>` is the form as a page, `/subscribe` takes a form of anybody's. People are answered with a page or sent
 * to where the list's owner wants them, programs with JSON.
 */
export function signupFormPages(s: Services) {
  const router = new Hono<AppEnv>()
  const challenged = s.turnstile !== null

  router.get('/subscribe/:list_id', async (c) => {
    const visitor = visitorOf(c.req.raw)
    const words = wordsFor(visitor)
    const look = await publicLook(s, words)
    const id = /^[1-9][0-9]{0,14}$/.test(c.req.param('list_id')) ? Number(c.req.param('list_id')) : 0
    let lists: PublicList[] | null
    try {
      lists = await findPublicLists(s.db, [id])
    } catch (error) {
      const { headers } = unforeseen(error, c)
      return answerPage(look, 503, pages.signupFailedPage(words.signup), { headers })
    }
    if (!lists) return answerPage(look, 404, pages.missingFormPage(words.signup))
    const form = formOf(s, lists, nameFields(c.req.query('fields')), {
      embedded_by: null,
      source: `${s.public_url}/subscribe/${id}`,
      locale: visitor.lang === null ? null : words.language,
    })
    return answerPage(look, 200, pages.formPage(form, words), { challenged, leads_to: destinationsOf(lists) })
  })

  router.options('/subscribe', (c) => c.body(null, 204, PREFLIGHT))

  router.post('/subscribe', async (c) => {
    const visitor = visitorOf(c.req.raw)
    let given: GivenSignup | null = null
    try {
      given = await readSignup(c.req.raw)
      const taken = await takeSignup(s, given, visitor)
      try {
        return visitor.wants_page ? await takenPage(taken, visitor) : takenJson(taken, visitor)
      } finally {
        // Not before the answer is made: what is known of the address takes no part in how long that takes.
        if (taken.settle) c.executionCtx.waitUntil(settle(taken.settle, c.var.request_id))
      }
    } catch (error) {
      const problem = error instanceof Problem ? error : unforeseen(error, c)
      if (!visitor.wants_page) return problemJson(problem, c)
      return problemPage(problem, given, visitor).catch((failure: unknown) =>
        problemPage(unforeseen(failure, c), given, visitor),
      )
    }
  })

  /** Where the owner sends people, or a page of ours. It says the same to everybody. */
  async function takenPage({ fields, lists }: Taken, visitor: Visitor): Promise<Response> {
    const [destination] = destinationsOf(lists)
    if (destination !== undefined) return new Response(null, { status: 303, headers: { Location: destination } })
    const words = wordsFor(visitor, fields.locale)
    const look = await publicLook(s, words)
    return isDouble(lists)
      ? answerPage(look, 200, pages.inboxPage(fields.email, resendOf(s, fields), words.signup), { challenged })
      : answerPage(look, 200, pages.thanksPage(namesOf(lists, words.language), words.signup))
  }

  function takenJson({ fields, lists }: Taken, visitor: Visitor): Response {
    const { language, signup: words } = wordsFor(visitor, fields.locale)
    const message = isDouble(lists)
      ? fill(words.inbox_text, { email: fields.email })
      : `${fill(words.thanks_text, { list: namesOf(lists, language) })} ${words.thanks_maybe}`
    return Response.json({ status: 'received', message }, { status: 202, headers: ANY_ORIGIN })
  }

  async function problemPage(problem: Problem, given: GivenSignup | null, visitor: Visitor): Promise<Response> {
    const { code, headers } = problem
    const fields = given?.given ?? {}
    const words = wordsFor(visitor, typeof fields.locale === 'string' ? fields.locale : null)
    const { signup } = words
    const look = await publicLook(s, words)
    const [status] = PROBLEMS[code]
    if (status >= 500) return answerPage(look, status, pages.signupFailedPage(signup), { headers })
    if (code === 'not_found') return answerPage(look, status, pages.missingFormPage(signup))
    if (code === 'too_many_requests') {
      return answerPage(look, status, pages.limitPage(Number(headers['retry-after']), signup), { headers })
    }
    if (code !== 'validation_failed' && code !== 'challenge_failed') {
      return answerPage(look, status, pages.unreadablePage(signup))
    }
    const list_ids = Array.isArray(fields.list_ids) ? fields.list_ids.filter(Number.isSafeInteger) : []
    if (list_ids.length === 0) return answerPage(look, status, pages.noListPage(signup))
    const lists = await findPublicLists(s.db, [...new Set<number>(list_ids)])
    if (!lists) return answerPage(look, 404, pages.missingFormPage(signup))
    const form = formAgain(s, lists, fields, problem)
    return answerPage(look, status, pages.formPage(form, words), { challenged, leads_to: destinationsOf(lists) })
  }

  function problemJson(problem: Problem, c: Context<AppEnv>): Response {
    const response = problemResponse(problem, c.var.request_id, s.public_url)
    for (const [name, value] of Object.entries(ANY_ORIGIN)) response.headers.set(name, value)
    return response
  }

  return router
}

const isDouble = (lists: readonly PublicList[]) => lists.some(({ opt_in }) => opt_in === 'double')

/** Of the lists that name one, in the order in which they were asked for. Only the first is gone to. */
const destinationsOf = (lists: readonly PublicList[]) =>
  lists.flatMap(({ success_url }) => (success_url === null ? [] : [success_url])).slice(0, 1)

/** After the answer. What fails is done by cron. */
async function settle(run: () => Promise<void>, request_id: string): Promise<void> {
  try {
    await run()
  } catch (error) {
    log('signup_not_settled', { request_id, error: error instanceof Error ? error.name : 'unknown' })
  }
}

/** The database most likely: whoever asked must not believe that it was saved. */
function unforeseen(error: unknown, c: Context<AppEnv>): Problem {
  log('signup_failed', { request_id: c.var.request_id, error: error instanceof Error ? error.name : 'unknown' })
  return new Problem('database_unavailable', 'The sign-up could not be saved. Try again shortly.', {
    headers: { 'retry-after': '30' },
  })
}
