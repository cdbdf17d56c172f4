import { createRoute } from '@hono/zod-openapi'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { bufferedEvents } from '../events/buffered.ts'
import { createRouter } from './route.ts'
import { named } from './schema.ts'
import type { Services } from './services.ts'

const part = z.enum(['ok', 'unreachable', 'unknown'])

const health = named(
  'Health',
  z.strictObject({
    status: z.enum(['ok', 'failing']),
    configuration: z.array(z.string()).meta({ description: 'What the configuration lacks' }),
    database: part,
    redis: part,
    buffered_events: z
      .int()
      .nullable()
      .meta({ description: 'Tracking events that wait in Redis to be written to SQL' }),
  }),
)

const json = { 'application/json': { schema: health } }

const route = createRoute({
  method: 'get',
  path: '/health',
  tags: ['Health'],
  summary: 'Whether database and Redis answer',
  responses: {
    200: { description: 'Both do', content: json },
    503: { description: 'At least one does not', content: json },
  },
})

/** `GET /health`: open to everyone, so it says which part fails and nothing of why. */
export function healthRoutes({ db, redis, redis_keys }: Services) {
  const router = createRouter()
  router.openapi(route, async (c) => {
    const [database, buffer] = await Promise.allSettled([db.execute(sql`select 1`), bufferedEvents(redis, redis_keys)])
    const answer = {
      configuration: [],
      database: database.status === 'fulfilled' ? ('ok' as const) : ('unreachable' as const),
      redis: buffer.status === 'fulfilled' ? ('ok' as const) : ('unreachable' as const),
      buffered_events: buffer.status === 'fulfilled' ? buffer.value.events : null,
    }
    const fine = answer.database === 'ok' && answer.redis === 'ok'
    return fine
      ? c.json({ status: 'ok' as const, ...answer }, 200)
      : c.json({ status: 'failing' as const, ...answer }, 503)
  })
  return router
}
