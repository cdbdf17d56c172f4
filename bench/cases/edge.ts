// A reader's click or pixel: the tracking bundle as it is deployed, with its event written to Redis, against a Worker
// that answers with a constant. Both in workerd itself, fresh for every measurement: one that has run at its limit
// stays slower afterwards.
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
import { type Findings, median, spread } from '../result.ts'
import type { Options } from '../run.ts'
import { bundleWorker, type Served, serveWorker } from '../workerd.ts'

const CONNECTIONS = 32
const WARM_UP = 3000
const REQUESTS = 20_000
/** Different tokens among the requests. */
const RECIPIENTS = 1000
const TARGET = 'https://harbour.example/articles/oak-and-salt?utm_source=letter&utm_medium=email'
/** Every event is in Redis this long after the last answer, in ms. */
const SETTLING = 20_000

export const benchClick = (options: Options) => benchEdge('click', options)
export const benchOpen = (options: Options) => benchEdge('open', options)

async function benchEdge(kind: 'click' | 'open', { rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const ends: (() => Promise<void> | void)[] = [() => rmSync(dir, { recursive: true, force: true })]
  try {
    say('bundling')
    const scripts = {
      ours: await bundleWorker('wrangler.tracking.toml', dir),
      bare: await bundleWorker('bench/rivals/bare-worker.ts', dir),
    }
    const token = 'bench'
    const engine = redisEngines()[0] ?? 'built-in'
    const upstash = await startRedis({ dir: join(dir, 'redis'), engine, token })
    ends.push(upstash.stop)
    const redis = connectRedis(upstash.url, token)
    const bindings = {
      ours: {
        ENVIRONMENT: 'development',
        SIGNING_KEYS: DEVELOPMENT_SIGNING_KEYS,
        UPSTASH_REDIS_REST_URL: upstash.url,
        UPSTASH_REDIS_REST_TOKEN: token,
        REDIS_PREFIX: '',
      },
      bare: { LOCATION: TARGET },
    }
    const paths = await signedPaths(kind)
    const expected: Expected =
      kind === 'click'
        ? { status: 302, header: `location: ${TARGET}` }
        : { status: 200, header: 'content-type: image/gif' }

    const rates = { ours: [] as number[], bare: [] as number[] }
    for (let round = 1; round <= rounds; round++) {
      for (const name of ['ours', 'bare'] as const) {
        const server = await serveWorker({ script: scripts[name], bindings: bindings[name] })
        try {
          await put(server, { paths, requests: WARM_UP, expected })
          const ms = await put(server, { paths, requests: REQUESTS, expected })
          rates[name].push((REQUESTS / ms) * 1000)
          if (name === 'ours') await recorded(redis, WARM_UP + REQUESTS)
        } finally {
          await server.stop()
        }
      }
      say(`round ${round}: ours ${Math.round(rates.ours.at(-1) ?? 0)}/s, bare ${Math.round(rates.bare.at(-1) ?? 0)}/s`)
    }
    return {
      rows: [
        { name: `ours, tokens verified, event to Redis`, value: median(rates.ours), unit: 'requests/s' },
        { name: 'limit: a Worker that answers a constant', value: median(rates.bare), unit: 'requests/s' },
      ],
      ratios: { vs_bare: median(rates.ours) / median(rates.bare) },
      notes: [
        `${REQUESTS} requests over ${CONNECTIONS} connections to workerd on loopback, every answer checked, every event found in Redis (${engine}); median of ${rounds} rounds in turn.`,
        `Spread of the rounds (largest less smallest): ours ${Math.round(spread(rates.ours) * 100)} %, bare ${Math.round(spread(rates.bare) * 100)} %.`,
      ],
    }
  } finally {
    for (const end of ends.reverse()) await end()
  }
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

/** @returns ms; @throws when an answer was wrong */
async function put(server: Served, load: Pick<LoadOrder, 'paths' | 'requests' | 'expected'>): Promise<number> {
  const child: ChildProcess = fork(fileURLToPath(new URL('../load.ts', import.meta.url)))
  try {
    const report = await new Promise<LoadReport>((resolve, reject) => {
      child.once('message', (message) => resolve(message as LoadReport))
      child.once('exit', () => reject(new Error('the load ended')))
      child.send({ ...load, port: Number(new URL(server.url).port), connections: CONNECTIONS } satisfies LoadOrder)
    })
    if (report.wrong > 0) throw new Error(`${report.wrong} answers were wrong, the first:\n${report.example}`)
    return report.ms
  } finally {
    child.removeAllListeners('exit')
    child.disconnect()
  }
}

/** Waits until Redis has the event of every request, and forgets them. */
async function recorded(redis: ReturnType<typeof connectRedis>, requests: number): Promise<void> {
  const { event_shards } = redisKeys('')
  for (const end = Date.now() + SETTLING; ; await sleep(100)) {
    const lengths = await Promise.all(event_shards.map((list) => redis.llen(list)))
    const events = lengths.reduce((sum, length) => sum + length)
    if (events === requests) break
    if (events > requests || Date.now() > end) throw new Error(`Redis has ${events} events of ${requests} requests`)
  }
  await redis.del(...event_shards)
}
