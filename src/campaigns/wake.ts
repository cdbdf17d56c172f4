import { Problem } from '../http/problem.ts'
import type { Services } from '../http/services.ts'

type Waking = Pick<Services, 'redis' | 'redis_keys'>

/**
 * Tells cron to look at a campaign from a moment on, so that an idle installation never opens Postgres, and makes the change
 * that gives it reason to. The watch comes first: a wake-up without a reason is dropped at the next look. It comes once
 * more after the change, because a cron run in between may have seen no reason yet and dropped the first; should that
 * fail, the hourly sweep sees to it.
 *
 * @param at - ms since 1970; 0 for a campaign that is sending
 * @throws {Problem} redis_unavailable, before the change
 */
export async function underWatch<T>(s: Waking, id: number, at: number, change: () => Promise<T>): Promise<T> {
  const watch = () => s.redis.zadd(s.redis_keys.wake, { score: at, member: String(id) })
  await watch().catch(() => {
    throw new Problem('redis_unavailable', 'Redis does not answer, so nothing was changed. Try again shortly.', {
      headers: { 'retry-after': '5' },
    })
  })
  const result = await change()
  await watch().catch(() => undefined)
  return result
}

/** Takes campaigns off the watch that need none any more. */
export async function unwatchCampaigns({ redis, redis_keys }: Waking, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await redis.zrem(redis_keys.wake, ...ids)
}
