import { bufferedEvents } from '../events/buffered.ts'
import type { Services } from '../http/services.ts'

/** How far the numbers are behind: what waits in Redis, and since when. Nulls when it cannot be asked. */
export async function howFarBehind({
  redis,
  redis_keys,
  now,
}: Pick<Services, 'redis' | 'redis_keys' | 'now'>): Promise<{
  buffered_events: number | null
  buffered_seconds: number | null
}> {
  try {
    const { events, oldest_at } = await bufferedEvents(redis, redis_keys)
    return { buffered_events: events, buffered_seconds: oldest_at ? ageInSeconds(oldest_at, now()) : null }
  } catch {
    return { buffered_events: null, buffered_seconds: null }
  }
}

/** @param at - ISO 8601; the edge's clock may be ahead of ours */
export const ageInSeconds = (at: string, now: Date) => Math.max(0, Math.round((now.getTime() - Date.parse(at)) / 1000))
