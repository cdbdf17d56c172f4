// The edge's buffer in a Worker one of whose invocations can be killed: the object's, which lives in the same isolate as all
// others and ends with it at a word.
import { DurableObject } from 'cloudflare:workers'
import { connectRedis } from '../../src/redis/client.ts'
import { redisKeys } from '../../src/redis/keys.ts'
import { bufferEvent } from '../../src/tracking/buffer.ts'
import type { TrackingServices } from '../../src/tracking/services.ts'
import { eventOf } from '../../src/tracking/visit.ts'

interface Env {
  REDIS_URL: string
  VICTIM: DurableObjectNamespace<Victim>
}

const gathering: TrackingServices['gathering'] = {}

async function keep(request: Request, { REDIS_URL }: Env): Promise<Response> {
  const subscriber_id = Number(new URL(request.url).searchParams.get('who'))
  const now = () => new Date()
  const event = eventOf(
    request,
    { now, eventId: () => `event-${subscriber_id}` },
    { kind: 'open', campaign_id: 7, subscriber_id },
  )
  const send = () => Promise.reject(new Error('no queue'))
  const buffer = { redis: connectRedis(REDIS_URL, 'x'), redis_keys: redisKeys(''), gathering, now }
  await bufferEvent({ ...buffer, events: { send, sendBatch: send } }, event, 500)
  return new Response('kept')
}

export class Victim extends DurableObject<Env> {
  override fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/kill') this.ctx.abort('killed')
    return keep(request, this.env)
  }
}

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url)
    return pathname === '/' ? keep(request, env) : env.VICTIM.getByName('victim').fetch(request)
  },
}
