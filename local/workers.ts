// The three Workers in one `wrangler dev`, as production runs them but for their settings.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { keep } from './keeper.ts'
import { freePort } from './ports.ts'
import { WRANGLER } from './wrangler.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The first has the port and gets cron. */
const CONFIGS = ['wrangler.toml', 'wrangler.sender.toml', 'wrangler.tracking.toml']

/** Longest wait for the Workers to be built and to answer, in ms. */
const PATIENCE = 120_000

/** They answer, but not well: this is how long that may last (Redis reading its file in), in ms. */
const UNWELL = 10_000

/** Wrangler gets so long to end by itself, in ms. */
const GRACE = 10_000

export interface Workers {
  api_url: string
  log: string
  /** Leader of the process group that wrangler and workerd are in. */
  pid: number
  stop(): Promise<void>
}

/**
 * Builds and starts the Workers and waits until they are healthy.
 *
 * @param options.dir - state folder: configuration, Durable Objects, log
 * @param options.settings - vars and secrets by name; every Worker gets those that its wrangler file names
 * @throws with the end of the Workers' own log when they do not come up
 */
export async function startWorkers(options: {
  dir: string
  port: number
  settings: Record<string, string>
}): Promise<Workers> {
  const { dir, port, settings } = options
  const configs = writeConfigs(join(dir, 'workers'), settings)
  const log = join(dir, 'workers.log')
  writeFileSync(log, '')
  const args = [
    WRANGLER,
    'dev',
    ...configs.flatMap((config) => ['-c', config]),
    ...['--ip', '127.0.0.1', '--port', String(port)],
    // Without one of its own, a second run on this computer dies of "Address already in use".
    ...['--inspector-port', String(await freePort())],
    ...['--persist-to', join(dir, 'workers', 'state')],
    '--show-interactive-dev-session=false',
  ]
  const env = {
    ...process.env,
    CI: '1',
    NO_COLOR: '1',
    FORCE_COLOR: '0',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_LOG_PATH: join(dir, 'workers', 'logs'),
    // Shared by all runs of a user otherwise: queues and Workers of equal name would take each other's traffic.
    WRANGLER_REGISTRY_PATH: join(dir, 'workers', 'registry'),
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  }
  const server = keep({ command: process.execPath, args, signal: 'SIGTERM', grace: GRACE }, log, env, ROOT)
  const api_url = `http://127.0.0.1:${port}`
  try {
    await healthy(api_url, server.running, log)
  } catch (error) {
    await server.stop()
    throw error
  }
  return { api_url, log, pid: server.pid, stop: server.stop }
}

/**
 * Copies of the wrangler files with these settings in place of their own, and the secrets beside them: neither the
 * tracked files nor the checkout's own folder is touched, and nothing that lies there is read.
 *
 * @returns their paths: emk-api's, emk-sender's, emk-tracking's
 */
export function writeConfigs(dir: string, settings: Record<string, string>): string[] {
  mkdirSync(dir, { recursive: true })
  // Wrangler resolves what a file's `alias` names from the file's own folder.
  const modules = join(dir, 'node_modules')
  if (!existsSync(modules)) symlinkSync(join(ROOT, 'node_modules'), modules, 'junction')
  const vars = new Set<string>()
  const paths = CONFIGS.map((name) => {
    let toml = readFileSync(join(ROOT, name), 'utf8')
    toml = toml.replace(/^main = "(.+)"$/m, (_line, main: string) => `main = ${JSON.stringify(join(ROOT, main))}`)
    toml = toml.replace(/^([A-Z_]+) = ".*?"/gm, (line, key: string) => {
      const value = settings[key]
      vars.add(key)
      return value === undefined ? line : `${key} = ${JSON.stringify(value)}`
    })
    const path = join(dir, name)
    writeFileSync(path, toml)
    return path
  })
  const secrets = Object.entries(settings).filter(([key]) => !vars.has(key))
  for (const [key, value] of secrets) {
    if (/['\n]/.test(value)) throw new Error(`${key} may not contain a single quote or a line break`)
  }
  writeFileSync(join(dir, '.dev.vars'), secrets.map(([key, value]) => `${key}='${value}'\n`).join(''), { mode: 0o600 })
  return paths
}

/** Waits until the Workers at this address are well. @throws with the end of their log when they do not come up */
export async function healthy(api_url: string, running: () => boolean, log: string): Promise<void> {
  let answer = 'no answer yet'
  let first_answer: number | null = null
  for (let end = Date.now() + PATIENCE; ; await sleep(100)) {
    const response = await fetch(`${api_url}/health?deep=1`, { signal: AbortSignal.timeout(5000) }).catch(() => null)
    if (response) {
      const text = await response.text()
      // Cron is late where the stack was down for a while; it begins when this is known.
      if (response.ok || /"database":"ok".*"redis":"ok"/.test(text)) return
      answer = `${response.status} ${text}`
      if (first_answer === null) first_answer = Date.now()
      end = Math.min(end, first_answer + UNWELL)
    }
    const text = stripVTControlCharacters(readFileSync(log, 'utf8'))
    // Wrangler that cannot build waits for the next change of a file.
    if (running() && Date.now() < end && !/\[ERROR\]|✘/.test(text)) continue
    const excerpt = text.trimEnd().split('\n').slice(-25).join('\n')
    throw new Error(`the Workers did not come up (${answer}); ${log} ends with\n${excerpt}`)
  }
}
