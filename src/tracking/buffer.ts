// Where events wait for cron: lists in Redis, or emk-events when Redis cannot be written. An answer of Redis that was
// lost puts the event in both; its id makes it count once.
import { log } from '../log.ts'
import { eventShard } from '../redis/keys.ts'
import { NOBODY } from '../tokens/nobody.ts'
import type { TrackingEvent } from './event.ts'
import { LATER, optoutMember } from './optouts.ts'
import type { TrackingServices } from './services.ts'

type Buffer = Pick<TrackingServices, 'redis' | 'redis_keys' | 'events' | 'gathering' | 'now'>

/** `events` is what takes over while Redis cannot be written. */
export interface UnsubscribeBuffer extends Pick<TrackingServices, 'redis' | 'redis_keys'> {
  events: Pick<TrackingServices['events'], 'send'>
}

/** Events that one invocation is about to write for all that came to its isolate in the same moment. */
export interface Gathering {
  events: TrackingEvent[]
  /** Until when it can be joined, in ms since 1970. */
  closes_at: number
  /** Whether all of them are kept; it never rejects, and never settles when the invocation dies. */
  kept: Promise<boolean>
  /** Whether a guard has kept them instead. */
  saved: boolean
}

/** How long an event waits for others to share its command, in ms. */
const WINDOW = 50
/** Events of one command; also what one `sendBatch` takes (Cloudflare Queues limit). */
const MOST = 100
/** How many invocations see to it that the one that gathers has done its work. Each that waits costs as much as its answer. */
const GUARDS = 2
/**
 * How long the first guard trusts in the one that gathers, in ms, and the second in both: longer than the window, two tries
 * at Redis and the queue take together, and within the 30 seconds that an invocation has after its answer.
 */
const TRUST = 8000

/**
 * Keeps an open or a click; nobody's (of a test mail) is not kept. Never throws: if Redis and the queue are both down, the
 * event is lost, and logged.
 *
 * The first event waits a moment and writes those that came to the same isolate meanwhile, so that a burst is a few commands
 * and not one for each reader. The next ones are its guards: should it fail, or its invocation die, they write all that was
 * gathered. So an event is lost only with its isolate, or with Redis and the queue. What is written twice counts once.
 *
 * @param trust - in ms, how long the first guard waits
 */
export async function bufferEvent(buffer: Buffer, event: TrackingEvent, trust = TRUST): Promise<void> {
  if (event.subscriber_id === NOBODY) return
  const gathered = gather(buffer, event)
  const rank = gathered.events.length - 1
  if (rank > GUARDS || (await isSettled(gathered.kept, trust * Math.max(rank, 1))) || gathered.saved) return
  const last = Math.min(GUARDS, gathered.events.length - 1)
  // Whoever has failed leaves it to the guards, if there are any.
  if (rank === 0 && last > 0) return
  const error = await write(buffer, gathered.events)
  if (error === null) gathered.saved = true
  else if (rank === last) log('tracking_events_lost', { ...idsOf(event), events: gathered.events.length, ...error })
}

/** Joins the events that are being gathered, or begins to gather; the event is the last of them. */
function gather(buffer: Buffer, event: TrackingEvent): Gathering {
  const at = buffer.now().getTime()
  const open = buffer.gathering
  if (open.current && at < open.current.closes_at && open.current.events.length < MOST) {
    open.current.events.push(event)
    return open.current
  }
  const events = [event]
  const kept = sleep(WINDOW).then(async () => {
    // What comes later would not be written with these.
    if (open.current?.events === events) open.current = undefined
    return (await write(buffer, events)) === null
  })
  open.current = { events, closes_at: at + WINDOW, kept, saved: false }
  return open.current
}

/** Whether a promise comes to true in time; the invocation that was to settle it may be gone. */
async function isSettled(kept: Promise<boolean>, patience: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), patience)
  })
  try {
    return await Promise.race([kept, late])
  } finally {
    clearTimeout(timer)
  }
}

/** @returns null when Redis or the queue holds them, else what went wrong with each */
async function write(
  { redis, redis_keys, events, now }: Buffer,
  given: TrackingEvent[],
): Promise<{ error: string; queue_error: string } | null> {
  try {
    await redis.rpush(eventShard(redis_keys, now()), ...given.map((event) => JSON.stringify(event)))
    return null
  } catch (error) {
    try {
      await events.sendBatch(given.map((body) => ({ body })))
      log('tracking_redis_failed', { events: given.length, error: nameOf(error) })
      return null
    } catch (queue_error) {
      return { error: nameOf(error), queue_error: nameOf(queue_error) }
    }
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

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
      .rpush(eventShard(redis_keys, new Date(event.occurred_at)), JSON.stringify(event))
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
