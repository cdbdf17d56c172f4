// `npm run check`: every rule of this repository that a computer can hold, one line each. `--update` rewrites the list
// of files in emk-tracking's bundle; `--json FILE` also writes the counts, for CI.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkBundles } from './check/bundles.ts'
import { checkLint } from './check/lint.ts'
import { checkLockfile } from './check/lockfile.ts'
import { checkMigrations } from './check/migrations.ts'
import { checkTypes } from './check/types.ts'
import { checkWalls } from './check/walls.ts'
import { checkWranglerFiles } from './check/wrangler-files.ts'

interface Check {
  name: string
  run: () => string[] | Promise<string[]>
  /** What to do when it fails. */
  remedy: string
}

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({ options: { update: { type: 'boolean' }, json: { type: 'string' } } })
const sizes: string[] = []

const checks: readonly Check[] = [
  {
    name: 'types',
    run: () => checkTypes(root),
    remedy: 'correct the types; `npm run types` after a wrangler file changed',
  },
  { name: 'lint', run: () => checkLint(root), remedy: '`npm run format` does what can be done by itself' },
  { name: 'import walls', run: () => checkWalls(root), remedy: 'move the code to the folder that may do it' },
  { name: 'wrangler files', run: () => checkWranglerFiles(root), remedy: 'make the three wrangler files agree' },
  {
    name: 'lock file',
    run: () => checkLockfile(root),
    remedy: 'pin the version; delete package-lock.json and `npm install`',
  },
  { name: 'migrations', run: () => checkMigrations(root), remedy: '`npm run generate`, then look at the SQL it wrote' },
  {
    name: 'bundles',
    run: async () => {
      const report = await checkBundles(root, options.update === true)
      sizes.push(...report.sizes)
      return report.problems
    },
    remedy: 'drop the import, or `npm run check -- --update` if emk-tracking shall hold it',
  },
]

let failed = 0
for (const check of checks) {
  let problems: string[]
  try {
    problems = await check.run()
  } catch (error) {
    problems = [error instanceof Error ? error.message : String(error)]
  }
  if (problems.length === 0) {
    console.log(`ok    ${check.name}`)
  } else {
    failed += 1
    console.log(`FAIL  ${check.name}: ${problems.length} to correct; ${check.remedy}`)
    for (const problem of problems) console.log(`        ${problem.replaceAll('\n', '\n        ')}`)
  }
}
for (const size of sizes) console.log(`      ${size}`)
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ passed: checks.length - failed, failed }))
process.exitCode = failed === 0 ? 0 : 1
