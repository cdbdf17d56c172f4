// A reader's click or pixel: the tracking bundle as it is deployed, with its events written to Redis, against a Worker that
// answers with a constant, against itself with a key whose visits are not recorded, and against one that writes each event
// by a command of its own. All in workerd itself, fresh for every measurement: one that has run at its limit stays slower
// afterwards.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { redisEngines, startRedis } from '../../local/redis.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { redisKeys } from '../../src/redis/keys.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { signLink } from '../../src/tokens/link.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { clickBase, openUrl } from '../../src/tokens/urls.ts'
import type { Expected, LoadOrder, LoadReport } from '../load.ts'
import { ourWorkerds, usageOf } from '../processes.ts'
import { type Findings, median, spread } from '../result.ts'
import type { Options } from '../run.ts'
import { bundleWorker, type Served, serveWorker } from '../workerd.ts'

const CONNECTIONS = 32
const WARM_UP = 3000
const REQUESTS = 20_000
/** Different tokens among the requests. */
const RECIPIENTS = 1000
const TARGET = 'https://harbour.example/articles/oak-and-salt?utm_source=letter&utm_medium=email'
/** Requests a second at which answers are timed, and for how many seconds. */
const RATES = [500, 2000] as const
const TIMED = 3
/** No event comes for so long: no more will. In ms. */
const SETTLING = 20_000

const WAYS = {
  ours: 'ours, events to Redis',
  alone: 'ours, nothing recorded',
  bare: 'limit: a Worker that answers a constant',
  one_command: 'a command for each event',
} as const
type Way = keyof typeof WAYS
const isWay = (name: string): name is Way => name in WAYS

interface Measured {
  /** Requests a second with every connection busy. */
  full: number
  /** Of workerd, in microseconds a request; null where it cannot be told. */
  cpu: number | null
  /** At each of the rates, in ms. */
  timed: { p50: number; p99: number }[]
}

export const benchClick = (options: Options) => benchEdge('click', options)
export const benchOpen = (options: Options) => benchEdge('open', options)

