// A CSV file through the API as `npm run import` sends it, by the bundle that is deployed, in workerd itself; against COPY of
// the very rows it wrote into the same tables with the same indexes.
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { redisEngines, startRedis } from '../../local/redis.ts'
import { importFile, type Summary } from '../../scripts/import-file.ts'
import { subscribersCsv } from '../../scripts/make-subscribers.ts'
import { newApiKey } from '../../src/auth/key.ts'
import {
  DEVELOPMENT_BOOTSTRAP_SECRET,
  DEVELOPMENT_HASH_KEY,
  DEVELOPMENT_SIGNING_KEYS,
} from '../../src/tokens/development.ts'
import { type BenchDatabase, startDatabase } from '../database.ts'
import { type HeapWatch, watchHeap } from '../heap.ts'
import { ourWorkerds, usageOf } from '../processes.ts'
import { type Findings, median } from '../result.ts'
import type { Options } from '../run.ts'
import { bundleWorker, serveWorker } from '../workerd.ts'

/** Bytes of one part, as `npm run import` sends them. */
const PART = 8_000_000
/** MB that Cloudflare gives an isolate: V8 is held to it, and gives up when it does not suffice. */
const MEMORY = 128
const TABLES = ['subscribers', 'list_members', 'consents'] as const
type Table = (typeof TABLES)[number]

interface Round {
  /** In ms. */
  ours: number
  again: number
  copy: Record<Table, number>
  /** CPU of workerd for the first import, in ms; null where it cannot be told. */
  cpu: number | null
  /** Bytes. */
  heap: number
  resident: number | null
}

