// Workers killed with SIGKILL in the middle of a campaign, over a Postgres and a Redis that go away, to a mail server that
// has bad days. `npm run bench -- crash` does the same for longer, with 20 kills, and over Amazon SES too.
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApiKey } from '../../local/api-key.ts'
import { workerBindings } from '../support/bindings.ts'
import { CONNECTIONS, GROUP, type Ground, runCrash } from '../support/crash.ts'
import { judgeCrash } from '../support/crash-verdict.ts'
import { type Cable, layCable } from '../support/cut.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import type { JournalLine } from '../support/mail-journal.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'

let database: TestDatabase
let redis: TestRedis
let cables: { postgres: Cable; redis: Cable }
const dir = mkdtempSync(join(tmpdir(), 'emk-crash-'))
beforeAll(async () => {
  database = await openTestDatabase()
  redis = openTestRedis()
  cables = { postgres: await layCable(database.proxy), redis: await layCable(new URL(redis.url).host) }
})
afterAll(async () => {
  await cables?.postgres.close()
  await cables?.redis.close()
  await redis?.close()
  await database?.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
})

async function ground(): Promise<Ground> {
  const redis_url = `http://${cables.redis.host}`
  const cut = (name: string, cable: Cable) => ({ name: `${name} cut off`, begin: cable.cut, end: cable.mend })
  return {
    dir,
    bindings: {
      ...workerBindings({
        neon: cables.postgres.host,
        redis: [{ engine: 'redis-server', url: redis_url, token: redis.token }],
      }),
      DATABASE_URL: database.url,
      REDIS_PREFIX: redis.prefix,
    },
    api_key: await createApiKey(database.url, 'test'),
    sql: database.sql,
    cuts: [cut('Postgres', cables.postgres), cut('Redis', cables.redis)],
    deaths: [],
  }
}

test('nobody is lost and nobody is mailed twice when the Workers are killed three times, Postgres and Redis go away, and the mail server greylists, ends sessions and keeps answers back', {
  timeout: 240_000,
}, async () => {
  const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31))
  const said: string[] = []
  const options = { provider: 'smtp' as const, recipients: 600, kills: 3, outages: 2, outage_ms: 1200, pace: 100, seed }
  const report = await runCrash(await ground(), { ...options, say: (line) => said.push(line) })
  const { faults, lost, doubled, kills, kills_in_flight, sent, failed, unconfirmed, unanswered } = report
  const context = `CRASH_SEED=${seed}\n${said.join('\n')}`
  expect(faults, context).toEqual([])
  expect({ lost, doubled, kills }, context).toEqual({ lost: 0, doubled: 0, kills: 3 })
  expect(sent + failed + unconfirmed, context).toBe(600)
  expect(unconfirmed, context).toBeLessThanOrEqual(kills * CONNECTIONS * GROUP + unanswered)
  expect(unconfirmed, context).toBeLessThan(600 * 0.05)
  expect(kills_in_flight, context).toBeGreaterThan(0)
})

test('the verdict finds who was lost, mailed twice, mailed in somebody’s place, refused without a refusal', () => {
  const people = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const states = ['sent', 'sent', 'sent', 'failed', 'pending', 'failed']
  const ledger = states.map((state, i) => ({ subscriber_id: i + 1, email: people[i] ?? '', state }))
  const took = (to: string, id: string): JournalLine => ({ what: 'taken', to, id })
  const journal = [took('b', '7.2'), took('b', '7.2'), took('c', '7.1'), took('d', '7.4'), took('z', '7.9')]
  const verdict = judgeCrash(7, people, ledger, [...journal, { what: 'refused', to: 'f', id: '' }])
  expect(verdict).toMatchObject({ lost: 3, doubled: 1, states: { sent: 3, failed: 2, pending: 1 } })
  expect(verdict.faults).toEqual([
    'c got the mail of somebody else: 7.1',
    'z was mailed and is in no row',
    'a is sent and was not taken',
    'd is failed and was taken',
    'd is failed and was not refused',
    'e is pending in the end',
    'g has no row',
    '6 rows for 7 recipients',
    'b was taken 2 times',
  ])
})
