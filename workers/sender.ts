// emk-sender: entry and composition root. It alone holds the sending accounts' secrets.
import { WorkerEntrypoint } from 'cloudflare:workers'
import { connectDatabase } from '../src/db/client.ts'
import type { BatchPointer } from '../src/dispatch/message.ts'
import { flushEvents } from '../src/events/flush.ts'
import { type Receiver, receiveMail } from '../src/feedback/inbound.ts'
import { log } from '../src/log.ts'
import { type Account, summarise } from '../src/providers/account.ts'
import { type AccountTest, sendingDomains, testAccounts } from '../src/providers/account-test.ts'
import { parseAccounts } from '../src/providers/accounts.ts'
import { candidateAccounts } from '../src/providers/candidates.ts'
import { providerFor } from '../src/providers/select.ts'
import type { SendingDomain } from '../src/providers/sending-domain.ts'
import { capOf } from '../src/providers/warm-up.ts'
import { connectRedis } from '../src/redis/client.ts'
import { redisKeys } from '../src/redis/keys.ts'
import { parseLinkHosts } from '../src/render/link-hosts.ts'
import { parseAllowlist } from '../src/sending/allowlist.ts'
import { campaignLoader } from '../src/sending/campaign.ts'
import { consumeDeadSends, consumeSends } from '../src/sending/consume.ts'
import type { AccountLimits, AccountState, Gate } from '../src/sending/permit.ts'
import type { Sender } from '../src/sending/sender.ts'
import { parseSendSettings } from '../src/sending/settings.ts'
import { usesDevelopmentKeys } from '../src/tokens/development.ts'
import { parseSigningKeys } from '../src/tokens/keys.ts'
import { optoutsOf } from '../src/tracking/optouts.ts'
import type { TransactionalSender } from '../src/transactional/carry.ts'
import { consumeDeadTransactional, consumeTransactional } from '../src/transactional/consume.ts'
import type { TransactionalPointer } from '../src/transactional/message.ts'
import { wakeAt } from '../src/webhooks/wake.ts'

export { AccountGate } from '../src/sending/gate.ts'

// Kept for the life of the isolate: sockets are opened per batch and never stay in it.
let built: (Sender & TransactionalSender & Receiver) | undefined

async function build(env: SenderEnv): Promise<Sender & TransactionalSender & Receiver> {
  if (usesDevelopmentKeys(env.ENVIRONMENT, env.SIGNING_KEYS)) throw new Error('SIGNING_KEYS is the development key')
  const db = connectDatabase(env.DATABASE_URL, env.NEON_PROXY)
  const redis = connectRedis(env.UPSTASH_REDIS_REST_URL, env.UPSTASH_REDIS_REST_TOKEN)
  const keys = redisKeys(env.REDIS_PREFIX)
  const accounts = parseAccounts(env.ACCOUNTS).map((account) => ({
    name: account.name,
    provider: providerFor(account),
    // Of the moment they are asked for: a warm-up's change with the day, and an isolate may live for several.
    get limits() {
      return limitsOf(account, new Date())
    },
    bounce_domain: account.kind === 'smtp' ? account.bounce_domain : undefined,
    from_domains: account.from_domains,
    pool: account.pool,
  }))
  return {
    db,
    signing_keys: await parseSigningKeys(env.SIGNING_KEYS),
    link_hosts: parseLinkHosts(env.LINK_HOSTS),
    mail_domain: env.MAIL_DOMAIN,
    allowlist: parseAllowlist(env.RECIPIENT_ALLOWLIST),
    sending: env.SENDING !== 'off',
    settings: parseSendSettings(env.SEND_SETTINGS),
    loadCampaign: campaignLoader(db),
    candidates: (name, from_email) => candidateAccounts(accounts, name, from_email),
    gate: (account) => env.ACCOUNT_GATE.getByName(account),
    optoutsOf: (subscriber_ids) => optoutsOf(redis, keys, subscriber_ids),
    // Without Redis nobody is mailed, so SQL alone holds an unsubscribe well enough.
    unsubscribes: { redis, redis_keys: keys, events: { send: (event) => flushEvents(db, [event]) } },
    now: () => new Date(),
    random: Math.random,
    uuid: () => crypto.randomUUID(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms))),
  }
}

const limitsOf = (account: Account, now: Date): AccountLimits => ({
  max_connections: account.max_connections,
  rate_per_second: account.rate_per_second ?? null,
  per_day: capOf(account, now),
})

/** What emk-api may ask: nothing that shows a secret. */
export class SenderRpc extends WorkerEntrypoint<SenderEnv> {
  /** Every account, in the order in which they are chosen, with how it stands; a gate that cannot be asked leaves that out. */
  listAccounts(): Promise<AccountState[]> {
    const gate = (name: string): Gate => this.env.ACCOUNT_GATE.getByName(name)
    const now = new Date()
    return Promise.all(
      parseAccounts(this.env.ACCOUNTS).map(async (account) => {
        const standing = Promise.resolve(gate(account.name).standing(limitsOf(account, now)))
        return { ...summarise(account, now), standing: await standing.catch(() => null) }
      }),
    )
  }

  /** Tries every account without a mail: connection, login, and what its service says of it. */
  testAccounts(): Promise<AccountTest[]> {
    return testAccounts(this.#providers())
  }

  /** What each account's service holds of a domain: its keys there and its return path. */
  sendingDomains(domain: string): Promise<{ name: string; held: SendingDomain | null }[]> {
    return sendingDomains(this.#providers(), domain)
  }

  #providers() {
    return parseAccounts(this.env.ACCOUNTS).map((account) => ({ name: account.name, provider: providerFor(account) }))
  }

  /** Has accounts tried at once that were down: somebody has seen to them. */
  async reopenAccounts(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.env.ACCOUNT_GATE.getByName(name).reopen()))
  }
}

export default {
  async queue(batch, env) {
    // The names end alike under every prefix an installation may have.
    const sends = batch.messages as readonly Message<BatchPointer>[]
    const transactional = batch.messages as readonly Message<TransactionalPointer>[]
    if (batch.queue.endsWith('-transactional-dead')) return consumeDeadTransactional(transactional)
    if (batch.queue.endsWith('-dead')) return consumeDeadSends(sends)
    try {
      built ??= await build(env)
    } catch (error) {
      // Not a reason to lose pointers: they wait until the configuration is right.
      log('not_configured', { error: error instanceof Error ? error.message : 'unknown' })
      batch.retryAll({ delaySeconds: 300 })
      return
    }
    if (batch.queue.endsWith('-transactional')) await consumeTransactional(built, transactional)
    else await consumeSends(built, sends)
  },

  /** Bounces and unsubscribes by mail. What it throws is a temporary answer to whoever delivers: the mail comes again. */
  async email(message, env) {
    try {
      built ??= await build(env)
      await receiveMail(built, message)
      // A bounce is told to webhooks by cron, which need not come by otherwise.
      await wakeAt(built.unsubscribes, [built.now().getTime()]).catch(() => undefined)
    } catch (error) {
      log('mail_put_off', { error: error instanceof Error ? error.name : 'unknown' })
      // The platform logs what is thrown, and a failed statement's message holds the mail.
      throw new Error('The mail cannot be taken now.')
    }
  },
} satisfies ExportedHandler<SenderEnv, BatchPointer | TransactionalPointer>
