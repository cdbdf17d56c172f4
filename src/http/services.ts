import type { CheckDomain } from '../campaigns/check/authentication.ts'
import type { Database } from '../db/client.ts'
import type { DispatchMessage } from '../dispatch/message.ts'
import type { SendGridKeys } from '../feedback/sendgrid-signature.ts'
import type { SnsTopics } from '../feedback/sns-topics.ts'
import type { AccountTest } from '../providers/account-test.ts'
import type { SendingDomain } from '../providers/sending-domain.ts'
import type { Redis } from '../redis/client.ts'
import type { RedisKeys } from '../redis/keys.ts'
import type { LinkHosts } from '../render/link-hosts.ts'
import type { AccountState } from '../sending/permit.ts'
import type { Turnstile } from '../signup/turnstile.ts'
import type { SigningKeys } from '../tokens/keys.ts'
import type { TransactionalPointer } from '../transactional/message.ts'
import type { Outgoing } from '../webhooks/outgoing.ts'

/** What emk-api's routes may need; made once per isolate in workers/api.ts. A route takes only the fields it uses. */
export interface Services {
  db: Database
  redis: Redis
  redis_keys: RedisKeys
  signing_keys: SigningKeys
  /** Secret of the keyed hashes that deleted subscribers leave behind (HASH_KEY). */
  hash_key: string
  bootstrap_secret: string
  /** No slash at the end. */
  public_url: string
  tracking_url: string
  /** Hosts that a template's variables may supply in tracked links (LINK_HOSTS). */
  link_hosts: LinkHosts
  recipient_allowlist: string
  /** MAIL_DOMAIN, or empty. */
  mail_domain: string
  /** Whose news of mails counts (SNS_TOPICS, SENDGRID_WEBHOOK_KEYS); empty where there is none. */
  sns_topics: SnsTopics
  sendgrid_keys: SendGridKeys
  /** Who fills in forms is challenged; null where nobody is (TURNSTILE_SITE_KEY, TURNSTILE_SECRET). */
  turnstile: Turnstile | null
  sending: boolean
  dispatch: { send(message: DispatchMessage, options?: { delaySeconds?: number }): Promise<unknown> }
  transactional: { sendBatch(messages: Iterable<{ body: TransactionalPointer }>): Promise<unknown> }
  /** How messages leave for webhooks. */
  webhooks: Outgoing
  sender: SenderRpc
  /** Looks up how a sender's domain is authenticated, for a campaign's check. */
  checkDomain?: CheckDomain
  /** emk-tracking, for installations whose /t and /u are not routed to it. */
  tracking: { fetch(request: Request): Promise<Response> }
  /** The moment a request, message or cron run is handled in. */
  now: () => Date
}

/** What emk-sender answers by RPC: it alone holds the accounts' secrets. */
export interface SenderRpc {
  /** In the order in which they are chosen. */
  listAccounts(): Promise<AccountState[]>
  /** Tries every account without a mail. */
  testAccounts(): Promise<AccountTest[]>
  /** What each account's service holds of a domain; null where it cannot be asked. */
  sendingDomains(domain: string): Promise<{ name: string; held: SendingDomain | null }[]>
  /** Has accounts tried at once that were down: somebody has seen to them. */
  reopenAccounts(names: readonly string[]): Promise<void>
}