export async function benchImport({ recipients: people, rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const ends: (() => Promise<void> | void)[] = [() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 })]
  try {
    say('bundling')
    const script = await bundleWorker('wrangler.toml', dir)
    const file = join(dir, 'people.csv')
    await pipeline(Readable.from(subscribersCsv(people)), createWriteStream(file))
    const { size } = statSync(file)
    const database = await startDatabase(dir, { durable: true })
    ends.push(database.stop)
    const engine = redisEngines()[0] ?? 'built-in'
    const upstash = await startRedis({ dir: join(dir, 'redis'), engine, token: 'bench' })
    ends.push(upstash.stop)
    const bindings = {
      ENVIRONMENT: 'development',
      ...{ DATABASE_URL: database.url, NEON_PROXY: database.proxy },
      ...{ UPSTASH_REDIS_REST_URL: upstash.url, UPSTASH_REDIS_REST_TOKEN: 'bench', REDIS_PREFIX: '' },
      ...{ SIGNING_KEYS: DEVELOPMENT_SIGNING_KEYS, HASH_KEY: DEVELOPMENT_HASH_KEY },
      ...{ BOOTSTRAP_SECRET: DEVELOPMENT_BOOTSTRAP_SECRET, PUBLIC_URL: '', TRACKING_URL: '' },
      ...{ RECIPIENT_ALLOWLIST: '', MAIL_DOMAIN: '', LINK_HOSTS: '', SNS_TOPICS: '', SENDGRID_WEBHOOK_KEYS: '' },
      ...{ SENDING: 'off', EVENT_RETENTION_DAYS: '395', TURNSTILE_SITE_KEY: '', TURNSTILE_SECRET: '' },
    }
    const found: Round[] = []
    for (let round = 1; round <= rounds; round++) {
      await empty(database)
      const api_key = await makeKey(database)
      const server = await serveWorker({ script, bindings, heap: MEMORY })
      const heap = await watchHeap(server.inspector_url)
      const workerds = ourWorkerds()
      try {
        const once = () => importFile({ file, api_url: server.url, api_key, list: 'Everyone', part: PART })
        const before = usageOf(workerds)
        const first = await timed(once)
        const after = usageOf(workerds)
        check(first.result, { rows: people, created: people })
        const cpu = before && after && after.cpu_ms - before.cpu_ms
        const [peak, resident] = [heap.peak(), peakResident(workerds)]
        const again = await timed(once)
        check(again.result, { rows: people, unchanged: people })
        await counted(database, people)
        const copy = await copyBack(database)
        found.push({ ours: first.ms, again: again.ms, copy, cpu, heap: peak, resident })
      } finally {
        await stopAll(heap, server)
      }
      const { ours, copy } = found.at(-1) as Round
      say(`round ${round}: ours ${rate(people, ours)}/s, copy of subscribers ${rate(people, copy.subscribers)}/s`)
    }
    return findings(found, people, size)
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

const rate = (people: number, ms: number) => Math.round((people / ms) * 1000)

function findings(found: readonly Round[], people: number, size: number): Findings {
  const of = (ms: (round: Round) => number) => median(found.map(ms))
  const perSecond = (ms: (round: Round) => number) => (people / of(ms)) * 1000
  const whole = ({ copy }: Round) => copy.subscribers + copy.list_members + copy.consents
  const cpu = found.flatMap((round) => round.cpu ?? [])
  const resident = found.flatMap((round) => round.resident ?? [])
  return {
    rows: [
      { name: 'ours: people, memberships and consents', value: perSecond(({ ours }) => ours), unit: 'rows/s' },
      { name: 'ours, the same file again', value: perSecond(({ again }) => again), unit: 'rows/s' },
      { name: 'limit: COPY into subscribers', value: perSecond(({ copy }) => copy.subscribers), unit: 'rows/s' },
      { name: 'COPY into list_members as well adds', value: of(({ copy }) => copy.list_members / 1000), unit: 's' },
      { name: 'COPY into consents as well adds', value: of(({ copy }) => copy.consents / 1000), unit: 's' },
      { name: 'limit: COPY into all three', value: perSecond(whole), unit: 'rows/s' },
      { name: 'heap of the isolate at the most', value: Math.max(...found.map(({ heap }) => heap)) / 1e6, unit: 'MB' },
      ...(resident.length > 0
        ? [{ name: 'memory of workerd as a whole, at the most', value: Math.max(...resident) / 1e6, unit: 'MB' }]
        : []),
      ...(cpu.length > 0
        ? [{ name: 'CPU of workerd per 8 MB part', value: (median(cpu) * PART) / size, unit: 'ms' }]
        : []),
    ],
    ratios: {
      vs_copy: of(({ copy }) => copy.subscribers) / of(({ ours }) => ours),
      vs_copy_of_all_three: of(whole) / of(({ ours }) => ours),
    },
    notes: [
      `A file of ${people} people (${Math.round(size / 1e6)} MB, 13 columns, every one with a list and a consent) in parts of 8 MB through the API of the deployed bundle, run by workerd alone, to a Postgres that forces commits to the disk; median of ${found.length} rounds, every row found in SQL. Everything ran on one computer.`,
      'COPY had the very rows that ours had written, from a file on the server, into the same emptied tables with all their indexes and foreign keys: nothing is checked, decided or counted there.',
    ],
  }
}

const empty = async ({ sql }: BenchDatabase) => {
  await sql(`truncate ${TABLES.join(', ')}, imports, mailing_lists, api_keys restart identity cascade`)
  await sql('vacuum analyze')
  await sql('checkpoint')
}

async function makeKey({ sql }: BenchDatabase): Promise<string> {
  const { key, prefix, hash } = await newApiKey(crypto.getRandomValues(new Uint8Array(32)))
  await sql('insert into api_keys (name, prefix, hash, scopes) values ($1, $2, $3, $4)', [
    'bench',
    prefix,
    hash,
    ['read', 'write'],
  ])
  return key
}

async function timed<T>(act: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const began = performance.now()
  const result = await act()
  return { ms: performance.now() - began, result }
}

function check(it: Summary, expected: Partial<Summary>): void {
  for (const [name, value] of Object.entries({ status: 'finished', ...expected })) {
    const found = it[name as keyof Summary]
    if (found !== value) throw new Error(`the import says ${name} ${found}, not ${value}: ${JSON.stringify(it)}`)
  }
}

async function counted({ sql }: BenchDatabase, people: number): Promise<void> {
  for (const table of TABLES) {
    const { rows } = await sql<{ n: number }>(`select count(*)::int as n from ${table}`)
    if (rows[0]?.n !== people) throw new Error(`${rows[0]?.n} rows in ${table}, not ${people}`)
  }
}

/** What was written, out to files of the server and into the emptied tables again. @returns ms of the way in */
async function copyBack({ sql, data_dir }: BenchDatabase): Promise<Record<Table, number>> {
  const path = (table: Table) => join(data_dir, `${table}.copy`)
  for (const table of TABLES) await sql(`copy (select * from ${table} order by 1, 2) to '${path(table)}'`)
  await sql(`truncate ${TABLES.join(', ')} cascade`)
  await sql('vacuum analyze')
  await sql('checkpoint')
  const ms = { subscribers: 0, list_members: 0, consents: 0 }
  for (const table of TABLES) ms[table] = (await timed(() => sql(`copy ${table} from '${path(table)}'`))).ms
  return ms
}

/** In bytes. */
function peakResident(pids: readonly number[]): number | null {
  try {
    const kilobytes = pids.map((pid) => /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    return pids.length > 0 ? kilobytes.reduce((sum, one) => sum + Number(one) * 1024, 0) : null
  } catch {
    return null
  }
}

async function stopAll(heap: HeapWatch, server: { stop(): Promise<void> }): Promise<void> {
  heap.stop()
  await server.stop()
}
