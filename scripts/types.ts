// `npm run types`: the environment of each Worker, generated from its wrangler file (--check: only compare).
import { spawnSync } from 'node:child_process'
import { WRANGLER } from '../local/wrangler.ts'

const check = process.argv.includes('--check') ? ['--check'] : []

const targets = [
  ['workers/types/api.d.ts', '-c', 'wrangler.toml', '--env-interface', 'ApiEnv', '--include-runtime', 'false'],
  [
    'workers/types/sender.d.ts',
    '-c',
    'wrangler.sender.toml',
    '--env-interface',
    'SenderEnv',
    '--include-runtime',
    'false',
  ],
  [
    'workers/types/tracking.d.ts',
    '-c',
    'wrangler.tracking.toml',
    '--env-interface',
    'TrackingEnv',
    '--include-runtime',
    'false',
  ],
  ['workers/types/runtime.d.ts', '-c', 'wrangler.toml', '--include-env', 'false'],
]

for (const target of targets) {
  const run = spawnSync(process.execPath, [WRANGLER, 'types', ...target, '--strict-vars', 'false', ...check], {
    encoding: 'utf8',
    env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false' },
  })
  if (run.status !== 0) {
    console.error(`${target[0]} does not match its wrangler file; run \`npm run types\`\n${run.stdout}${run.stderr}`)
    process.exit(1)
  }
}
