// One run of cron, whose messages the test keeps.
import { type Cron, everyMinute } from '../../src/cron.ts'
import type { BatchPointer, DispatchMessage } from '../../src/dispatch/message.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'

type Stores = Pick<Cron, 'db' | 'redis' | 'redis_keys'>

/** What cron works with, whose queues and other Workers hear nothing. */
export const cronOf = async (stores: Stores): Promise<Cron> => ({
  ...stores,
  signing_keys: await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS),
  hash_key: '',
  bootstrap_secret: '',
  public_url: 'https://mail.test',
  tracking_url: 'https://mail.test',
  link_hosts: () => false,
  recipient_allowlist: '*',
  mail_domain: '',
  sns_topics: new Map(),
  sendgrid_keys: [],
  turnstile: null,
  sending: true,
  dispatch: { send: async () => undefined },
  transactional: { sendBatch: async () => undefined },
  sends: { sendBatch: async () => undefined },
  webhooks: {
    queue: { sendBatch: async () => undefined },
    fetch: () => Promise.reject(new Error('cron asks nobody')),
    openResolver: () => ({ look: async () => ({ kind: 'failed', why: 'cron asks nobody' }) }),
    development: true,
    random: () => 0.5,
  },
  sender: {
    listAccounts: async () => [],
    testAccounts: async () => [],
    sendingDomains: async () => [],
    reopenAccounts: async () => undefined,
  },
  tracking: { fetch: async () => new Response() },
  now: () => new Date(),
})

/** @returns what it put on the queues; `mails` are the ids on `emk-transactional` */
export async function minute(stores: Stores) {
  const pointers: BatchPointer[] = []
  const dispatched: DispatchMessage[] = []
  const mails: number[] = []
  await everyMinute({
    ...(await cronOf(stores)),
    dispatch: { send: async (message) => dispatched.push(message) },
    transactional: {
      sendBatch: async (messages) => {
        for (const { body } of messages) mails.push(body.mail_id)
      },
    },
    sends: {
      sendBatch: async (messages) => {
        for (const { body } of messages) pointers.push(body)
      },
    },
  })
  return { pointers, dispatched, mails }
}
