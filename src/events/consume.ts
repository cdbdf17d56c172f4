// emk-events: what the edge could not put into Redis.
import type { Database } from '../db/client.ts'
import { log } from '../log.ts'
import type { Redis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { TrackingEvent } from '../tracking/event.ts'
import { flushEvents, type Touched } from './flush.ts'
import { readEvent } from './record.ts'

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
  onFlushed: (touched: Touched[]) => Promise<unknown>
}

/** In seconds. A hundred tries of a quarter of an hour outlast a day without Postgres. */
const MAX_DELAY = 900

/** Writes a batch of events to SQL. Never throws: what could not be kept is tried again later. */
export async function consumeEvents(services: ConsumeServices, messages: readonly EventMessage[]): Promise<void> {
  const { db, redis, redis_keys, onFlushed } = services
  const good: { message: EventMessage; event: TrackingEvent }[] = []
  const malformed: EventMessage[] = []
  for (const message of messages) {
    const event = readEvent(message.body)
    if (event) good.push({ message, event })
    else malformed.push(message)
  }
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
    await redis.rpush(redis_keys.quarantine, ...malformed.map(({ body }) => JSON.stringify(body) ?? 'undefined'))
    log('events_quarantined', { count: malformed.length })
  })
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

/** emk-events-dead: events given up after every try. They are lost to the counts; the log says which. */
export function consumeDeadEvents(messages: readonly EventMessage[]): void {
  for (const message of messages) {
    const event = readEvent(message.body)
    log('event_given_up', {
      message_id: message.id,
      event_id: event?.event_id ?? null,
      kind: event?.kind ?? null,
      campaign_id: event?.campaign_id ?? null,
    })
    message.ack()
  }
}
