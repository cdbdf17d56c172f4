// What waits in Redis, for those who watch it.
import type { Redis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import { readEvent } from './record.ts'

export interface Buffered {
  /** Events that are not in SQL yet; a few may be in both for a moment. */
  events: number
  /** When the oldest of them happened (ISO 8601), as far as can be told from the heads of the lists. */
  oldest_at: string | null
  /** Lines that could not be used, since the beginning. */
  quarantined: number
}

/**
 * Counts what waits. Two commands when nothing does.
 *
 * @throws when Redis cannot be asked
 */
export async function bufferedEvents(redis: Redis, redis_keys: RedisKeys): Promise<Buffered> {
  const [drains, quarantined] = await redis
    .multi()
    .smembers(redis_keys.drains)
    .get<string>(redis_keys.quarantined)
    .exec<[string[], string | null]>()
  const lists = [redis_keys.events, ...redis_keys.event_shards, ...drains]
  const counts: Buffered = { events: 0, oldest_at: null, quarantined: Number(quarantined ?? 0) }
  if ((await redis.exists(...lists)) === 0) return counts
  const asked = redis.pipeline()
  for (const list of lists) asked.llen(list)
  for (const list of lists) asked.get(`${list}:done`)
  const answers = await asked.exec<(number | string | null)[]>()
  // Of a list that is being written, the lines up to `:done` are in SQL.
  const waiting = lists.map((list, i) => ({
    list,
    length: Number(answers[i] ?? 0),
    done: Number(answers[lists.length + i] ?? 0),
  }))
  const heads = redis.pipeline()
  const open = waiting.filter(({ length, done }) => length > done)
  for (const { list, done } of open) heads.lrange(list, done, done)
  const oldest = open.length > 0 ? await heads.exec<string[][]>() : []
  for (const { length, done } of open) counts.events += length - done
  for (const [line] of oldest) {
    const at = readEvent(line)?.occurred_at
    if (at && (counts.oldest_at === null || at < counts.oldest_at)) counts.oldest_at = at
  }
  return counts
}
