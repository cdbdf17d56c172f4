import { expect, test } from 'vitest'
import { configurationFaults } from '../../../src/http/configuration.ts'
import {
  DEVELOPMENT_BOOTSTRAP_SECRET,
  DEVELOPMENT_HASH_KEY,
  DEVELOPMENT_SIGNING_KEYS,
} from '../../../src/tokens/development.ts'

const good = {
  ENVIRONMENT: 'production',
  DATABASE_URL: 'postgres://user:pass@host/db',
  UPSTASH_REDIS_REST_URL: 'https://redis.example.com',
  UPSTASH_REDIS_REST_TOKEN: 'token',
  SIGNING_KEYS: `1:signing:${'Q'.repeat(42)}A`,
  HASH_KEY: 'h'.repeat(32),
  BOOTSTRAP_SECRET: 'b'.repeat(32),
}

test('a complete configuration has no faults', async () => {
  expect(await configurationFaults(good)).toEqual([])
})

test.each([
  ['DATABASE_URL', '', 'DATABASE_URL is not set'],
  ['UPSTASH_REDIS_REST_URL', '', 'UPSTASH_REDIS_REST_URL is not set'],
  ['UPSTASH_REDIS_REST_TOKEN', '', 'UPSTASH_REDIS_REST_TOKEN is not set'],
  ['SIGNING_KEYS', '', 'SIGNING_KEYS is empty'],
  ['SIGNING_KEYS', '1:signing:c2hvcnQ', 'SIGNING_KEYS, entry 1: the secret has 5 bytes, at least 32 are needed'],
  ['SIGNING_KEYS', DEVELOPMENT_SIGNING_KEYS, 'SIGNING_KEYS is the development key'],
  ['EVENT_RETENTION_DAYS', 'thirteen months', 'EVENT_RETENTION_DAYS must be a whole number of days, from 1'],
  ['LINK_HOSTS', 'https://x.example', 'LINK_HOSTS: "https://x.example" is not a host name'],
  [
    'SNS_TOPICS',
    'my-topic',
    'SNS_TOPICS, entry 1: is not the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:ses-events',
  ],
  [
    'SENDGRID_WEBHOOK_KEYS',
    'SG.secret',
    'SENDGRID_WEBHOOK_KEYS, entry 1: is not a verification key as SendGrid shows it',
  ],
  ['TURNSTILE_SITE_KEY', '1x00', 'TURNSTILE_SECRET is not set, and TURNSTILE_SITE_KEY needs it'],
  ['HASH_KEY', '', 'HASH_KEY must have at least 32 characters'],
  ['HASH_KEY', 'short', 'HASH_KEY must have at least 32 characters'],
  ['HASH_KEY', DEVELOPMENT_HASH_KEY, 'HASH_KEY is the development secret'],
  ['BOOTSTRAP_SECRET', '', 'BOOTSTRAP_SECRET must have at least 32 characters'],
  ['BOOTSTRAP_SECRET', DEVELOPMENT_BOOTSTRAP_SECRET, 'BOOTSTRAP_SECRET is the development secret'],
])('%s of %j is a fault', async (name, value, fault) => {
  expect(await configurationFaults({ ...good, [name]: value })).toEqual([fault])
})

test('bindings that are missing altogether are faults, each named', async () => {
  const faults = await configurationFaults({})
  for (const name of Object.keys(good).slice(1)) expect(faults.some((fault) => fault.startsWith(name))).toBe(true)
})

test('no fault holds a value', async () => {
  const faults = await configurationFaults({
    ...good,
    SIGNING_KEYS: '1:signing:c2VjcmV0',
    HASH_KEY: 'hush',
    BOOTSTRAP_SECRET: 'hush',
  })
  expect(faults).toHaveLength(3)
  expect(faults.join()).not.toMatch(/c2VjcmV0|hush/)
})

test('development keys serve in development, and only there', async () => {
  const development = {
    ...good,
    SIGNING_KEYS: DEVELOPMENT_SIGNING_KEYS,
    HASH_KEY: DEVELOPMENT_HASH_KEY,
    BOOTSTRAP_SECRET: DEVELOPMENT_BOOTSTRAP_SECRET,
  }
  expect(await configurationFaults({ ...development, ENVIRONMENT: 'development' })).toEqual([])
  for (const ENVIRONMENT of ['production', 'staging', '']) {
    expect(await configurationFaults({ ...development, ENVIRONMENT })).toHaveLength(3)
  }
})
