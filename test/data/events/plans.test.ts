// What a flush reads when there is much: not the rows that are there, but those of the recipients it is about.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { flushEvents } from '../../../src/events/flush.ts'
import { ensurePartitions } from '../../../src/events/partitions.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { AT, event } from './events.ts'

/** It reads as many with 1,000,000. */
const EVENTS = 200_000
const CAMPAIGNS = 50
const PEOPLE = EVENTS / CAMPAIGNS / 2

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
beforeAll(async () => {
  t = await openTestDatabase()
  await ensurePartitions(t.db, new Date(AT))
  await t.sql(`insert into subscribers (email) select 'p' || i || '@example.com' from generate_series(1, $1::int) i`, [
    PEOPLE,
  ])
  await t.sql(
    `insert into deliveries (campaign_id, subscriber_id, batch, state, sent_at)
     select c, i, i / 100, 'sent', $3::timestamptz - interval '20 s'
     from generate_series(1, $1::int) c, generate_series(1, $2::int) i`,
    [CAMPAIGNS, PEOPLE, AT],
  )
  await t.sql(
    `insert into campaign_events (event_id, occurred_at, kind, campaign_id, subscriber_id, link, verdict, asn, agent, since_sent)
     select 'e' || i, $2::timestamptz - i % 90 * interval '1 h', case when i % 5 = 0 then 'click' else 'open' end,
       1 + i % $3::int, 1 + i / $3::int % $4::int, case when i % 5 = 0 then 1 else 0 end, 'human', i % 20, 'chrome', 20
     from generate_series(1, $1::int) i`,
    [EVENTS, AT, CAMPAIGNS, PEOPLE],
  )
  await t.sql(
    `insert into recipient_stats (campaign_id, subscriber_id, opens, clicks)
     select campaign_id, subscriber_id, count(*), 2 from campaign_events group by 1, 2`,
  )
  await t.sql('analyze')
})
afterAll(() => t.close())

test('a flush, its judging and the verdicts it changes read rows in proportion to what they write', async () => {
  const plans: PlanNode[] = []
  type Statement = { getQuery(): { sql: string; params: unknown[] } }
  const batch = async (statements: Statement[]) => {
    for (const statement of statements) {
      const query = statement.getQuery()
      const rows = await t.sql(`explain (analyze, format json) ${query.sql}`, query.params)
      for (const row of rows) plans.push(...(row['QUERY PLAN'] as { Plan: PlanNode }[]).map(({ Plan }) => Plan))
    }
    return await t.db.batch(statements as unknown as Parameters<typeof t.db.batch>[0])
  }
  const events = Array.from({ length: 500 }, (_, i) =>
    event('click', 1 + (i % 2), 1 + (i % 100), {
      link: 1 + Math.floor(i / 100),
      occurred_at: new Date(Date.parse(AT) + (i % 7) * 50).toISOString(),
      asn: 3,
      agent: 'chrome',
    }),
  )
  await flushEvents(Object.assign(Object.create(t.db), { batch }) as typeof t.db, events)
  const [{ n } = {}] = await t.sql(`select count(*)::int as n from campaign_events where verdict = 'machine'`)
  expect(n).toBeGreaterThan(500)

  const read = new Map<string, number>()
  const count = (node: PlanNode): void => {
    const table = node['Relation Name']?.replace(/_2026_\d\d$|_default$/, '')
    if (table && / Scan$/.test(node['Node Type'])) {
      const seen =
        node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
      read.set(table, (read.get(table) ?? 0) + seen * node['Actual Loops'])
    }
    for (const child of node.Plans ?? []) count(child)
  }
  for (const plan of plans) count(plan)
  expect([...read.keys()]).toEqual(expect.arrayContaining(['campaign_events', 'deliveries', 'recipient_stats']))
  // The counters have a few rows for each campaign, hour, link and kind.
  const small = /^(campaign_(stats|hourly|breakdown)|campaigns|mailing_lists|consents|list_members)$/
  const large = [...read].filter(([table, rows]) => !small.test(table) && rows > 40_000)
  expect(large).toEqual([])
})
