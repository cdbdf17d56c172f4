// emk-api: entry and composition root. `build` is called alike by fetch, queue and scheduled.
import { connectDatabase } from '../src/db/client.ts'
import { createApp } from '../src/http/app.ts'
import { configurationFaults } from '../src/http/configuration.ts'
import type { SenderRpc, Services } from '../src/http/services.ts'
import { answerUnconfigured } from '../src/http/unconfigured.ts'
import { connectRedis } from '../src/redis/client.ts'
import { redisKeys } from '../src/redis/keys.ts'
import { parseSigningKeys } from '../src/tokens/keys.ts'

type Built = { faults: string[] } | { faults: null; services: Services; app: ReturnType<typeof createApp> }

// Kept for the life of the isolate: nothing in it holds a socket or a promise of one request.
let built: Built | undefined

/** Everything this Worker needs, made at its first use; or what its configuration lacks. */
async function build(env: ApiEnv): Promise<Built> {
  if (built) return built
  const faults = await configurationFaults(env)
  if (faults.length > 0) {
    built = { faults }
    return built
  }
  const services: Services = {
    db: connectDatabase(env.DATABASE_URL, env.NEON_PROXY),
    redis: connectRedis(env.UPSTASH_REDIS_REST_URL, env.UPSTASH_REDIS_REST_TOKEN),
    redis_keys: redisKeys(env.REDIS_PREFIX),
    signing_keys: await parseSigningKeys(env.SIGNING_KEYS),
    hash_key: env.HASH_KEY,
    bootstrap_secret: env.BOOTSTRAP_SECRET,
    public_url: withoutSlash(env.PUBLIC_URL),
    tracking_url: withoutSlash(env.TRACKING_URL || env.PUBLIC_URL),
    recipient_allowlist: env.RECIPIENT_ALLOWLIST,
    sending: env.SENDING !== 'off',
    dispatch: env.DISPATCH,
    sender: env.SENDER as unknown as SenderRpc,
    tracking: env.TRACKING,
    now: () => new Date(),
  }
  built = { faults: null, services, app: createApp(services) }
  return built
}

const withoutSlash = (url: string) => url.replace(/\/+$/, '')

export default {
  async fetch(request, env, ctx) {
    const it = await build(env)
    if (it.faults) return answerUnconfigured(request, it.faults)
    return it.app.fetch(request, env, ctx)
  },
} satisfies ExportedHandler<ApiEnv>
