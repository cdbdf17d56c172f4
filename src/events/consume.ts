// emk-events: what the edge could not put into Redis.
import type { Database } from '../db/client.ts'
import { log } from '../log.ts'
import type { Redis } from '../redis/client.ts'
import { eventShard, type RedisKeys } from '../redis/keys.ts'
import type { TrackingEvent } from '../tracking/event.ts'
import { LATER, optoutMember } from '../tracking/optouts.ts'
import { flushEvents, type Touched } from './flush.ts'
import { EVENT_RETENTION_DAYS } from './partitions.ts'
import { isTimely, readEvent } from './record.ts'

/** The part of a queue message that is used here. */
export interface EventMessage {
  id: string
  body: unknown
  attempts: number
  ack(): void
  retry(options: { delaySeconds: number }): void
}

export interface ConsumeServices {
  db: Database
  redis: Redis
  redis_keys: RedisKeys
  now: () => Date
  /** EVENT_RETENTION_DAYS; older opens and clicks are set apart. */
  event_retention_days?: number
  onFlushed: (touched: Touched[]) => Promise<unknown>
}

/** In seconds. A hundred tries of a quarter of an hour outlast a day without Postgres. */
const MAX_DELAY = 900

/** Writes a batch of events to SQL. Never throws: what could not be kept is tried again later. */
export async function consumeEvents(services: ConsumeServices, messages: readonly EventMessage[]): Promise<void> {
  const { db, redis, redis_keys, onFlushed, event_retention_days = EVENT_RETENTION_DAYS } = services
  const good: { message: EventMessage; event: TrackingEvent }[] = []
  const malformed: EventMessage[] = []
  for (const message of messages) {
    const event = readEvent(message.body)
    if (event && isTimely(event, services.now(), event_retention_days)) good.push({ message, event })
    else malformed.push(message)
  }
  await holdBack(
    redis,
    redis_keys,
    good.map(({ event }) => event),
  )
  await settle(
    'events_not_written',
    good.map(({ message }) => message),
    async () => {
      const { inserted, touched } = await flushEvents(
        db,
        good.map(({ event }) => event),
      )
      await onFlushed(touched)
      log('events_taken_from_queue', { count: good.length, inserted })
    },
  )
  await settle('events_not_quarantined', malformed, async () => {
    await redis
      .multi()
      .rpush(redis_keys.quarantine, ...malformed.map(({ body }) => JSON.stringify(body) ?? 'undefined'))
      .incrby(redis_keys.quarantined, malformed.length)
      .exec()
    log('events_quarantined', { count: malformed.length })
  })
}

/**
 * Tells the next claims who has left before SQL is asked to: Redis may be back, or have been well for others, while SQL is
 * away. Without Redis nobody is mailed.
 */
async function holdBack(redis: Redis, redis_keys: RedisKeys, events: readonly TrackingEvent[]): Promise<void> {
  const [first, ...others] = events.filter(({ kind }) => kind === 'unsubscribe').map(optoutMember)
  if (first) await redis.zadd(redis_keys.optouts, LATER, first, ...others).catch(() => undefined)
}

/** Acknowledges messages once the work is done with them, else gives them back with a growing delay. */
async function settle(failure: string, messages: EventMessage[], work: () => Promise<void>): Promise<void> {
  if (messages.length === 0) return
  try {
    await work()
    for (const message of messages) message.ack()
  } catch (error) {
    log(failure, { count: messages.length, error: error instanceof Error ? error.name : 'unknown' })
    for (const message of messages) {
      message.retry({ delaySeconds: Math.min(5 * 2 ** Math.min(message.attempts, 10), MAX_DELAY) })
    }
  }
}

/**
 * emk-events-dead: a day of tries has not brought these to SQL. A confirmed unsubscribe is among them, so none is dropped:
 * they go back to the buffer in Redis, where cron finds them, or stay in the queue until Redis takes them.
 */
export async function consumeDeadEvents(
  { redis, redis_keys, now }: Pick<ConsumeServices, 'redis' | 'redis_keys' | 'now'>,
  messages: readonly EventMessage[],
): Promise<void> {
  await settle('dead_events_not_kept', [...messages], async () => {
    const list = eventShard(redis_keys, now())
    await redis.rpush(list, ...messages.map(({ body }) => JSON.stringify(body) ?? 'undefined'))
    log('dead_events_buffered', { count: messages.length })
  })
}
