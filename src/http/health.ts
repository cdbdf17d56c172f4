import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { askDatabase, type CronNote, readNote } from '../cron-note.ts'
import { type Buffered, bufferedEvents } from '../events/buffered.ts'
import { ageInSeconds } from '../stats/buffered.ts'
import { createRouter } from './route.ts'
import { named, time } from './schema.ts'
import type { Services } from './services.ts'

/** Cron runs every minute; events are written by it. In seconds: what is later is no hiccup. */
const LATE = 600
/** In seconds: cron looks at everything once an hour. What it noted longer ago says nothing of now. */
const STALE = 2 * 3600

const count = z.int().min(0).nullable()

const health = named(
  'Health',
  z.strictObject({
    status: z.enum(['ok', 'failing']),
    problems: z.array(z.string()).meta({ description: 'What fails, in words' }),
    configuration: z.array(z.string()).meta({ description: 'What the configuration lacks' }),
    database: z.enum(['ok', 'unreachable', 'unknown']),
    database_asked_at: time.nullable().meta({
      description: 'When it was asked: by cron, at its last run that had work for it (once an hour at least), or now',
    }),
    redis: z.enum(['ok', 'unreachable', 'unknown']),
    cron: z.enum(['ok', 'late', 'unknown']).meta({ description: '`unknown` before its first run' }),
    last_cron_at: time.nullable(),
    buffered_events: count.meta({ description: 'Tracking events that wait in Redis to be written to SQL' }),
    buffered_seconds: count.meta({ description: 'Age of the oldest of them' }),
    quarantined_events: count.meta({ description: 'Events that could not be read and were put aside, ever' }),
    open_batches: count.meta({ description: 'Batches with mails that are not settled, when the database was asked' }),
  }),
)

export type Health = z.infer<typeof health>

const json = { 'application/json': { schema: health } }

const route = createRoute({
  method: 'get',
  path: '/health',
  tags: ['Health'],
  summary: 'Whether database, Redis and cron are well, and what waits',
  description:
    'For monitors: it asks Redis and not the database, which may be asleep, but says what cron last found. `?deep=1` asks the database too.',
  request: {
    query: z.strictObject({
      deep: z.enum(['0', '1']).default('0').openapi({ description: '1 asks the database now, which wakes it' }),
    }),
  },
  responses: {
    200: { description: 'Nothing fails', content: json },
    503: { description: 'Something does', content: json },
  },
})

/** `GET /health`: open to everyone, so it says which part fails and nothing of why. */
export function healthRoutes(services: Services) {
  const router = createRouter()
  router.openapi(route, async (c) => {
    const answer = await examine(services, c.req.valid('query').deep === '1')
    return c.json(answer, answer.status === 'ok' ? 200 : 503)
  })
  return router
}

async function examine({ db, redis, redis_keys, now }: Services, deep: boolean): Promise<Health> {
  const [buffered, noted, asked] = await Promise.all([
    bufferedEvents(redis, redis_keys).catch(() => null),
    readNote({ redis, redis_keys }).catch(() => null),
    deep ? askDatabase(db) : null,
  ])
  const at = now()
  const database = asked ? { ...asked, asked_at: at.toISOString() } : fresh(noted, at)
  const parts = {
    database: database?.database ?? ('unknown' as const),
    redis: buffered && noted ? ('ok' as const) : ('unreachable' as const),
    cron: cronOf(noted, at),
  }
  const waiting = waitingOf(buffered, at)
  const problems = [
    ...(parts.database === 'unreachable' ? ['the database cannot be reached'] : []),
    ...(parts.redis === 'unreachable' ? ['Redis cannot be reached'] : []),
    ...(parts.cron === 'late' ? [`cron has not run since ${noted?.ran_at}`] : []),
    ...((waiting.buffered_seconds ?? 0) > LATE
      ? [`tracking events have waited for ${waiting.buffered_seconds} seconds to be counted`]
      : []),
  ]
  return {
    status: problems.length === 0 ? 'ok' : 'failing',
    problems,
    configuration: [],
    ...parts,
    database_asked_at: database?.asked_at ?? null,
    last_cron_at: noted?.ran_at ?? null,
    ...waiting,
    open_batches: database?.open_batches ?? null,
  }
}

const fresh = (note: CronNote | null, at: Date) =>
  note?.asked_at && ageInSeconds(note.asked_at, at) <= STALE ? note : null

const cronOf = (note: CronNote | null, at: Date): Health['cron'] => {
  if (!note?.ran_at) return 'unknown'
  return ageInSeconds(note.ran_at, at) > LATE ? 'late' : 'ok'
}

const waitingOf = (buffered: Buffered | null, at: Date) => ({
  buffered_events: buffered?.events ?? null,
  buffered_seconds: buffered?.oldest_at ? ageInSeconds(buffered.oldest_at, at) : null,
  quarantined_events: buffered?.quarantined ?? null,
})
