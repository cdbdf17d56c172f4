// emk-tracking's routes over a real Redis, with a queue that remembers; each part can be taken away.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { connectRedis } from '../../src/redis/client.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import type { TrackingEvent } from '../../src/tracking/event.ts'
import { route } from '../../src/tracking/routes.ts'
import { RULES_VERSION } from '../../src/tracking/rules.ts'
import type { TrackingServices } from '../../src/tracking/services.ts'
import { openTestRedis } from '../support/redis.ts'

export const ORIGIN = 'https://mail.test'
export const NOW = '2026-11-24T10:00:00.123Z'
const SECRET = 'a'.repeat(42)
const OTHER = 'b'.repeat(42)

/** The same two keys in four states; key 2 signs, or key 1 when `signing` says so. */
export const keysWith = (first: 'signing' | 'verifying' | 'redirect-only' | 'revoked'): Promise<SigningKeys> =>
  parseSigningKeys(
    first === 'signing'
      ? `1:signing:${SECRET}A`
      : `2:signing:${OTHER}A${first === 'revoked' ? '' : `,1:${first}:${SECRET}A`}`,
  )

/** Who asks, unless a test says otherwise. */
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** What their events say of them. */
export const READER = {
  method: 'GET',
  asn: null,
  agent: 'firefox',
  country: null,
  region: null,
  device: 'computer',
  client: 'firefox',
  verdict: 'human',
  reason: null,
  rules: RULES_VERSION,
} as const

export interface EdgeOptions {
  redis_down?: boolean
  queue_down?: boolean
  /** The queue refuses the first batch. */
  queue_busy?: boolean
  signing_keys?: SigningKeys
  public_url?: string
}

export async function openEdge() {
  const { redis, keys, close } = openTestRedis()
  const signing_keys = await keysWith('signing')
  const queued: TrackingEvent[] = []
  // Nothing listens on port 1: every command is refused at once.
  const dead = connectRedis('http://127.0.0.1:1', 'none')
  const gathering: TrackingServices['gathering'] = {}
  let writes = 0
  const { rpush } = redis
  redis.rpush = (...args: Parameters<typeof rpush>) => {
    writes++
    return rpush(...args)
  }
  let count = 0
  let batches = 0

  /** Asks the edge, and waits for what it does after its answer. */
  async function ask(path: string, init: RequestInit<RequestInitCfProperties> = {}, options: EdgeOptions = {}) {
    const ctx = createExecutionContext()
    const request = new Request(path.startsWith('http') ? path : `${ORIGIN}${path}`, { redirect: 'manual', ...init })
    if (!request.headers.has('User-Agent')) request.headers.set('User-Agent', FIREFOX)
    const response = await route(
      request as Request<unknown, IncomingRequestCfProperties>,
      async () => ({
        signing_keys: options.signing_keys ?? signing_keys,
        public_url: options.public_url ?? 'https://api.test',
        redis: options.redis_down ? dead : redis,
        redis_keys: keys,
        events: {
          async send(event: TrackingEvent) {
            if (options.queue_down) throw new Error('Too Many Requests')
            queued.push(event)
          },
          async sendBatch(messages: { body: TrackingEvent }[]) {
            batches++
            if (options.queue_down || (options.queue_busy && batches === 1)) throw new Error('Too Many Requests')
            queued.push(...messages.map(({ body }) => body))
          },
        },
        gathering,
        now: () => new Date(NOW),
        eventId: () => `event-${++count}`,
      }),
      ctx,
    )
    await waitOnExecutionContext(ctx)
    return response
  }

  return {
    signing_keys,
    redis,
    keys,
    ask,
    close,
    /** Commands that wrote events. */
    commands: () => writes,
    /** The next batch is the queue's first again. */
    forgetBatches() {
      batches = 0
    },
    /** Takes what arrived since the last call. */
    async arrived() {
      const lists = await Promise.all(keys.event_shards.map((list) => redis.lrange(list, 0, -1)))
      const lines = lists.flat()
      const optouts = await redis.zrange(keys.optouts, 0, -1, { withScores: true })
      if (lines.length > 0) await redis.del(...keys.event_shards)
      if (optouts.length > 0) await redis.del(keys.optouts)
      return {
        redis: lines.map((line): unknown => JSON.parse(line)),
        optouts: optouts.map(String),
        queue: queued.splice(0),
      }
    },
  }
}

export const NOTHING = { redis: [], optouts: [], queue: [] }
