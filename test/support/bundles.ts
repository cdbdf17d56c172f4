// The three Workers, bundled as wrangler deploys them: once for a whole run, for all tests that run them as they are.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { WRANGLER } from '../../local/wrangler.ts'

/** Paths of the bundled modules. */
export interface Bundles {
  api: string
  sender: string
  tracking: string
}

/** @returns paths inside `folder` */
export async function bundleWorkers(folder: string): Promise<Bundles> {
  const [api, sender, tracking] = await Promise.all([
    bundle(folder, 'api', 'wrangler.toml'),
    bundle(folder, 'sender', 'wrangler.sender.toml'),
    bundle(folder, 'tracking', 'wrangler.tracking.toml'),
  ])
  return { api, sender, tracking }
}

async function bundle(folder: string, name: string, config: string): Promise<string> {
  const outdir = join(folder, name)
  const run = spawn(process.execPath, [WRANGLER, 'deploy', '--dry-run', '-c', config, '--outdir', outdir], {
    env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false' },
  })
  let output = ''
  for (const stream of [run.stdout, run.stderr]) {
    stream.on('data', (data) => {
      output += data
    })
  }
  const code = await new Promise((resolve) => run.once('close', resolve))
  if (code !== 0) throw new Error(`${config} does not bundle:\n${output}`)
  return join(outdir, `${name}.js`)
}
