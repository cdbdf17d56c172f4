// emk-api: entry and composition root. `build` is called alike by fetch, queue and scheduled.
import { everyMinute } from '../src/cron.ts'
import { connectDatabase } from '../src/db/client.ts'
import { consumeDeadDispatch, consumeDispatch } from '../src/dispatch/consume.ts'
import type { DispatchMessage } from '../src/dispatch/message.ts'
import { domainChecker } from '../src/doctor/check-domain.ts'
import { openResolver } from '../src/doctor/resolver.ts'
import { consumeDeadEvents, consumeEvents } from '../src/events/consume.ts'
import { parseRetentionDays } from '../src/events/partitions.ts'
import { parseSendGridKeys } from '../src/feedback/sendgrid-signature.ts'
import { parseSnsTopics } from '../src/feedback/sns-topics.ts'
import { createApp } from '../src/http/app.ts'
import { configurationFaults } from '../src/http/configuration.ts'
import type { SenderRpc, Services } from '../src/http/services.ts'
import { answerUnconfigured } from '../src/http/unconfigured.ts'
import { settleByEvidence } from '../src/ledger/evidence.ts'
import { log } from '../src/log.ts'
import { connectRedis } from '../src/redis/client.ts'
import { redisKeys } from '../src/redis/keys.ts'
import { parseLinkHosts } from '../src/render/link-hosts.ts'
import { TURNSTILE_VERIFY_URL } from '../src/signup/turnstile.ts'
import { parseSigningKeys } from '../src/tokens/keys.ts'
import { consumeDeadWebhooks, consumeWebhooks } from '../src/webhooks/consume.ts'
import { dispatchSoon } from '../src/webhooks/dispatch.ts'
import type { WebhookPointer } from '../src/webhooks/message.ts'

/** With the secret that not every installation has. */
type Env = ApiEnv & { TURNSTILE_SECRET?: string }

type Built = { faults: string[] } | { faults: null; services: Services; app: ReturnType<typeof createApp> }

// Kept for the life of the isolate: nothing in it holds a socket or a promise of one request.
let built: Built | undefined

/** Everything this Worker needs, made at its first use; or what its configuration lacks. */
async function build(env: Env): Promise<Built> {
  if (built) return built
  const faults = await configurationFaults(env)
  if (faults.length > 0) {
    built = { faults }
    return built
  }
  const db = connectDatabase(env.DATABASE_URL, env.NEON_PROXY)
  const sender = env.SENDER as unknown as SenderRpc
  const services: Services = {
    db,
    redis: connectRedis(env.UPSTASH_REDIS_REST_URL, env.UPSTASH_REDIS_REST_TOKEN),
    redis_keys: redisKeys(env.REDIS_PREFIX),
    signing_keys: await parseSigningKeys(env.SIGNING_KEYS),
    hash_key: env.HASH_KEY,
    bootstrap_secret: env.BOOTSTRAP_SECRET,
    public_url: withoutSlash(env.PUBLIC_URL),
    tracking_url: withoutSlash(env.TRACKING_URL || env.PUBLIC_URL),
    link_hosts: parseLinkHosts(env.LINK_HOSTS),
    recipient_allowlist: env.RECIPIENT_ALLOWLIST,
    mail_domain: env.MAIL_DOMAIN,
    sns_topics: parseSnsTopics(env.SNS_TOPICS),
    sendgrid_keys: parseSendGridKeys(env.SENDGRID_WEBHOOK_KEYS),
    turnstile: turnstileOf(env),
    sending: env.SENDING !== 'off',
    dispatch: env.DISPATCH,
    transactional: env.TRANSACTIONAL,
    webhooks: {
      queue: env.WEBHOOKS,
      fetch: (input, init) => fetch(input, init),
      openResolver: () => openResolver({ fetch: (input, init) => fetch(input, init) }),
      development: env.ENVIRONMENT === 'development',
      random: Math.random,
    },
    sender,
    tracking: env.TRACKING,
    // A development installation asks nobody outside.
    ...(env.ENVIRONMENT === 'development' ? {} : { checkDomain: lookAtDomains(sender) }),
    now: () => new Date(),
  }
  built = { faults: null, services, app: createApp(services) }
  return built
}

const lookAtDomains = (sender: SenderRpc) =>
  domainChecker({
    fetch: (input, init) => fetch(input, init),
    sender,
    now: () => new Date(),
  })

/** A development installation asks nobody outside, and challenges nobody. */
const turnstileOf = ({ ENVIRONMENT, TURNSTILE_SITE_KEY: site_key, TURNSTILE_SECRET: secret }: Env) =>
  ENVIRONMENT !== 'development' && site_key && secret ? { site_key, secret, verify_url: TURNSTILE_VERIFY_URL } : null

const withoutSlash = (url: string) => url.replace(/\/+$/, '')

export default {
  async fetch(request, env, ctx) {
    const it = await build(env)
    if (it.faults) return answerUnconfigured(request, it.faults)
    return it.app.fetch(request, env, ctx)
  },
  async queue(batch, env) {
    const it = await build(env)
    if (it.faults) {
      // Not a reason to lose messages: they wait until the configuration is right.
      log('not_configured', { queue: batch.queue })
      batch.retryAll({ delaySeconds: 300 })
      return
    }
    // The names end alike under every prefix an installation may have.
    const dispatches = batch.messages as readonly Message<DispatchMessage>[]
    const pointers = batch.messages as readonly Message<WebhookPointer>[]
    if (batch.queue.endsWith('-dispatch')) await consumeDispatch({ ...it.services, sends: env.SENDS }, dispatches)
    else if (batch.queue.endsWith('-dispatch-dead')) consumeDeadDispatch(dispatches)
    else if (batch.queue.endsWith('-webhooks-dead')) consumeDeadWebhooks(pointers)
    else if (batch.queue.endsWith('-webhooks')) await consumeWebhooks(it.services, pointers)
    else if (batch.queue.endsWith('-events')) {
      await consumeEvents(
        {
          ...it.services,
          event_retention_days: parseRetentionDays(env.EVENT_RETENTION_DAYS),
          onFlushed: (touched) => settleByEvidence(it.services.db, touched),
        },
        batch.messages,
      )
      await dispatchSoon(it.services)
    } else await consumeDeadEvents(it.services, batch.messages)
  },
  async scheduled(_controller, env) {
    const it = await build(env)
    if (it.faults) log('not_configured', { queue: 'cron' })
    else {
      const event_retention_days = parseRetentionDays(env.EVENT_RETENTION_DAYS)
      await everyMinute({ ...it.services, sends: env.SENDS, event_retention_days })
    }
  },
} satisfies ExportedHandler<Env>
