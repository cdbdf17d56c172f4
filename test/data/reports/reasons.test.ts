import { afterAll, beforeAll, expect, test } from 'vitest'
import { ledgerSums } from '../../../src/ledger/sums.ts'
import { commonestReasons } from '../../../src/reports/reasons.ts'
import { seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

/** Deliveries in batches of a hundred; `reason` and `answer` are SQL over the batch's number `n` and the row's `i`. */
async function campaignOf(batches: number, state: string, reason: string, answer: string): Promise<number> {
  const { campaign_id } = await seedCampaign(t, 1)
  const counter = state === 'deferred' ? 'open' : state
  await t.sql(
    `insert into batches (campaign_id, n, size, open, ${counter === 'open' ? '' : `${counter}, `}due_at)
     select $1::bigint, n, 100, ${counter === 'open' ? '100' : '0, 100'}, now() from generate_series(1, $2::int) n`,
    [campaign_id, batches],
  )
  await t.sql(
    `insert into deliveries (campaign_id, subscriber_id, batch, state, reason, answer, next_attempt_at)
     select $1::bigint, n * 1000 + i, n, $3, ${reason}, ${answer}, now() from generate_series(1, $2::int) n, generate_series(1, 100) i`,
    [campaign_id, batches, state],
  )
  return campaign_id
}

const reasonsOf = async (campaign_id: number) => {
  const sums = (await ledgerSums(t.db, [campaign_id])).get(campaign_id)
  if (!sums) throw new Error('no sums')
  return commonestReasons(t.db, campaign_id, sums)
}

test('the five commonest, each with the answer that came most often', async () => {
  const reason = `case when i <= 40 then 'refused' else 'r' || (i % 6) end`
  const id = await campaignOf(1, 'failed', reason, `case when i % 4 = 0 then '550 rare' else '550 common' end`)
  const { failed, skipped } = await reasonsOf(id)
  expect(failed.looked_at).toBe(100)
  expect(failed.reasons).toHaveLength(5)
  expect(failed.reasons[0]).toEqual({ reason: 'refused', mails: 40, example: '550 common' })
  expect(failed.reasons.slice(1).every(({ mails }) => mails === 10)).toBe(true)
  expect(skipped).toEqual({ reasons: [], looked_at: 0 })
})

test('of many, the latest five thousand', async () => {
  const id = await campaignOf(60, 'skipped', `case when n <= 10 then 'suppressed' else 'unsubscribed' end`, 'null')
  const { skipped } = await reasonsOf(id)
  expect(skipped).toEqual({ reasons: [{ reason: 'unsubscribed', mails: 5000, example: null }], looked_at: 5000 })
})

test('of what is still to go, why it is tried again; a long answer is cut', async () => {
  const id = await campaignOf(2, 'deferred', `'try_again'`, `'450 ' || repeat('x', 500)`)
  const { open } = await reasonsOf(id)
  expect(open.reasons.map(({ reason, mails, example }) => [reason, mails, example?.length])).toEqual([
    ['try_again', 200, 300],
  ])
})