async function benchEdge(kind: 'click' | 'open', { rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const ends: (() => Promise<void> | void)[] = [() => rmSync(dir, { recursive: true, force: true })]
  try {
    say('bundling')
    const ours = await bundleWorker('wrangler.tracking.toml', dir)
    const scripts = {
      ours,
      alone: ours,
      bare: await bundleWorker('bench/rivals/bare-worker.ts', dir),
      one_command: await bundleWorker('bench/rivals/one-command-worker.ts', dir),
    }
    const token = 'bench'
    const engine = redisEngines()[0] ?? 'built-in'
    const upstash = await startRedis({ dir: join(dir, 'redis'), engine, token })
    ends.push(upstash.stop)
    const redis = connectRedis(upstash.url, token)
    const recording = {
      ENVIRONMENT: 'development',
      SIGNING_KEYS: DEVELOPMENT_SIGNING_KEYS,
      UPSTASH_REDIS_REST_URL: upstash.url,
      UPSTASH_REDIS_REST_TOKEN: token,
      REDIS_PREFIX: '',
    }
    const bindings = {
      ours: recording,
      alone: { ...recording, SIGNING_KEYS: retired(DEVELOPMENT_SIGNING_KEYS) },
      bare: { LOCATION: TARGET },
      one_command: recording,
    }
    const paths = await signedPaths(kind)
    const expected: Expected =
      kind === 'click'
        ? { status: 302, header: `location: ${TARGET}` }
        : { status: 200, header: 'content-type: image/gif' }

    const measure = async (way: Way): Promise<Measured> => {
      const server = await serveWorker({ script: scripts[way], bindings: bindings[way] })
      try {
        await put(server, { paths, requests: WARM_UP, expected })
        const timed = []
        for (const rate of RATES) timed.push(await put(server, { paths, requests: rate * TIMED, expected, rate }))
        const workerds = ourWorkerds()
        const before = usageOf(workerds)
        const { ms } = await put(server, { paths, requests: REQUESTS, expected })
        const after = usageOf(workerds)
        const cpu = before && after && ((after.cpu_ms - before.cpu_ms) * 1000) / REQUESTS
        const requests = WARM_UP + REQUESTS + RATES.reduce((sum, rate) => sum + rate * TIMED, 0)
        await recorded(redis, way === 'ours' || way === 'one_command' ? requests : 0)
        return { full: (REQUESTS / ms) * 1000, cpu, timed }
      } finally {
        await server.stop()
      }
    }

    const found: Record<Way, Measured[]> = { ours: [], alone: [], bare: [], one_command: [] }
    for (let round = 1; round <= rounds; round++) {
      for (const way of Object.keys(WAYS).filter(isWay)) found[way].push(await measure(way))
      const full = Object.entries(found).map(([way, all]) => `${way} ${Math.round(all.at(-1)?.full ?? 0)}/s`)
      say(`round ${round}: ${full.join(', ')}`)
    }
    return findings(found, rounds, engine)
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

function findings(found: Record<Way, Measured[]>, rounds: number, engine: string): Findings {
  const of = (way: Way, what: (measured: Measured) => number) => median(found[way].map(what))
  const full = (way: Way) => of(way, (measured) => measured.full)
  const spreadOf = (way: Way) => Math.round(spread(found[way].map((measured) => measured.full)) * 100)
  const ways = Object.keys(WAYS).filter(isWay)
  const times = RATES.flatMap((rate, n) =>
    ways.flatMap((way) =>
      (['p50', 'p99'] as const).map((share) => ({
        name: `${share} at ${rate}/s: ${WAYS[way]}`,
        value: of(way, ({ timed }) => timed[n]?.[share] ?? 0),
        unit: 'ms',
      })),
    ),
  )
  const cpuOf = (way: Way) => of(way, (measured) => measured.cpu ?? 0)
  const cpu = ways
    .map((way) => ({ name: `CPU: ${WAYS[way]}`, value: cpuOf(way), unit: 'µs/request' }))
    .filter(({ value }) => value > 0)
  return {
    rows: [...ways.map((way) => ({ name: WAYS[way], value: full(way), unit: 'requests/s' })), ...cpu, ...times],
    ratios: {
      vs_bare: full('alone') / full('bare'),
      vs_one_command: full('ours') / full('one_command'),
      vs_bare_recording: full('ours') / full('bare'),
      ...(cpuOf('alone') > 0 ? { vs_bare_cpu: cpuOf('bare') / cpuOf('alone') } : {}),
    },
    notes: [
      `${REQUESTS} requests over ${CONNECTIONS} connections to workerd on loopback, every answer checked, every event found in Redis (${engine}); median of ${rounds} rounds in turn. Load, workerd, Redis and its HTTP endpoint share the same cores: what is recorded takes time from what answers.`,
      '"Nothing recorded" is the same bundle with its key as `redirect-only`: both halves are verified, nothing is written. vs_bare is that against the constant, vs_bare_cpu the same by workerd’s CPU time, which other programs on the computer hardly touch. vs_one_command is with recording, against the same code without gathering, which answers when its event is in Redis.',
      `Timed for ${TIMED} s at each rate, from the moment a request was due.`,
      `Spread of the rounds (largest less smallest): ${ways.map((way) => `${way} ${spreadOf(way)} %`).join(', ')}.`,
    ],
  }
}

/** The same key, whose tokens still redirect and are not recorded, beside one that signs. */
function retired(keys: string): string {
  const [id = '', , secret = ''] = keys.split(',')[0]?.split(':') ?? []
  const other = Buffer.alloc(32, 7).toString('base64url')
  return `${(Number(id) + 1) % 256}:signing:${other},${id}:redirect-only:${secret}`
}

async function signedPaths(kind: 'click' | 'open'): Promise<string[]> {
  const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
  const half = await signLink(keys, 1, 1, TARGET)
  return Promise.all(
    Array.from({ length: RECIPIENTS }, async (_, n) => {
      const signed = await signRecipient(keys, kind, 1, n + 1)
      return kind === 'open' ? openUrl('', signed) : `${clickBase('', signed)}/${half}`
    }),
  )
}

/** @throws when an answer was wrong */
async function put(
  server: Served,
  load: Pick<LoadOrder, 'paths' | 'requests' | 'expected' | 'rate'>,
): Promise<LoadReport> {
  const child: ChildProcess = fork(fileURLToPath(new URL('../load.ts', import.meta.url)))
  try {
    const report = await new Promise<LoadReport>((resolve, reject) => {
      child.once('message', (message) => resolve(message as LoadReport))
      child.once('exit', () => reject(new Error('the load ended')))
      child.send({ ...load, port: Number(new URL(server.url).port), connections: CONNECTIONS } satisfies LoadOrder)
    })
    if (report.wrong > 0) throw new Error(`${report.wrong} answers were wrong, the first:\n${report.example}`)
    return report
  } finally {
    child.removeAllListeners('exit')
    child.disconnect()
  }
}

/** Waits until Redis has the event of every request, and forgets them. */
async function recorded(redis: ReturnType<typeof connectRedis>, requests: number): Promise<void> {
  const { event_shards } = redisKeys('')
  let seen = 0
  for (let end = Date.now() + SETTLING; ; await sleep(100)) {
    const lengths = await Promise.all(event_shards.map((list) => redis.llen(list)))
    const events = lengths.reduce((sum, length) => sum + length)
    if (events === requests) break
    if (events > requests || Date.now() > end) throw new Error(`Redis has ${events} events of ${requests} requests`)
    if (events > seen) end = Date.now() + SETTLING
    seen = events
  }
  await redis.del(...event_shards)
}
