// `npm run deploy`: from an empty Cloudflare account to a sent test mail, by what deploy.env says. `--env staging` takes
// deploy.staging.env and other names; `--dry-run` shows all of it and changes nothing. Can be run again at any time.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { deploy } from './deploy/run.ts'
import { envPath } from './deploy/siblings.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({ options: { env: { type: 'string' }, 'dry-run': { type: 'boolean' } } })
const environment = options.env ?? null
const dry_run = options['dry-run'] === true
const path = envPath(root, environment)

if (environment !== null && !/^[a-z][a-z0-9-]*$/.test(environment)) {
  console.error('--env is a name of small letters, such as staging')
  process.exitCode = 1
} else if (!existsSync(path)) {
  // It will hold secrets: for its owner only.
  if (!dry_run) writeFileSync(path, readFileSync(join(root, 'deploy.env.example')), { mode: 0o600 })
  const made = dry_run ? `copy deploy.env.example to ${basename(path)}` : `${basename(path)} was made: open it`
  console.error(`There are no settings yet: ${made}, fill it in, and run this again.`)
  process.exitCode = 1
} else {
  const well = await deploy({ root, environment, dry_run, print: (line) => console.log(line) })
  process.exitCode = well ? 0 : 1
}
