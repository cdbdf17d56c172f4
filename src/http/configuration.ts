// What a Worker must have been given before it serves anyone.
import { parseRetentionDays } from '../events/partitions.ts'
import { parseSendGridKeys } from '../feedback/sendgrid-signature.ts'
import { parseSnsTopics } from '../feedback/sns-topics.ts'
import { parseLinkHosts } from '../render/link-hosts.ts'
import { DEVELOPMENT_BOOTSTRAP_SECRET, DEVELOPMENT_HASH_KEY, usesDevelopmentKeys } from '../tokens/development.ts'
import { parseSigningKeys } from '../tokens/keys.ts'

/** Characters of HASH_KEY and BOOTSTRAP_SECRET: 32 of base64 are 192 bits. */
const MIN_SECRET = 32

export interface Secrets {
  ENVIRONMENT: string
  DATABASE_URL: string
  UPSTASH_REDIS_REST_URL: string
  UPSTASH_REDIS_REST_TOKEN: string
  SIGNING_KEYS: string
  HASH_KEY: string
  BOOTSTRAP_SECRET: string
  LINK_HOSTS: string
  SNS_TOPICS: string
  SENDGRID_WEBHOOK_KEYS: string
  EVENT_RETENTION_DAYS: string
  TURNSTILE_SITE_KEY: string
  TURNSTILE_SECRET: string
}

/**
 * What is wrong with the configuration, one sentence per variable, without its value. Empty when all is well.
 * A missing binding is undefined at run time whatever its type says.
 */
export async function configurationFaults(env: Partial<Secrets>): Promise<string[]> {
  const faults: string[] = []
  for (const name of ['DATABASE_URL', 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'] as const) {
    if (!env[name]) faults.push(`${name} is not set`)
  }
  // Whatever is not plainly a development run is held to the rules of production.
  const environment = env.ENVIRONMENT === 'development' ? 'development' : 'production'
  const signing_keys = env.SIGNING_KEYS ?? ''
  const parsed = await parseSigningKeys(signing_keys).then(
    () => null,
    (error: Error) => error.message,
  )
  if (parsed) faults.push(parsed)
  else if (usesDevelopmentKeys(environment, signing_keys)) {
    faults.push('SIGNING_KEYS is the development key')
  }
  for (const [name, development] of [
    ['HASH_KEY', DEVELOPMENT_HASH_KEY],
    ['BOOTSTRAP_SECRET', DEVELOPMENT_BOOTSTRAP_SECRET],
  ] as const) {
    const value = env[name] ?? ''
    if (value.length < MIN_SECRET) faults.push(`${name} must have at least ${MIN_SECRET} characters`)
    else if (environment === 'production' && value === development) faults.push(`${name} is the development secret`)
  }
  // A challenge that nobody can check would turn everybody away.
  if (env.TURNSTILE_SITE_KEY && !env.TURNSTILE_SECRET) {
    faults.push('TURNSTILE_SECRET is not set, and TURNSTILE_SITE_KEY needs it')
  }
  for (const parse of [
    () => parseLinkHosts(env.LINK_HOSTS ?? ''),
    () => parseSnsTopics(env.SNS_TOPICS ?? ''),
    () => parseSendGridKeys(env.SENDGRID_WEBHOOK_KEYS ?? ''),
    () => parseRetentionDays(env.EVENT_RETENTION_DAYS),
  ]) {
    try {
      parse()
    } catch (error) {
      if (error instanceof Error) faults.push(error.message)
    }
  }
  return faults
}
