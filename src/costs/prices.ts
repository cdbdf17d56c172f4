// List prices in USD before tax, and what a month includes of each. They change: each names its page and the day it was read,
// and an estimate says so. Regions, contracts and credits of one's own are not known here.

export interface Price {
  usd: number
  /** For so many units. */
  per: number
  unit: string
  /** Included in each month by the plan that is assumed; 0 for none. */
  included: number
  source: string
  read: string
}

/** Workers Paid, 5 USD a month, which this kit needs. Queue consumers and cron runs are counted as requests. */
const WORKERS = 'https://developers.cloudflare.com/workers/platform/pricing/'

export const PRICES = {
  /** The plan of every account since 2026-07-21, us-east-1, the first ten million. Older ones may pay 0.10 (à la carte). */
  ses_mails: {
    usd: 0.16,
    per: 1_000,
    unit: 'mails',
    included: 0,
    source: 'https://aws.amazon.com/ses/pricing/',
    read: '2026-08-13',
  },
  workers_requests: {
    usd: 0.3,
    per: 1_000_000,
    unit: 'requests',
    included: 10_000_000,
    source: WORKERS,
    read: '2026-11-24',
  },
  workers_cpu: {
    usd: 0.02,
    per: 1_000_000,
    unit: 'ms of CPU',
    included: 30_000_000,
    source: WORKERS,
    read: '2026-11-24',
  },
  /** A message that arrives is three: written, read, deleted. */
  queue_operations: {
    usd: 0.4,
    per: 1_000_000,
    unit: 'operations',
    included: 1_000_000,
    source: 'https://developers.cloudflare.com/queues/platform/pricing/',
    read: '2026-11-24',
  },
  /** Their time in memory is not counted: 400,000 GB-s a month are included, 36 days of one object. */
  durable_object_requests: {
    usd: 0.15,
    per: 1_000_000,
    unit: 'requests',
    included: 1_000_000,
    source: 'https://developers.cloudflare.com/durable-objects/platform/pricing/',
    read: '2026-11-24',
  },
  /** Pay as you go. */
  redis_commands: {
    usd: 0.2,
    per: 100_000,
    unit: 'commands',
    included: 0,
    source: 'https://upstash.com/pricing/redis',
    read: '2026-11-09',
  },
  /** Launch plan. */
  postgres_compute: {
    usd: 0.106,
    per: 1,
    unit: 'CU-hours',
    included: 0,
    source: 'https://neon.com/docs/introduction/plans',
    read: '2026-11-12',
  },
  /** Each month that the rows are kept. */
  postgres_storage: {
    usd: 0.35,
    per: 1,
    unit: 'GB-months',
    included: 0,
    source: 'https://neon.com/docs/introduction/plans',
    read: '2026-11-12',
  },
} as const satisfies Record<string, Price>

/**
 * SendGrid sells months, not mails: of a plan, its monthly price, the mails in it and what each further one costs. Pro has
 * steps up to 2.5 million whose prices are only shown on request; there a mail comes down to 0.0005.
 */
export const SENDGRID_PLANS = [
  { plan: 'Essentials 50K', usd_per_month: 19.95, mails: 50_000, usd_per_mail_over: 0.0013 },
  { plan: 'Pro 100K', usd_per_month: 89.95, mails: 100_000, usd_per_mail_over: 0.0011 },
] as const
export const SENDGRID_SOURCE = { source: 'https://www.twilio.com/en-us/products/email-api/pricing', read: '2026-08-13' }
