// What cron is told by Redis, so that it need not open Postgres to see whether a message is due: one set, that holds
// `enabled` while there is an endpoint, and the minutes (since 1970) in which something is due again.
import { sql } from 'drizzle-orm'
import type { WebhookServices } from './outgoing.ts'

type Redis = Pick<WebhookServices, 'redis' | 'redis_keys'>

const ENABLED = 'enabled'
const MINUTE = 60_000

export interface Wake {
  /** Whether anybody wants to hear anything. */
  enabled: boolean
  /** The minutes that have come; `settleWake` takes them away. */
  due: string[]
}

/** @param members - of the set */
export function readWake(members: readonly string[], now: number): Wake {
  const due = members.filter((member) => member !== ENABLED && Number(member) <= now / MINUTE)
  return { enabled: members.includes(ENABLED), due }
}

/** Has cron look at the messages once these moments (ms since 1970) have passed. */
export async function wakeAt({ redis, redis_keys }: Redis, moments: readonly number[]): Promise<void> {
  const [first, ...others] = new Set(moments.map((at) => String(Math.floor(at / MINUTE) + 1)))
  if (first !== undefined) await redis.sadd(redis_keys.webhooks, first, ...others)
}

export async function settleWake({ redis, redis_keys }: Redis, due: readonly string[]): Promise<void> {
  const [first, ...others] = due
  if (first !== undefined) await redis.srem(redis_keys.webhooks, first, ...others)
}

/**
 * Writes down in Redis whether there is an endpoint: after each change of one, and by the hour if that was lost.
 *
 * @throws what Postgres or Redis throw; nothing depends on it for more than an hour
 */
export async function noteEndpoints({ db, redis, redis_keys }: Pick<WebhookServices, 'db'> & Redis): Promise<boolean> {
  const { rows } = await db.execute<{ enabled: boolean }>(
    sql`select exists (select from webhook_endpoints where enabled) as enabled`,
  )
  const enabled = rows[0]?.enabled ?? false
  if (enabled) await redis.sadd(redis_keys.webhooks, ENABLED)
  else await redis.srem(redis_keys.webhooks, ENABLED)
  return enabled
}

/** @throws when Redis cannot be asked */
export const hasEndpoints = async ({ redis, redis_keys }: Redis): Promise<boolean> =>
  (await redis.sismember(redis_keys.webhooks, ENABLED)) === 1
