// The Workers that emk-api is bound to, bundled as wrangler deploys them, so that its tests call the real ones.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { WRANGLER } from '../../local/wrangler.ts'

export interface NeighbourBundles {
  sender: string
  tracking: string
}

/** @returns paths of the bundled modules, inside `folder` */
export async function bundleNeighbours(folder: string): Promise<NeighbourBundles> {
  const [sender, tracking] = await Promise.all([
    bundle(folder, 'sender', 'wrangler.sender.toml'),
    bundle(folder, 'tracking', 'wrangler.tracking.toml'),
  ])
  return { sender, tracking }
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
