// Redis to SQL. The lists of events are renamed away, so that what is being written never changes under the reader, then
// written slice by slice and deleted last. Whoever dies leaves a named list behind that the next run takes up; whoever
// overlaps writes the same events, which count once. Nothing is ever popped.
import type { Database } from '../db/client.ts'
import { log } from '../log.ts'
import type { Redis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { TrackingEvent } from '../tracking/event.ts'
import { pruneOptouts } from '../tracking/optouts.ts'
import { flushEvents, type Touched } from './flush.ts'
import { EVENT_RETENTION_DAYS } from './partitions.ts'
import { isTimely, readEvent } from './record.ts'

export interface DrainOptions {
  /** Lines a statement. */
  slice?: number
  /** No slice is begun after this moment (ms since 1970); the next run goes on from there. */
  until: number
  now: () => Date
  /** EVENT_RETENTION_DAYS; older opens and clicks are set apart. */
  retention_days?: number | undefined
  /** Called after each slice is in SQL, at least once for every recipient in it; if it throws, the slice comes again. */
  onFlushed: (touched: Touched[]) => Promise<unknown>
}

export interface DrainCounts {
  /** Lines read, also those that were known or malformed. */
  lines: number
  inserted: number
  quarantined: number
  /** Whether everything that was there at the start is in SQL. */
  complete: boolean
}

/** About 1 MB an answer, 100 ms a statement. */
const SLICE = 5000
/** Enough to see what is wrong; more would only fill Redis. */
const QUARANTINE_SIZE = 10_000
/**
 * How long an opt-out is kept, in ms: longer than its event may wait in emk-events (a hundred tries, a quarter of an hour
 * apart), and longer than a claim that read SQL before may be at work.
 */
const OPTOUT_KEPT = 30 * 3_600_000

/** Writes every buffered event to SQL, or as many as there is time for. */
export async function drainEvents(
  db: Database,
  redis: Redis,
  redis_keys: RedisKeys,
  options: DrainOptions,
): Promise<DrainCounts> {
  const counts: DrainCounts = { lines: 0, inserted: 0, quarantined: 0, complete: true }
  const started = options.now().getTime()
  for (const list of await filled(redis, redis_keys)) await setAside(redis, redis_keys, list)
  for (const drain of await redis.smembers(redis_keys.drains)) {
    const ended = await writeDrain(db, redis, redis_keys, drain, options, counts)
    if (!ended) counts.complete = false
  }
  // Only now is every opt-out from before the start known to be in SQL.
  if (counts.complete && counts.lines > 0) await pruneOptouts(redis, redis_keys, started - OPTOUT_KEPT)
  if (counts.quarantined > 0) log('events_quarantined', { count: counts.quarantined })
  return counts
}

/** The lists that hold events now. */
async function filled(redis: Redis, redis_keys: RedisKeys): Promise<string[]> {
  const lists = [redis_keys.events, ...redis_keys.event_shards]
  if ((await redis.exists(...lists)) === 0) return []
  const asked = redis.pipeline()
  for (const list of lists) asked.exists(list)
  const answers = await asked.exec<number[]>()
  return lists.filter((_, i) => answers[i] === 1)
}

/**
 * RENAMENX, not RENAME: the client repeats a transaction whose answer was lost, and a second rename would put the events
 * that came in between in place of the first ones.
 */
async function setAside(redis: Redis, redis_keys: RedisKeys, list: string): Promise<void> {
  const drain = `${redis_keys.drain}${crypto.randomUUID()}`
  const [, renamed] = await redis
    .multi()
    .sadd(redis_keys.drains, drain)
    .renamenx(list, drain)
    .exec({ keepErrors: true })
  // An overlapping run was faster, or a lost answer's repeat found nothing left.
  if (renamed.error && !renamed.error.includes('no such key')) throw new Error('the buffered events were not renamed')
}

/** @returns false when the time ran out */
async function writeDrain(
  db: Database,
  redis: Redis,
  redis_keys: RedisKeys,
  drain: string,
  { slice = SLICE, until, now, retention_days = EVENT_RETENTION_DAYS, onFlushed }: DrainOptions,
  counts: DrainCounts,
): Promise<boolean> {
  // May be behind when runs overlap; never ahead of what is in SQL.
  const done = `${drain}:done`
  let at = Number((await redis.get<string>(done)) ?? 0)
  for (;;) {
    if (now().getTime() > until) return false
    const lines = await redis.lrange(drain, at, at + slice - 1)
    // Empty: an overlapping run was faster and has deleted it.
    if (lines.length === 0) break
    const { events, malformed } = sort(lines, now(), retention_days)
    const flushed = await Promise.all(lanes(events).map((lane) => flushEvents(db, lane)))
    for (const { touched } of flushed) if (touched.length > 0) await onFlushed(touched)
    at += lines.length
    const step = redis.multi().set(done, at)
    if (malformed.length > 0) {
      step
        .rpush(redis_keys.quarantine, ...malformed)
        .ltrim(redis_keys.quarantine, -QUARANTINE_SIZE, -1)
        .incrby(redis_keys.quarantined, malformed.length)
    }
    await step.exec()
    counts.lines += lines.length
    for (const { inserted } of flushed) counts.inserted += inserted
    counts.quarantined += malformed.length
    if (lines.length < slice) break
  }
  await redis.multi().del(drain, done).srem(redis_keys.drains, drain).exec()
  return true
}

/** Fewer than this are written at once. */
const LANE = 500

/**
 * Splits a slice into two that are written side by side. No recipient is in both: neither waits for the other's rows but
 * at the very end, for the campaign's.
 */
function lanes(events: TrackingEvent[]): TrackingEvent[][] {
  if (events.length < LANE) return events.length > 0 ? [events] : []
  const split: [TrackingEvent[], TrackingEvent[]] = [[], []]
  for (const event of events) split[((event.subscriber_id ?? event.event_id.charCodeAt(0)) % 2) as 0 | 1].push(event)
  return split.filter((lane) => lane.length > 0)
}

function sort(lines: string[], now: Date, retention_days: number): { events: TrackingEvent[]; malformed: string[] } {
  const events: TrackingEvent[] = []
  const malformed: string[] = []
  for (const line of lines) {
    const event = readEvent(line)
    if (event && isTimely(event, now, retention_days)) events.push(event)
    else malformed.push(line)
  }
  return { events, malformed }
}
