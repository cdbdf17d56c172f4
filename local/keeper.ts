// A program of its own, run between us and a server that would outlive us: it starts the server, and ends it and all its
// children as soon as its standard input closes. That happens when we ask for it, and also when we are killed outright.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface KeptCommand {
  command: string
  args: string[]
  /** Asks the server to end. */
  signal: 'SIGINT' | 'SIGTERM'
  /** After so many ms it is killed. */
  grace: number
  uid?: number
  gid?: number
}

export interface Kept {
  pid: number
  /** Settles when the server has ended by itself or was stopped. */
  ended: Promise<number | null>
  running(): boolean
  stop(): Promise<void>
}

/**
 * Starts a server that ends with us, however we end.
 *
 * @param log - file that its output is added to
 */
export function keep(what: KeptCommand, log: string, env: NodeJS.ProcessEnv = process.env, cwd?: string): Kept {
  const out = openSync(log, 'a')
  const keeper: ChildProcess = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(what)], {
    stdio: ['pipe', out, out],
    env,
    ...(cwd ? { cwd } : {}),
    // A process group of its own: Ctrl-C reaches only us, and we stop the servers in their order.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  keeper.stdin?.on('error', () => {})
  let over = false
  const ended = new Promise<number | null>((resolve) => {
    keeper.once('exit', (code) => {
      over = true
      resolve(code)
    })
    keeper.once('error', () => {
      over = true
      resolve(null)
    })
  })
  return {
    pid: keeper.pid ?? 0,
    ended,
    running: () => !over,
    async stop() {
      keeper.stdin?.end()
      await ended
    },
  }
}

function main(what: KeptCommand): void {
  const child = spawn(what.command, what.args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    windowsHide: true,
    ...(what.uid === undefined ? {} : { uid: what.uid, gid: what.gid }),
  })
  let ending = false
  const end = () => {
    if (ending || child.exitCode !== null) return
    ending = true
    if (process.platform === 'win32') {
      spawnSync('taskkill', ['/pid', String(child.pid), '/T', '/F'])
      return
    }
    // The whole group; we are in it and do not listen to this signal any more.
    process.kill(-process.pid, what.signal)
    setTimeout(() => process.kill(-process.pid, 'SIGKILL'), what.grace)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  process.stdin.on('end', end).on('error', end).resume()
  child.once('error', (error) => {
    console.error(error.message)
    process.exit(127)
  })
  child.once('exit', (code) => {
    // What the server left behind goes with it (a wrangler that died leaves its workerd).
    if (process.platform !== 'win32') process.kill(-process.pid, ending ? 'SIGKILL' : 'SIGTERM')
    process.exit(code ?? 1)
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(JSON.parse(process.argv[2] ?? ''))
