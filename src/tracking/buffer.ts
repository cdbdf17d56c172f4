// Where events wait for cron: a list in Redis, or emk-events when Redis cannot be written. An answer of Redis that was
// lost puts the event in both; its id makes it count once.
import { log } from '../log.ts'
import { NOBODY } from '../tokens/nobody.ts'
import type { TrackingEvent } from './event.ts'
import { LATER, optoutMember } from './optouts.ts'
import type { TrackingServices } from './services.ts'

type Buffer = Pick<TrackingServices, 'redis' | 'redis_keys' | 'events' | 'gathering' | 'now'>

/** `events` is what takes over while Redis cannot be written. */
export interface UnsubscribeBuffer extends Pick<TrackingServices, 'redis' | 'redis_keys'> {
  events: Pick<TrackingServices['events'], 'send'>
}

/** How long an event waits for others to share its command, in ms. */
const WINDOW = 50
/** Events of one command; also what one `sendBatch` takes (Cloudflare Queues limit). */
const MOST = 100

/**
 * Keeps an open or a click; nobody's (of a test mail) is not kept. Never throws: if Redis and the queue are both down, the event is lost, and logged.
 *
 * The first event waits a moment and writes those that came to the same isolate meanwhile, so that a burst is a few
 * commands and not one for each reader. Should its invocation die in that moment, they are lost with it.
 */
export async function bufferEvent(
  { redis, redis_keys, events, gathering, now }: Buffer,
  event: TrackingEvent,
): Promise<void> {
  if (event.subscriber_id === NOBODY) return
  const at = now().getTime()
  // Past its moment it may be that nobody is left to write it.
  if (at < gathering.closes_at && gathering.events.length < MOST) {
    gathering.events.push(event)
    return
  }
  const gathered = [event]
  gathering.events = gathered
  gathering.closes_at = at + WINDOW
  await new Promise((resolve) => setTimeout(resolve, WINDOW))
  if (gathering.events === gathered) gathering.closes_at = 0
  const about = { events: gathered.length, campaign_id: event.campaign_id, event_id: event.event_id }
  try {
    await redis.rpush(redis_keys.events, ...gathered.map((one) => JSON.stringify(one)))
  } catch (error) {
    try {
      await events.sendBatch(gathered.map((body) => ({ body })))
      log('tracking_redis_failed', { ...about, error: nameOf(error) })
    } catch (queue_error) {
      log('tracking_event_lost', { ...about, error: nameOf(error), queue_error: nameOf(queue_error) })
    }
  }
}

/**
 * Keeps an unsubscribe, and tells the next claim of it in the same transaction. Through the queue it reaches the next
 * claims within seconds (max_batch_timeout of emk-events); as long as Redis cannot be asked, none of them sends.
 *
 * @returns whether it is durable; only then may the reader be told so
 */
export async function bufferUnsubscribe(
  { redis, redis_keys, events }: UnsubscribeBuffer,
  event: TrackingEvent,
): Promise<boolean> {
  try {
    await redis
      .multi()
      .rpush(redis_keys.events, JSON.stringify(event))
      .zadd(redis_keys.optouts, LATER, optoutMember(event))
      .exec()
    return true
  } catch (error) {
    try {
      await events.send(event)
      log('tracking_redis_failed', { ...idsOf(event), error: nameOf(error) })
      return true
    } catch (queue_error) {
      log('tracking_unsubscribe_refused', { ...idsOf(event), error: nameOf(error), queue_error: nameOf(queue_error) })
      return false
    }
  }
}

const idsOf = ({ kind, campaign_id, event_id }: TrackingEvent) => ({ kind, campaign_id, event_id })

/** Messages of the Redis client hold the whole command, and with it the subscriber. */
const nameOf = (error: unknown) => (error instanceof Error ? error.name : 'unknown')
