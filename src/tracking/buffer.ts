// Where events wait for cron: a list in Redis, or emk-events when Redis cannot be written. An answer of Redis that was
// lost puts the event in both; its id makes it count once.
import { log } from '../log.ts'
import type { TrackingEvent } from './event.ts'
import type { TrackingServices } from './services.ts'

type Buffer = Pick<TrackingServices, 'redis' | 'redis_keys' | 'events'>

/** Keeps an open or a click. Never throws: if Redis and the queue are both down, the event is lost, and logged. */
export async function bufferEvent({ redis, redis_keys, events }: Buffer, event: TrackingEvent): Promise<void> {
  try {
    await redis.rpush(redis_keys.events, JSON.stringify(event))
  } catch (error) {
    try {
      await events.send(event)
      logFallback(event, error)
    } catch (queue_error) {
      log('tracking_event_lost', { ...idsOf(event), error: nameOf(error), queue_error: nameOf(queue_error) })
    }
  }
}

/**
 * Keeps an unsubscribe, and tells the next claim of it in the same transaction. Through the queue it reaches SQL within
 * seconds, but no claim before.
 *
 * @returns whether it is durable; only then may the reader be told so
 */
export async function bufferUnsubscribe({ redis, redis_keys, events }: Buffer, event: TrackingEvent): Promise<boolean> {
  try {
    await redis
      .multi()
      .rpush(redis_keys.events, JSON.stringify(event))
      .zadd(redis_keys.optouts, { score: Date.parse(event.occurred_at), member: `${event.subscriber_id}` })
      .exec()
    return true
  } catch (error) {
    try {
      await events.send(event)
      logFallback(event, error)
      return true
    } catch (queue_error) {
      log('tracking_unsubscribe_refused', { ...idsOf(event), error: nameOf(error), queue_error: nameOf(queue_error) })
      return false
    }
  }
}

function logFallback(event: TrackingEvent, error: unknown): void {
  log('tracking_redis_failed', { ...idsOf(event), error: nameOf(error) })
}

const idsOf = ({ kind, campaign_id, event_id }: TrackingEvent) => ({ kind, campaign_id, event_id })

/** Messages of the Redis client hold the whole command, and with it the subscriber. */
const nameOf = (error: unknown) => (error instanceof Error ? error.name : 'unknown')
