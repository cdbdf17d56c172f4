import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** How to run a Postgres program so that it does not see itself as root, which it refuses to be. */
export interface PostgresUser {
  /** Put before the command. */
  prefix: string[]
  uid?: number
  gid?: number
}

/**
 * As root: in a user namespace of its own, where the files stay root's and the process sees itself as nobody (so it can
 * read a checkout in a home that is closed to others); where the kernel refuses that, as the user `postgres` or `nobody`.
 */
export function postgresUser(): PostgresUser {
  if (process.getuid?.() !== 0) return { prefix: [] }
  if (process.platform === 'linux' && spawnSync('unshare', ['--user', 'true']).status === 0) {
    return { prefix: ['unshare', '--user'] }
  }
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (!user) throw new Error('Postgres does not run as root, and there is no user `postgres` or `nobody` to run it as')
  return { prefix: [], uid: Number(user[2]), gid: Number(user[3]) }
}
