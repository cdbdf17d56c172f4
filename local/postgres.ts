// A real Postgres from npm's binaries: no service, no Docker, nothing installed on the computer.
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { keep } from './keeper.ts'
import { type Lock, takeLock } from './lock.ts'
import { freePort } from './ports.ts'
import { postgresBinaries } from './postgres-files.ts'
import { type PostgresUser, postgresUser } from './postgres-user.ts'

const USER = 'emk'
/** Known to everybody: the server listens on loopback only. */
const PASSWORD = 'emk'

/** Longest wait for a server to come up (it may have a crash to recover from) or to go down, in ms. */
const PATIENCE = 60_000

export interface PostgresOptions {
  /** Data folder; made when it is missing. Beside it stand `<dir>.log` and `<dir>.lock`. */
  dir: string
  /** A free one when left out. */
  port?: number
  /** false: nothing is forced to the disk. For data that need not survive a power cut. */
  durable?: boolean
}

export interface PostgresServer {
  port: number
  /** Connection string of a database on this server. */
  url(database: string): string
  /** Makes the database if it is missing. */
  createDatabase(database: string): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts Postgres on a data folder. A server left on it by a killed process is ended first.
 *
 * @throws {LockHeld} when a living process runs a server on this folder
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const dir = resolve(options.dir)
  mkdirSync(dirname(dir), { recursive: true })
  const lock = await takeLock(`${dir}.lock`)
  try {
    return await start(dir, options, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function start(dir: string, options: PostgresOptions, lock: Lock): Promise<PostgresServer> {
  const binaries = postgresBinaries()
  const user = postgresUser()
  await endOrphan(dir)
  if (!existsSync(join(dir, 'PG_VERSION'))) initialise(binaries, user, dir)

  const port = options.port ?? (await freePort())
  const log = `${dir}.log`
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '256MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(options.durable === false ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  }
  const [command = '', ...args] = [
    ...user.prefix,
    join(binaries, 'postgres'),
    '-D',
    dir,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  // SIGINT is the fast shutdown: running statements are rolled back, clients are sent away.
  const server = keep({ command, args, signal: 'SIGINT', grace: PATIENCE, ...identity(user) }, log)
  const url = (database: string) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`
  try {
    await ready(dir, server.running, log)
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    port,
    url,
    createDatabase: (database) => createDatabase(url('postgres'), database),
    async stop() {
      await server.stop()
      await lock.release()
    },
  }
}

function initialise(binaries: string, user: PostgresUser, dir: string): void {
  // The builtin C.UTF-8 sorts and upper-cases alike on every system, as Neon's C.UTF-8 does. What a letter is to pg_trgm is
  // the system's to say, and not every system has a C.UTF-8: with C, texts that are not ASCII are found without the index.
  const builtin = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const failed = initdb(binaries, user, dir, [...builtin, '--lc-ctype=C.UTF-8']) && initdb(binaries, user, dir, builtin)
  if (failed === null) return
  const hint =
    user.uid === undefined ? '' : '\n(as root without user namespaces: keep the checkout where other users can read it)'
  throw new Error(`initdb failed: ${failed}${hint}`)
}

/** @returns what went wrong, or null */
function initdb(binaries: string, user: PostgresUser, dir: string, locale: string[]): string | null {
  // Started and killed before: a folder without PG_VERSION holds nothing.
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { mode: 0o700 })
  const passwords = `${dir}.password`
  writeFileSync(passwords, PASSWORD)
  if (user.uid !== undefined) {
    chownSync(dir, user.uid, user.gid ?? user.uid)
    chownSync(passwords, user.uid, user.gid ?? user.uid)
  }
  const login = [`--username=${USER}`, '--auth=scram-sha-256', `--pwfile=${passwords}`]
  const [command = '', ...args] = [...user.prefix, join(binaries, 'initdb'), '-D', dir, ...locale, ...login]
  const run = spawnSync(command, args, { encoding: 'utf8', windowsHide: true, ...identity(user) })
  rmSync(passwords, { force: true })
  if (run.status === 0) return null
  rmSync(dir, { recursive: true, force: true })
  return run.error?.message ?? run.stderr
}

function identity(user: PostgresUser): { uid?: number; gid?: number } {
  return user.uid === undefined ? {} : { uid: user.uid, gid: user.gid ?? user.uid }
}

/** Ends the server that a killed process left running on this folder. The caller holds the folder's lock. */
async function endOrphan(dir: string): Promise<void> {
  const file = join(dir, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  if (!isPostgres(pid)) {
    // The number now belongs to somebody else, or to nobody; Postgres would take the former for a running server.
    rmSync(file, { force: true })
    return
  }
  process.kill(pid, 'SIGINT')
  for (const end = Date.now() + PATIENCE; existsSync(file) && isPostgres(pid); await sleep(20)) {
    if (Date.now() > end) throw new Error(`the Postgres left running on ${dir} (process ${pid}) does not end`)
  }
  rmSync(file, { force: true })
}

function isPostgres(pid: number): boolean {
  if (!(pid > 0)) return false
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]?.endsWith('postgres') ?? false
    } catch {
      return false
    }
  }
  const [command, args] =
    process.platform === 'win32'
      ? ['tasklist', ['/fi', `PID eq ${pid}`, '/nh']]
      : ['ps', ['-p', String(pid), '-o', 'command=']]
  return /postgres/.test(spawnSync(command as string, args as string[], { encoding: 'utf8' }).stdout ?? '')
}

/** Its pid file says when it takes connections, as pg_ctl waits for it; the port alone may be another server's. */
async function ready(dir: string, running: () => boolean, log: string): Promise<void> {
  const file = join(dir, 'postmaster.pid')
  for (const end = Date.now() + PATIENCE; ; await sleep(10)) {
    if (existsSync(file) && readFileSync(file, 'utf8').split('\n')[7]?.trim() === 'ready') return
    if (!running() || Date.now() > end) {
      const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8).join('\n')
      throw new Error(`Postgres did not start; ${log} ends with\n${tail}`)
    }
  }
}

async function createDatabase(url: string, database: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database])
    if (!rowCount) await client.query(`create database ${client.escapeIdentifier(database)}`)
  } finally {
    await client.end()
  }
}
