import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { resumeCampaign } from '../../../src/campaigns/transitions.ts'
import type { FeedbackKind } from '../../../src/feedback/event.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { writeSettings } from '../../../src/settings/store.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { news, sentCampaign } from './news.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())
beforeEach(() => writeSettings(t.db, { pause_complaint_share: 0.01, pause_bounce_share: 0.05, pause_block_share: 0.1 }))

/** A campaign that is sending, and its recipients, each told of once. */
async function running(size: number) {
  const { campaign_id, subscriber_ids } = await sentCampaign(t, size)
  let at = 0
  const tell = (count: number, kind: FeedbackKind, diagnostic: string | null = null) => {
    const some = subscriber_ids.slice(at, at + count)
    at += count
    return recordFeedback(
      t.db,
      some.map((id) => news(kind, campaign_id, id, { diagnostic })),
    )
  }
  const read = async () => {
    const [row] = await t.sql('select status, status_reason as reason from campaigns where id = $1', [campaign_id])
    return { status: String(row?.status), reason: row?.reason === null ? null : String(row?.reason) }
  }
  return { campaign_id, subscriber_ids, tell, read }
}

test.each<[string, number, [number, FeedbackKind][], RegExp | null]>([
  [
    'complaints over the share of the mails sent',
    200,
    [[3, 'complaint']],
    /^3 recipients complained since it was started, of 200 mails: 1.50 %, and the limit is 1.00 %/,
  ],
  ['complaints at the share', 300, [[3, 'complaint']], null],
  ['two complaints of few', 10, [[2, 'complaint']], null],
  [
    'complaints over the share of the mails delivered',
    400,
    [
      [240, 'delivered'],
      [3, 'complaint'],
    ],
    /of 240 mails: 1.25 %/,
  ],
  [
    'complaints where few deliveries are known',
    400,
    [
      [100, 'delivered'],
      [3, 'complaint'],
    ],
    null,
  ],
  [
    'bounces over the share',
    300,
    [[20, 'hard_bounce']],
    /^20 recipients do not exist since it was started, of 300 mails: 6.67 %, and the limit is 5.00 % \(such as: 550 no such user\)/,
  ],
  ['bounces at the share', 400, [[20, 'hard_bounce']], null],
  ['bounces of few', 30, [[19, 'hard_bounce']], null],
  [
    'bounces, with the mails they are of',
    500,
    [
      [379, 'delivered'],
      [20, 'hard_bounce'],
    ],
    /of 399 mails: 5.01 %/,
  ],
  [
    'blocks over the share',
    150,
    [[20, 'blocked']],
    /^20 recipients have a server that refused the mail since .* 13.33 %, and the limit is 10.00 % \(such as: 550 no such user\)/,
  ],
  ['blocks at the share', 200, [[20, 'blocked']], null],
  [
    'what may pass',
    60,
    [
      [20, 'soft_bounce'],
      [20, 'deferred'],
      [20, 'delivered'],
    ],
    null,
  ],
])('%s', async (_, size, told, reason) => {
  const { tell, read } = await running(size)
  for (const [count, kind] of told) await tell(count, kind, kind === 'complaint' ? null : '550 no such user')
  const found = await read()
  if (reason) expect(found).toEqual({ status: 'paused', reason: expect.stringMatching(reason) })
  else expect(found).toEqual({ status: 'sending', reason: null })
})

test('it can happen in many calls, each with one', async () => {
  const { tell, read } = await running(100)
  for (let i = 0; i < 2; i++) await tell(1, 'complaint')
  expect((await read()).status).toBe('sending')
  await tell(1, 'complaint', 'abuse')
  expect(await read()).toEqual({
    status: 'paused',
    reason: expect.stringContaining('(such as: abuse). See its deliveries'),
  })
})

test('a limit of the whole is never passed, and a limit of nothing by the first few', async () => {
  await writeSettings(t.db, { pause_complaint_share: 1, pause_bounce_share: 1, pause_block_share: 0 })
  const { tell, read } = await running(60)
  await tell(20, 'complaint')
  await tell(20, 'hard_bounce')
  expect((await read()).status).toBe('sending')
  await tell(20, 'blocked')
  expect((await read()).status).toBe('paused')
})

test('resumed, it has its allowance once more, also for news of the mails before', async () => {
  const { campaign_id, tell, read } = await running(500)
  await tell(40, 'hard_bounce')
  await tell(6, 'complaint')
  expect((await read()).status).toBe('paused')
  expect(await resumeCampaign(t.db, campaign_id)).toBe(true)
  await tell(5, 'complaint')
  await tell(25, 'hard_bounce')
  expect((await read()).status).toBe('sending')
  await tell(1, 'complaint')
  expect(await read()).toEqual({
    status: 'paused',
    reason: expect.stringMatching(/^6 recipients complained since it was last resumed/),
  })
  await resumeCampaign(t.db, campaign_id)
  await tell(26, 'hard_bounce')
  expect(await read()).toEqual({
    status: 'paused',
    reason: expect.stringMatching(/^26 recipients do not exist since it was last resumed/),
  })
})

test('told again, or late, a resumed campaign goes on', async () => {
  const { campaign_id, subscriber_ids, read } = await running(100)
  const events = subscriber_ids.slice(0, 30).map((id) => news('hard_bounce', campaign_id, id))
  await Promise.all([recordFeedback(t.db, events), recordFeedback(t.db, events), recordFeedback(t.db, events)])
  expect((await read()).status).toBe('paused')
  await resumeCampaign(t.db, campaign_id)
  await recordFeedback(t.db, events)
  expect(await read()).toEqual({ status: 'sending', reason: null })
})

test.each(['paused', 'cancelled', 'sent'])('one that is %s stays so', async (status) => {
  const { campaign_id, tell, read } = await running(50)
  await t.sql(`update campaigns set status = $2, frozen_at = now(), finished_at = now() where id = $1`, [
    campaign_id,
    status,
  ])
  await tell(30, 'hard_bounce')
  expect(await read()).toEqual({ status, reason: null })
})

test('only the campaign that it is about', async () => {
  const [one, other] = [await running(50), await running(50)]
  await one.tell(30, 'blocked')
  await other.tell(10, 'blocked')
  expect([(await one.read()).status, (await other.read()).status]).toEqual(['paused', 'sending'])
})
