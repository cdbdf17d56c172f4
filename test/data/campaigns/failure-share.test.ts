import { afterAll, beforeAll, expect, test } from 'vitest'
import { pauseIfFailing } from '../../../src/campaigns/failure-share.ts'
import { resumeCampaign } from '../../../src/campaigns/transitions.ts'
import { retryFailed } from '../../../src/ledger/retry.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const LIMITS = { share: 0.2, least: 10 }

/** The next so many waiting people get their mail, and the next so many fail. */
async function carry(
  campaign_id: number,
  sent: number,
  failed: number,
  reason = 'refused',
  answer: string | null = null,
) {
  const end = (n: number, state: string, why: string | null, words: string | null) =>
    t.sql(
      `with ended as (
         update deliveries set state = $2, reason = $3, answer = $4, updated_at = clock_timestamp()
         where campaign_id = $1 and subscriber_id in (
           select subscriber_id from deliveries where campaign_id = $1 and state = 'pending' order by subscriber_id limit $5)
         returning batch
       ), sums as (select batch, count(*) as n from ended group by batch)
       update batches b set open = b.open - s.n, ${state} = ${state} + s.n from sums s
       where b.campaign_id = $1 and b.n = s.batch`,
      [campaign_id, state, why, words, n],
    )
  await end(sent, 'sent', null, null)
  await end(failed, 'failed', reason, answer)
}

const read = async (campaign_id: number) => {
  const [row] = await t.sql('select status, status_reason as reason from campaigns where id = $1', [campaign_id])
  return { status: row?.status, reason: String(row?.reason) }
}

test('more than the share, and at least so many: paused, with the numbers, the reason and an answer', async () => {
  const { campaign_id } = await frozenCampaign(t, 300)
  await carry(campaign_id, 103, 3, 'gave_up', '451 later')
  await carry(campaign_id, 0, 24, 'refused', '550 5.7.1 blocked, 100% spam')
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(true)
  expect(await read(campaign_id)).toEqual({
    status: 'paused',
    reason:
      '27 of the 130 mails tried since it was started failed, most often as refused (such as: 550 5.7.1 blocked, 100% spam). See its deliveries with the state failed. Resume it to go on; retry-failed tries the failed ones again.',
  })
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(false)
})

test.each([
  ['the share itself', 80, 20],
  ['a large share of few', 1, 9],
  ['nothing', 0, 0],
])('%s is not enough', async (_, sent, failed) => {
  const { campaign_id } = await frozenCampaign(t, 120)
  await carry(campaign_id, sent, failed)
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(false)
  expect((await read(campaign_id)).status).toBe('sending')
})

test('a failure without an answer, and an answer without end', async () => {
  const { campaign_id } = await frozenCampaign(t, 60)
  await carry(campaign_id, 0, 20, 'not_rendered')
  await pauseIfFailing(t.db, campaign_id, LIMITS)
  expect((await read(campaign_id)).reason).toContain(
    '20 of the 20 mails tried since it was started failed, most often as not_rendered. See',
  )
  await resumeCampaign(t.db, campaign_id)
  await carry(campaign_id, 0, 30, 'refused', 'x'.repeat(5000))
  await pauseIfFailing(t.db, campaign_id, LIMITS)
  expect((await read(campaign_id)).reason.length).toBeLessThan(500)
})

test('after its owner resumed it, only what came since counts', async () => {
  const { campaign_id } = await frozenCampaign(t, 300)
  await carry(campaign_id, 10, 90)
  await pauseIfFailing(t.db, campaign_id, LIMITS)
  await resumeCampaign(t.db, campaign_id)
  await carry(campaign_id, 1, 9)
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(false)
  await carry(campaign_id, 60, 2)
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(false)
  await carry(campaign_id, 0, 9)
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(true)
  expect((await read(campaign_id)).reason).toMatch(/^20 of the 81 mails tried since it was last resumed failed/)
})

test('rows tried again and failed again count as new failures', async () => {
  const { campaign_id } = await frozenCampaign(t, 100)
  await carry(campaign_id, 40, 60)
  expect((await retryFailed(t.db, campaign_id, null, 0))?.changed).toBe(60)
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(false)
  await carry(campaign_id, 0, 12)
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(true)
})

test('of many senders at once one pauses it, and none after its owner resumed it', async () => {
  const { campaign_id } = await frozenCampaign(t, 100)
  await carry(campaign_id, 0, 50)
  const paused = await Promise.all(Array.from({ length: 6 }, () => pauseIfFailing(t.db, campaign_id, LIMITS)))
  expect(paused.filter(Boolean)).toHaveLength(1)
  await resumeCampaign(t.db, campaign_id)
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(false)
})

test.each(['scheduled', 'paused', 'cancelled'])('a campaign that is %s stays so', async (status) => {
  const { campaign_id } = await frozenCampaign(t, 20)
  await carry(campaign_id, 0, 20)
  await t.sql('update campaigns set status = $2, scheduled_at = now() where id = $1', [campaign_id, status])
  expect(await pauseIfFailing(t.db, campaign_id, LIMITS)).toBe(false)
  expect((await read(campaign_id)).status).toBe(status)
})
