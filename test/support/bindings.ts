import {
  DEVELOPMENT_BOOTSTRAP_SECRET,
  DEVELOPMENT_HASH_KEY,
  DEVELOPMENT_SIGNING_KEYS,
} from '../../src/tokens/development.ts'
import type { RedisAddress } from './provided.ts'

/**
 * Settings and secrets of a Worker under test. A test file replaces what is its own: database, Redis prefix, accounts.
 * The database named here does not exist, so that a file which forgets to bring one fails.
 */
export function workerBindings(addresses: { neon: string; redis: RedisAddress[] }): Record<string, string> {
  const [redis] = addresses.redis
  if (!redis) throw new Error('no Redis was started for this project')
  return {
    ENVIRONMENT: 'development',
    PUBLIC_URL: 'https://mail.test',
    TRACKING_URL: 'https://mail.test',
    RECIPIENT_ALLOWLIST: '*',
    LINK_HOSTS: '',
    MAIL_DOMAIN: '',
    SNS_TOPICS: '',
    SENDGRID_WEBHOOK_KEYS: '',
    EVENT_RETENTION_DAYS: '395',
    TURNSTILE_SITE_KEY: '',
    SENDING: 'on',
    NEON_PROXY: addresses.neon,
    DATABASE_URL: 'postgres://emk:emk@127.0.0.1:1/missing',
    UPSTASH_REDIS_REST_URL: redis.url,
    UPSTASH_REDIS_REST_TOKEN: redis.token,
    REDIS_PREFIX: 'missing:',
    SIGNING_KEYS: DEVELOPMENT_SIGNING_KEYS,
    HASH_KEY: DEVELOPMENT_HASH_KEY,
    BOOTSTRAP_SECRET: DEVELOPMENT_BOOTSTRAP_SECRET,
    ACCOUNTS: JSON.stringify([
      { name: 'inbox', kind: 'smtp', host: '127.0.0.1', port: 1, tls: 'none' },
      {
        name: 'bound',
        kind: 'smtp',
        host: '127.0.0.1',
        port: 1,
        tls: 'none',
        from_domains: ['bound.example'],
        per_day: 100,
      },
    ]),
  }
}
