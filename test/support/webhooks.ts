// An endpoint in the database, what it was to be told, and all that delivery needs.
import type { Resolver } from '../../src/doctor/resolver.ts'
import type { WebhookPointer } from '../../src/webhooks/message.ts'
import type { WebhookServices } from '../../src/webhooks/outgoing.ts'
import { newSecret } from '../../src/webhooks/sign.ts'
import type { TestDatabase } from './database.ts'
import type { TestRedis } from './redis.ts'

type Sql = Pick<TestDatabase, 'sql'>

/** The row, past the API. */
export async function insertEndpoint(t: Sql, events: readonly string[] = [], url = 'https://hooks.acme-shop.com/mail') {
  const secret = newSecret(crypto.getRandomValues(new Uint8Array(32)))
  const [row] = await t.sql<{ id: string }>(
    'insert into webhook_endpoints (url, events, secret) values ($1, $2::text[], $3) returning id',
    [url, events, secret],
  )
  return { id: Number(row?.id), secret, url }
}

export interface Captured {
  type: string
  subscriber_id: number | null
  payload: Record<string, unknown>
}

/** What was written down for an endpoint since it was last asked for. */
export async function taken(t: Sql, endpoint_id: number): Promise<Captured[]> {
  return t.sql<Captured & Record<string, unknown>>(
    `with gone as (delete from webhook_messages where endpoint_id = $1 returning *)
     select type, subscriber_id::float8 as subscriber_id, payload from gone order by id`,
    [endpoint_id],
  )
}

/** The Worker's services but for the HTTP side; `sent` is what lies on the queue. */
export function outgoing(t: Pick<TestDatabase, 'db'>, r: Pick<TestRedis, 'redis' | 'keys'>) {
  const sent: { body: WebhookPointer; delaySeconds?: number }[] = []
  const services: WebhookServices = {
    db: t.db,
    redis: r.redis,
    redis_keys: r.keys,
    public_url: 'https://mail.acme.com',
    tracking_url: 'https://t.acme.com',
    webhooks: {
      queue: {
        sendBatch: async (messages) => {
          sent.push(...messages)
        },
      },
      fetch,
      openResolver: () => resolverOf({}),
      development: true,
      random: () => 0.5,
    },
    now: () => new Date(),
  }
  return { services, sent }
}

/** A resolver that knows these names: their addresses, or that asking fails. */
export const resolverOf = (names: Record<string, readonly string[] | 'failed'>): Resolver => ({
  look: async (name, type) => {
    const known = names[name]
    if (known === 'failed') return { kind: 'failed', why: 'no answer in time' }
    const values = (known ?? []).filter((address) => address.includes(':') === (type === 'AAAA'))
    return values.length > 0 ? { kind: 'found', values, alias: null } : { kind: 'none', exists: true, alias: null }
  },
})
