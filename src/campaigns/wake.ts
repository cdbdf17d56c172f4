import type { Services } from '../http/services.ts'

type Waking = Pick<Services, 'redis' | 'redis_keys'>

/**
 * Tells cron to look at a campaign from a moment on, so that an idle installation never opens Postgres. Called before the
 * change it announces: a wake-up without a reason is dropped at the next look.
 *
 * @param at - ms since 1970; 0 for a campaign that is sending
 */
export async function watchCampaign({ redis, redis_keys }: Waking, id: number, at: number): Promise<void> {
  await redis.zadd(redis_keys.wake, { score: at, member: String(id) })
}

/** Takes campaigns off the watch that need none any more. */
export async function unwatchCampaigns({ redis, redis_keys }: Waking, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await redis.zrem(redis_keys.wake, ...ids)
}
