// The tracking Worker's tokens, events and answers, with a command of its own for each event. It answers when the event is
// in Redis: deferred until after the answer, commands pile up faster than Redis takes them, until they time out.
import { connectRedis, type Redis } from '../../src/redis/client.ts'
import { eventShard, redisKeys } from '../../src/redis/keys.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import { verifyLink } from '../../src/tokens/link.ts'
import { verifyRecipient } from '../../src/tokens/recipient.ts'
import { eventOf, type Visit } from '../../src/tracking/visit.ts'

interface Env {
  SIGNING_KEYS: string
  UPSTASH_REDIS_REST_URL: string
  UPSTASH_REDIS_REST_TOKEN: string
}

const GIF = Uint8Array.from(atob('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=='), (c) =>
  c.charCodeAt(0),
)
const services = { now: () => new Date(), eventId: () => crypto.randomUUID() }
const redis_keys = redisKeys('')
let built: { signing_keys: SigningKeys; redis: Redis } | undefined

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    built ??= {
      signing_keys: await parseSigningKeys(env.SIGNING_KEYS),
      redis: connectRedis(env.UPSTASH_REDIS_REST_URL, env.UPSTASH_REDIS_REST_TOKEN),
    }
    const { signing_keys, redis } = built
    const record = (visit: Visit) =>
      redis.rpush(eventShard(redis_keys, services.now()), JSON.stringify(eventOf(request, services, visit)))
    const [, , kind = '', token = '', half = ''] = new URL(request.url).pathname.split('/', 5)
    if (kind === 'o') {
      const recipient = await verifyRecipient(signing_keys, 'open', token.replace(/\.gif$/, ''))
      if (recipient) await record({ kind: 'open', ...recipientOf(recipient) })
      return new Response(GIF, { headers: { 'Content-Type': 'image/gif', 'Content-Length': String(GIF.length) } })
    }
    const [recipient, link] = await Promise.all([
      verifyRecipient(signing_keys, 'click', token),
      verifyLink(signing_keys, half),
    ])
    if (!link) return new Response(null, { status: 404 })
    if (recipient) await record({ kind: 'click', ...recipientOf(recipient), link: link.n })
    return new Response(null, { status: 302, headers: { Location: link.url } })
  },
}

const recipientOf = ({ campaign_id, subscriber_id }: { campaign_id: number; subscriber_id: number }) => ({
  campaign_id,
  subscriber_id,
})
