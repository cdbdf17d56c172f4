import { type Context, Hono } from 'hono'
import * as z from 'zod'
import type { AppEnv } from '../http/context.ts'
import { notFound } from '../http/problem.ts'
import { createRouter, operation } from '../http/route.ts'
import { idParams, named, time } from '../http/schema.ts'
import type { Services } from '../http/services.ts'
import { placeOf } from '../tracking/visit.ts'
import { ERASE, EXPORT, ownData } from './data.ts'
import { leaveOrPause } from './leave.ts'
import { changePreferences, showPreferences } from './page.ts'
import type { Visit } from './visit.ts'

/** In days: longer is leaving. */
const LONGEST_PAUSE = 365

const pause = operation(
  { scope: 'write' },
  {
    method: 'post',
    path: '/subscribers/{id}/pause',
    tags: ['Subscribers'],
    summary: 'Let a subscriber’s mail rest for some days',
    description:
      'Until then no campaign mails them; they stay on their lists. Somebody in a campaign that is under way is `skipped` as `paused`. The page behind `{{preferences_url}}` does the same.',
    request: {
      params: idParams,
      body: {
        required: true,
        content: {
          'application/json': {
            schema: named(
              'Pause',
              z.strictObject({
                days: z.int().min(1).max(LONGEST_PAUSE).nullable().openapi({ description: 'From now; null ends it' }),
              }),
            ),
          },
        },
      },
    },
    responses: {
      200: {
        description: 'Set',
        content: {
          'application/json': {
            schema: named('PausedSubscriber', z.strictObject({ id: z.int(), paused_until: time.nullable() })),
          },
        },
      },
    },
  },
)

export function preferenceRoutes({ db }: Services) {
  const router = createRouter()
  router.openapi(pause, async (c) => {
    const { id } = c.req.valid('param')
    const { days } = c.req.valid('json')
    const rest = { ...{ list_ids: [], all: false, pause: days }, ...{ source: 'api', reason: null, country: null } }
    const paused = await leaveOrPause(db, id, rest)
    if (!paused) throw notFound('subscriber', id)
    return c.json({ id, ...paused }, 200)
  })
  return router
}

/** The pages that readers come to by the links of their mails. */
export function preferencePages(services: Services) {
  const router = new Hono<AppEnv>()
  router.get('/preferences/:token', (c) => showPreferences(services, visitOf(c)))
  router.post('/preferences/:token', (c) => changePreferences(services, visitOf(c)))
  router.on(['GET', 'POST'], '/data/export/:token', (c) => ownData(services, visitOf(c), EXPORT))
  router.on(['GET', 'POST'], '/data/erase/:token', (c) => ownData(services, visitOf(c), ERASE))
  return router
}

const visitOf = (c: Context<AppEnv, '/:token'>): Visit => ({
  request_id: c.var.request_id,
  request: c.req.raw,
  token: c.req.param('token'),
  lang: c.req.query('lang') ?? null,
  accept_language: c.req.header('Accept-Language') ?? null,
  country: placeOf('cf' in c.req.raw ? c.req.raw.cf : null).country,
})
