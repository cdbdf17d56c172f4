import { log } from '../src/log.ts'
import { connectRedis } from '../src/redis/client.ts'
import { redisKeys } from '../src/redis/keys.ts'
import { usesDevelopmentKeys } from '../src/tokens/development.ts'
import { parseSigningKeys } from '../src/tokens/keys.ts'
import { route } from '../src/tracking/routes.ts'
import type { TrackingServices } from '../src/tracking/services.ts'

/** Kept as a value, not as a promise: in a Worker one request must not wait for another's work. */
let built: TrackingServices | undefined

async function build(env: TrackingEnv): Promise<TrackingServices> {
  // A secret that was never set is missing, whatever its type says.
  const signing_keys = env.SIGNING_KEYS ?? ''
  if (usesDevelopmentKeys(env.ENVIRONMENT, signing_keys)) {
    throw new Error('SIGNING_KEYS holds the development key, which everybody knows; make keys of your own')
  }
  return {
    signing_keys: await parseSigningKeys(signing_keys),
    public_url: (env.PUBLIC_URL ?? '').replace(/\/+$/, ''),
    redis: connectRedis(env.UPSTASH_REDIS_REST_URL, env.UPSTASH_REDIS_REST_TOKEN),
    redis_keys: redisKeys(env.REDIS_PREFIX),
    events: env.EVENTS,
    gathering: {},
    now: () => new Date(),
    eventId: () => crypto.randomUUID(),
  }
}

export default {
  async fetch(request, env, ctx) {
    let refusal: string | undefined
    const services = async () => {
      try {
        built ??= await build(env)
        return built
      } catch (error) {
        refusal = error instanceof Error ? error.message : 'unknown'
        throw error
      }
    }
    try {
      return await route(request, services, ctx)
    } catch (error) {
      // Only the refusals above are worded by us; other messages may hold data.
      log('tracking_failed', { error: error instanceof Error ? error.name : 'unknown', refusal: refusal ?? null })
      return new Response('Something is wrong here; please try again later.\n', { status: 500 })
    }
  },
} satisfies ExportedHandler<TrackingEnv>
