import { randomBytes } from 'node:crypto'
import type { EnvFile } from './env-file.ts'
import type { Settings } from './settings.ts'

const MAKERS = {
  // All three Workers sign or verify with the same keys. A further key is added by hand: see README, rotating keys.
  SIGNING_KEYS: () => `1:signing:${randomBytes(32).toString('base64url')}`,
  HASH_KEY: () => randomBytes(32).toString('base64url'),
  BOOTSTRAP_SECRET: () => randomBytes(32).toString('base64url'),
} as const

export function missingSecrets(settings: Settings): (keyof typeof MAKERS)[] {
  return (Object.keys(MAKERS) as (keyof typeof MAKERS)[]).filter((name) => settings[name] === '')
}

/** Makes what is missing and writes it to deploy.env before anything uses it: links already sent depend on these. */
export function makeSecrets(env: EnvFile, settings: Settings): (keyof typeof MAKERS)[] {
  const missing = missingSecrets(settings)
  for (const name of missing) {
    settings[name] = MAKERS[name]()
    env.set(name, settings[name])
  }
  return missing
}
