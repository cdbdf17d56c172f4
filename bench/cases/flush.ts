// Buffered events from Redis into Postgres: as cron does it, judged and with every counter, against the same lines inserted
// into the same table and nothing else.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { redisEngines, startRedis } from '../../local/redis.ts'
import type { Database } from '../../src/db/client.ts'
import { drainEvents } from '../../src/events/drain.ts'
import { ensurePartitions } from '../../src/events/partitions.ts'
import { connectRedis, type Redis } from '../../src/redis/client.ts'
import { type RedisKeys, redisKeys } from '../../src/redis/keys.ts'
import type { TrackingEvent } from '../../src/tracking/event.ts'
import { type BenchDatabase, startDatabase } from '../database.ts'
import { type Findings, median, spread } from '../result.ts'
import type { Options } from '../run.ts'
import { CAMPAIGN, writeLedger } from '../traces/judged.ts'
import { lineOf } from '../traces/lines.ts'
import { mailing } from '../traces/mailing.ts'

const SEED = 7
const SLICE = 5000
/** Lines a command when the buffer is filled. */
const FILL = 500

export async function benchFlush({ recipients, rounds, say }: Options): Promise<Findings> {
  const dir = mkdtempSync(join(tmpdir(), 'emk-bench-'))
  const ends: (() => Promise<void> | void)[] = [() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 })]
  try {
    const database = await startDatabase(dir, { durable: true })
    ends.push(database.stop)
    const engine = redisEngines()[0] ?? 'built-in'
    const upstash = await startRedis({ dir: join(dir, 'redis'), engine, token: 'bench' })
    ends.push(upstash.stop)
    const redis = connectRedis(upstash.url, 'bench')
    const keys = redisKeys('')

    const now = new Date()
    // The last event has just happened.
    const trace = mailing(recipients, SEED)
    const start = new Date(now.getTime() - (trace.requests.at(-1)?.at ?? 0))
    const lines = trace.requests.map((request) =>
      lineOf(request, { campaign_id: CAMPAIGN, event_id: crypto.randomUUID(), start }),
    )
    await ensurePartitions(database.db, now)
    await writeLedger(database.db, trace, start)
    say(`${lines.length} events of ${recipients} recipients`)

    const rates = { ours: [] as number[], plain: [] as number[] }
    for (let round = 0; round <= rounds; round++) {
      const ours = await timed(database, redis, keys, lines, () => drain(database.db, redis, keys, lines.length))
      const plain = await timed(database, redis, keys, lines, () => insertAll(database.db, redis, keys))
      // The first round warms up.
      if (round === 0) continue
      rates.ours.push((lines.length / ours) * 1000)
      rates.plain.push((lines.length / plain) * 1000)
      say(
        `round ${round}: ours ${Math.round(rates.ours.at(-1) ?? 0)}/s, plain ${Math.round(rates.plain.at(-1) ?? 0)}/s`,
      )
    }
    return {
      rows: [
        { name: 'ours: judged, with every counter', value: median(rates.ours), unit: 'events/s' },
        { name: 'limit: the same lines, inserted', value: median(rates.plain), unit: 'events/s' },
      ],
      ratios: { vs_plain_insert: median(rates.ours) / median(rates.plain) },
      notes: [
        `${lines.length} events of one mailing to ${recipients} recipients, a good part of them scanners', read from Redis (${engine}) in slices of ${SLICE} and written through Neon's HTTP protocol to a Postgres that forces commits to the disk; median of ${rounds} rounds in turn, every event found in SQL.`,
        `Spread of the rounds (largest less smallest): ours ${Math.round(spread(rates.ours) * 100)} %, plain ${Math.round(spread(rates.plain) * 100)} %.`,
      ],
    }
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

/** Ms of a way to write the lines, each time into empty tables. */
async function timed(
  { sql: query }: BenchDatabase,
  redis: Redis,
  keys: RedisKeys,
  lines: readonly string[],
  write: () => Promise<unknown>,
): Promise<number> {
  await query(`truncate campaign_events, recipient_stats, campaign_stats, campaign_hourly, campaign_breakdown,
    subscriber_activity, subscriber_days`)
  await query('checkpoint')
  const [list = keys.events] = keys.event_shards
  for (let at = 0; at < lines.length; at += FILL) await redis.rpush(list, ...lines.slice(at, at + FILL))
  const began = performance.now()
  await write()
  const ms = performance.now() - began
  const { rows } = await query<{ events: number }>('select count(*)::int as events from campaign_events')
  const written = rows[0]?.events
  if (written !== lines.length) throw new Error(`${written} of ${lines.length} events are in SQL`)
  return ms
}

async function drain(db: Database, redis: Redis, keys: RedisKeys, events: number): Promise<void> {
  const until = Number.POSITIVE_INFINITY
  const counts = await drainEvents(db, redis, keys, { until, now: () => new Date(), onFlushed: async () => {} })
  if (counts.inserted !== events || !counts.complete) throw new Error(`the drain says ${JSON.stringify(counts)}`)
}

async function insertAll(db: Database, redis: Redis, keys: RedisKeys): Promise<void> {
  const [list = keys.events] = keys.event_shards
  for (let at = 0; ; at += SLICE) {
    const lines = await redis.lrange(list, at, at + SLICE - 1)
    if (lines.length === 0) break
    const events = lines.map((line) => JSON.parse(line) as TrackingEvent)
    const column = (key: keyof TrackingEvent) => sql.param(events.map((event) => event[key]))
    await db.execute(sql`
      insert into campaign_events (
        event_id, occurred_at, kind, campaign_id, subscriber_id, link, verdict, reason, rules, method, asn, agent, country,
        region, device, client
      )
      select * from unnest(
        ${column('event_id')}::text[], ${column('occurred_at')}::timestamptz[], ${column('kind')}::text[],
        ${column('campaign_id')}::bigint[], ${column('subscriber_id')}::bigint[], ${column('link')}::int[],
        ${column('verdict')}::text[], ${column('reason')}::text[], ${column('rules')}::smallint[],
        ${column('method')}::text[], ${column('asn')}::bigint[], ${column('agent')}::text[], ${column('country')}::text[],
        ${column('region')}::text[], ${column('device')}::text[], ${column('client')}::text[]
      ) on conflict do nothing`)
  }
  await redis.del(list)
}
