// Workers as they are deployed: bundled by wrangler, run by workerd itself with nothing before it.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { keep } from '../local/keeper.ts'
import { freePort } from '../local/ports.ts'
import { WRANGLER } from '../local/wrangler.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** The binary of the pinned workerd, whatever this computer is (the package has no types). */
const WORKERD: string = createRequire(import.meta.url)('workerd').default
/** As in the wrangler files. */
const COMPATIBILITY = { date: '2026-10-01', flags: ['nodejs_compat'] }
/** Longest wait for workerd to answer, in ms. */
const PATIENCE = 20_000

/**
 * What `wrangler deploy` would upload.
 *
 * @param source - a Worker's entry, or a wrangler file, from the repository's root
 * @param dir - gets the bundle
 * @returns the path of the one script
 */
export async function bundleWorker(source: string, dir: string): Promise<string> {
  const name = source.replace(/\W+/g, '-')
  const out = join(dir, name)
  mkdirSync(out, { recursive: true })
  const what = source.endsWith('.toml')
    ? ['-c', source]
    : [source, '--name', name, '--compatibility-date', COMPATIBILITY.date, '--compatibility-flags', 'nodejs_compat']
  const env = { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: dir }
  const args = [WRANGLER, 'deploy', ...what, '--dry-run', '--outdir', out]
  const run = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [run.stdout, run.stderr]) stream.on('data', (text) => (output += text))
  const status = await new Promise((resolve) => run.once('close', resolve))
  if (status !== 0) throw new Error(`${source} does not bundle:\n${output}`)
  const script = source.endsWith('.toml')
    ? (/wrangler\.(\w+)\.toml$/.exec(source)?.[1] ?? 'api')
    : basename(source, '.ts')
  return join(out, `${script}.js`)
}

export interface Served {
  url: string
  /** Where V8's inspector answers (Chrome DevTools Protocol). */
  inspector_url: string
  pid: number
  stop(): Promise<void>
}

/**
 * Runs one Worker in a fresh workerd. It may reach this computer.
 *
 * @param worker.script - of `bundleWorker`
 * @param worker.bindings - vars and secrets
 * @param worker.heap - MB that V8 may use for JavaScript objects; as much as it likes when left out
 */
export async function serveWorker(worker: {
  script: string
  bindings: Record<string, string>
  heap?: number
}): Promise<Served> {
  const port = await freePort()
  const inspector = `127.0.0.1:${await freePort()}`
  const text = JSON.stringify
  const bindings = Object.entries(worker.bindings).map(
    ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
  )
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${worker.heap === undefined ? '' : text(`--max-heap-size=${worker.heap}`)}],
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "main.js", esModule = embed ${text(basename(worker.script))})],
  compatibilityDate = ${text(COMPATIBILITY.date)},
  compatibilityFlags = [${COMPATIBILITY.flags.map((flag) => text(flag)).join(', ')}],
  bindings = [${bindings.join(', ')}],
);
`
  // What is embedded is looked for beside the configuration.
  const dir = dirname(worker.script)
  const file = join(dir, `workerd-${port}.capnp`)
  const log = join(dir, `workerd-${port}.log`)
  writeFileSync(file, config)
  const server = keep(
    { command: WORKERD, args: ['serve', `--inspector-addr=${inspector}`, file], signal: 'SIGTERM', grace: 2000 },
    log,
  )
  const url = `http://127.0.0.1:${port}`
  for (const end = Date.now() + PATIENCE; ; await sleep(50)) {
    const response = await fetch(url, { redirect: 'manual' }).catch(() => null)
    if (response) {
      await response.arrayBuffer()
      return { url, inspector_url: `ws://${inspector}/main`, pid: server.pid, stop: server.stop }
    }
    if (!server.running() || Date.now() > end) {
      await server.stop()
      throw new Error(`workerd did not come up; see ${log}`)
    }
  }
}
