// What a state folder remembers from run to run.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RedisEngineName } from './redis.ts'

/** Where `npm run dev` keeps everything; each checkout has its own. */
export const STATE_FOLDER = fileURLToPath(new URL('../.local', import.meta.url))

/** Held by the running stack. */
export const lockOf = (dir: string) => join(dir, 'stack.lock')

export const PORTS = ['api', 'inbox', 'smtp', 'postgres', 'neon', 'redis'] as const
export type Ports = Record<(typeof PORTS)[number], number>

export interface State {
  ports?: Ports
  /** The two engines cannot read each other's files. */
  redis_engine?: RedisEngineName
  redis_token?: string
  api_key?: string
  database_url?: string
}

export function readState(dir: string): State {
  try {
    return JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8'))
  } catch {
    return {}
  }
}

export function writeState(dir: string, state: State): void {
  const file = join(dir, 'state.json')
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Empties the folder, of which the caller holds the lock. */
export function emptyFolder(dir: string): void {
  mkdirSync(dir, { recursive: true })
  for (const name of readdirSync(dir)) {
    if (!name.endsWith('.lock')) rmSync(join(dir, name), { recursive: true, force: true, maxRetries: 5 })
  }
}
