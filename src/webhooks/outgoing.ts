import type { Database } from '../db/client.ts'
import type { Resolver } from '../doctor/resolver.ts'
import type { Redis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { WebhookPointer } from './message.ts'

/** How messages leave; made in workers/api.ts. */
export interface Outgoing {
  queue: { sendBatch(messages: Iterable<{ body: WebhookPointer; delaySeconds?: number }>): Promise<unknown> }
  fetch: typeof fetch
  /** For one run: every name is asked for once. */
  openResolver: () => Resolver
  /** On a computer of one's own, addresses of that computer may be named, without TLS too. */
  development: boolean
  /** 0 to 1, evenly. */
  random: () => number
}

export interface WebhookServices {
  db: Database
  redis: Redis
  redis_keys: RedisKeys
  public_url: string
  tracking_url: string
  webhooks: Outgoing
  now: () => Date
}
