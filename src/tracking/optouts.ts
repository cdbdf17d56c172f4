import type { Redis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { TrackingEvent } from './event.ts'

/**
 * Whose unsubscribe was confirmed lately, in one command: subscriber -> ms since 1970 of the last one. SQL may not know
 * of it yet. One that is newer than the subscriber's last opt-out or resubscription in `consents` must hold the mail
 * back; the flush writes that row with the very same time, so from then on SQL decides which lists are meant.
 *
 * @param subscriber_ids - at most a batch
 * @throws when Redis cannot be asked: then nobody may be mailed
 */
export async function optoutsOf(
  redis: Redis,
  redis_keys: RedisKeys,
  subscriber_ids: number[],
): Promise<Map<number, number>> {
  const optouts = new Map<number, number>()
  if (subscriber_ids.length === 0) return optouts
  const scores: unknown = await redis.zmscore(redis_keys.optouts, subscriber_ids.map(String))
  // A missing key answers one null per member; anything else is not an answer.
  if (!Array.isArray(scores) || scores.length !== subscriber_ids.length) throw new Error('Redis gave no opt-outs')
  for (const [index, subscriber_id] of subscriber_ids.entries()) {
    if (scores[index] !== null) optouts.set(subscriber_id, Number(scores[index]))
  }
  return optouts
}

/** The later of what is known and what is new: events may come in any order. */
export const LATER = { gt: true } as const

/** Opt-outs as members of the sorted set. */
export const optoutMember = ({ subscriber_id, occurred_at }: Pick<TrackingEvent, 'subscriber_id' | 'occurred_at'>) => ({
  score: Date.parse(occurred_at),
  member: String(subscriber_id),
})

/**
 * Forgets opt-outs made before a moment.
 *
 * @param before - ms since 1970; every unsubscribe before it must have been in SQL for long enough that no claim which
 *   read SQL before that is still at work
 */
export async function pruneOptouts(redis: Redis, redis_keys: RedisKeys, before: number): Promise<number> {
  return await redis.zremrangebyscore(redis_keys.optouts, 0, `(${before}`)
}
