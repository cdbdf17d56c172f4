import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { EnvFile } from './env-file.ts'
import type { Settings } from './settings.ts'

/** @param environment null is production */
export function defaultPrefix(environment: string | null): string {
  return environment === null ? 'emk' : `emk-${environment}`
}

export function envPath(root: string, environment: string | null): string {
  return join(root, environment === null ? 'deploy.env' : `deploy.${environment}.env`)
}

/** Two deployments with one name in one account, or with one database, would take each other's place. */
export function siblingFaults(root: string, environment: string | null, settings: Settings): string[] {
  const ours = basename(envPath(root, environment))
  return readdirSync(root).flatMap((name) => {
    const file = /^deploy(?:\.([a-z0-9-]+))?\.env$/.exec(name)
    if (file === null || name === ours) return []
    const other = new EnvFile(join(root, name))
    const other_prefix = other.get('PREFIX') || defaultPrefix(file[1] ?? null)
    const same_account = other.get('CLOUDFLARE_ACCOUNT_ID') === settings.CLOUDFLARE_ACCOUNT_ID
    const same_database = settings.DATABASE_URL !== '' && other.get('DATABASE_URL') === settings.DATABASE_URL
    return [
      ...(same_account && other_prefix === settings.PREFIX ? [`PREFIX is that of ${name}; take another`] : []),
      ...(same_database ? [`DATABASE_URL is that of ${name}; take another database`] : []),
    ]
  })
}
