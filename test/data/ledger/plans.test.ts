// What the ledger's statements read when Postgres' statistics are older than the campaign, as they are for the first minutes
// of every one: those say that it has no rows, so that to read all of them looks cheap.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../../src/db/client.ts'
import { claimBatch } from '../../../src/ledger/claim.ts'
import { dueRows } from '../../../src/ledger/due.ts'
import { advance, releaseBatch } from '../../../src/ledger/record.ts'
import { resolveUnconfirmed } from '../../../src/ledger/resolve.ts'
import { retryFailed } from '../../../src/ledger/retry.ts'
import { BATCH_SIZE } from '../../../src/ledger/status.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

const SIZE = 5000

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
let campaign_id: number
beforeAll(async () => {
  t = await openTestDatabase()
  for (let n = 0; n < 4; n++) await frozenCampaign(t, SIZE)
  await t.sql('analyze')
  campaign_id = (await frozenCampaign(t, SIZE)).campaign_id
})
afterAll(() => t.close())

/** Runs a statement of the ledger. @returns how many deliveries it looked at, all scans together */
async function deliveriesRead(act: (db: Database) => Promise<unknown>): Promise<number> {
  const plans: PlanNode[] = []
  const execute: Database['execute'] = ((query: ReturnType<typeof sql>) =>
    t.db
      .execute<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(sql`explain (analyze, format json) ${query}`)
      .then(({ rows }) => {
        for (const row of rows) plans.push(...row['QUERY PLAN'].map(({ Plan }) => Plan))
        return { rows: [] }
      })) as unknown as Database['execute']
  await act(Object.assign(Object.create(t.db), { execute }) as Database)
  const count = (node: PlanNode): number => {
    const seen =
      node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
    const own =
      node['Relation Name'] === 'deliveries' && / Scan$/.test(node['Node Type']) ? seen * node['Actual Loops'] : 0
    return own + (node.Plans ?? []).reduce((sum, child) => sum + count(child), 0)
  }
  expect(plans.length).toBeGreaterThan(0)
  return plans.reduce((sum, plan) => sum + count(plan), 0)
}

describe('with statistics from before the campaign', () => {
  const token = crypto.randomUUID()
  const people = (from: number, to: number) =>
    t
      .sql<{ id: number }>(
        'select subscriber_id::int as id from deliveries where campaign_id = $1 and batch = 7 order by 1',
        [campaign_id],
      )
      .then((rows) => rows.slice(from, to).map(({ id }) => id))
  const verdictsOn = (ids: number[], state: 'sent' | 'failed' | 'unconfirmed') =>
    ids.map((subscriber_id) => ({
      subscriber_id,
      state,
      reason: state === 'sent' ? null : 'refused',
      answer: null,
      delay_seconds: null,
      provider_message_id: null,
    }))
  const step = { batch: 7, token, lease_seconds: 120, account: 'a' }

  test('a claim reads its batch, not the campaign', async () => {
    expect(await deliveriesRead((db) => dueRows(db, campaign_id, 7))).toBeLessThanOrEqual(BATCH_SIZE)
    const claim = { campaign_id, batch: 7, token, lease_seconds: 120 }
    // Once to settle, once to read what is due.
    const seen = await deliveriesRead((db) => claimBatch(db, claim))
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThanOrEqual(BATCH_SIZE * 2)
  })

  test('to record one group and mark the next looks at no other batch', async () => {
    const [first, second] = [await people(0, 20), await people(20, 40)]
    await advance(t.db, { ...step, campaign_id, verdicts: [], group_no: 0, mark: first })
    const verdicts = verdictsOn(first, 'sent')
    const seen = await deliveriesRead((db) =>
      advance(db, { ...step, campaign_id, verdicts, group_no: 1, mark: second }),
    )
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThanOrEqual(BATCH_SIZE * 4)
  })

  test('so does a release', async () => {
    const verdicts = verdictsOn(await people(20, 40), 'failed')
    const seen = await deliveriesRead((db) => releaseBatch(db, { ...step, campaign_id }, verdicts))
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThanOrEqual(BATCH_SIZE * 4)
  })

  test('rows put back by the owner are looked up one by one', async () => {
    const all = `update deliveries set state = $2, reason = 'refused' where campaign_id = $1`
    await t.sql(all, [campaign_id, 'failed'])
    await t.sql('update batches set failed = size, open = 0, sent = 0 where campaign_id = $1', [campaign_id])
    expect(await deliveriesRead((db) => retryFailed(db, campaign_id, null, 0))).toBeLessThanOrEqual(SIZE * 2)
    await t.sql(all, [campaign_id, 'unconfirmed'])
    await t.sql('update batches set unconfirmed = size, open = 0, failed = 0 where campaign_id = $1', [campaign_id])
    expect(await deliveriesRead((db) => resolveUnconfirmed(db, campaign_id, 'resend'))).toBeLessThanOrEqual(SIZE * 2)
  })
})
