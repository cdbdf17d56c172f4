// What recording news reads: rows by their keys, whatever else the tables hold, also when Postgres' statistics are older than
// the campaign and say that it has no rows.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database } from '../../../src/db/client.ts'
import type { FeedbackEvent } from '../../../src/feedback/event.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { forgetFeedback } from '../../../src/feedback/retention.ts'
import { deliveryTimeline } from '../../../src/feedback/timeline.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { news, sentCampaign } from './news.ts'

/** Of so few that a look at all of them would be dear all the same; EMK_FEEDBACK_ROWS=1000000 for as many as there may be. */
const SIZE = Number(process.env.EMK_FEEDBACK_ROWS ?? 20_000)
const EVENTS = Number(process.env.EMK_FEEDBACK_EVENTS ?? 20)

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: PlanNode[]
}

let t: TestDatabase
let fresh: { campaign_id: number; subscriber_ids: number[] }
beforeAll(async () => {
  t = await openTestDatabase()
  const fill = [
    `insert into subscribers (email) select 'p' || n || '@example.com' from generate_series(1, $1::int) as n`,
    `insert into deliveries (campaign_id, subscriber_id, batch, state, lease_token)
     select 1000 + n % 3, n, n / 100, 'sent', gen_random_uuid() from generate_series(1, $1::int) as n`,
    `insert into recipient_feedback (campaign_id, subscriber_id, delivered, delivered_at, accepted_at)
     select 1000 + n % 3, n, 1, now(), now() from generate_series(1, $1::int) as n`,
    `insert into recipient_stats (campaign_id, subscriber_id, opens)
     select 1000 + n % 3, n, 1 from generate_series(1, $1::int) as n`,
    `insert into feedback_events (event_id, source, kind, campaign_id, subscriber_id, matched, occurred_at)
     select 'old-' || n, 'ses', 'delivered', 1000 + n % 3, n, true, now() - interval '2 days'
     from generate_series(1, $1::int) as n`,
    `insert into suppressions (kind, value) select 'address', 'gone' || n || '@example.com'
     from generate_series(1, $1::int) as n`,
  ]
  for (const text of fill) await t.sql(text, [SIZE])
  await t.sql('analyze')
  fresh = await sentCampaign(t, 2000)
}, 300_000)
afterAll(() => t.close())

/** The tables that grow with mails and people. */
const LARGE = new Set([
  'subscribers',
  'deliveries',
  'recipient_feedback',
  'recipient_stats',
  'feedback_events',
  'suppressions',
  'list_members',
  'consents',
  'campaign_events',
])

/** Runs the statements of an act. @returns by table, how many rows they looked at, all scans together */
async function rowsRead(act: (db: Database) => Promise<unknown>): Promise<Map<string, number>> {
  const plans: PlanNode[] = []
  const explain = async (query: ReturnType<typeof sql>) => {
    const { rows } = await t.db.execute<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      sql`explain (analyze, format json) ${query}`,
    )
    for (const row of rows) plans.push(...row['QUERY PLAN'].map(({ Plan }) => Plan))
    return { rows: [{ recorded: 0, unmatched: 0, campaigns: [fresh.campaign_id] }] }
  }
  const batch = (queries: Promise<unknown>[]) => Promise.all(queries)
  await act(Object.assign(Object.create(t.db), { execute: explain, batch }) as Database)
  const read = new Map<string, number>()
  const visit = (node: PlanNode) => {
    const table = node['Relation Name']
    if (table && LARGE.has(table) && / Scan$/.test(node['Node Type'])) {
      const seen =
        node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
      read.set(table, (read.get(table) ?? 0) + seen * node['Actual Loops'])
    }
    node.Plans?.forEach(visit)
  }
  plans.forEach(visit)
  expect(plans.length).toBeGreaterThan(0)
  return read
}

const some = (kind: FeedbackEvent['kind'], from: number) =>
  fresh.subscriber_ids.slice(from, from + EVENTS).map((id) => news(kind, fresh.campaign_id, id))

test.each(['delivered', 'hard_bounce', 'soft_bounce', 'complaint'] as const)(
  '%s: nothing is looked at but what it is about',
  async (kind) => {
    for (const count of [1, EVENTS]) {
      const events = some(kind, 0).slice(0, count)
      const read = await rowsRead((db) => recordFeedback(db, events))
      expect(read.size).toBeGreaterThan(0)
      for (const [table, rows] of read) expect(rows, `${table}, ${count} events`).toBeLessThanOrEqual(count * 8)
    }
  },
)

test('one timeline, and a slice of what is forgotten', async () => {
  const [id] = fresh.subscriber_ids
  const read = await rowsRead((db) => deliveryTimeline(db, fresh.campaign_id, id as number))
  for (const [table, rows] of read) expect(rows, table).toBeLessThanOrEqual(20)
  const forgotten = await rowsRead((db) => forgetFeedback(db, Number.POSITIVE_INFINITY, () => new Date()))
  for (const [table, rows] of forgotten) expect(rows, table).toBeLessThanOrEqual(20)
})
