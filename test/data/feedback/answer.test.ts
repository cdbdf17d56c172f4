// What a server says at the time of sending, from the send loop to what follows.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Outcome } from '../../../src/providers/provider.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { sendBatch } from '../../../src/sending/batch.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { ScriptedProvider, SENT, scriptedSender } from '../sending/scripted.ts'
import { consequences, differences } from './news.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const DEAD: Outcome = { kind: 'never', answer: '550 5.1.1 <recipient>: no such user', dead: true }
const BLOCKED: Outcome = { kind: 'never', answer: '554 5.7.1 refused', dead: false, policy: true }
const REFUSED: Outcome = { kind: 'never', answer: '552 too large', dead: false }

test('a dead address is suppressed at once; blocks and other refusals leave it alone', async () => {
  const { campaign_id, subscriber_ids } = await frozenCampaign(t, 8)
  const [dead, blocked, refused] = subscriber_ids as [number, number, number]
  const provider = new ScriptedProvider()
  const answers = new Map([
    [dead, DEAD],
    [blocked, BLOCKED],
    [refused, REFUSED],
  ])
  provider.answer = ({ subscriber_id }) => answers.get(subscriber_id) ?? SENT
  const s = await scriptedSender(t.db, provider)
  const run = () => sendBatch(s, { campaign_id, batch: 0 }, 1, { started: Date.now(), slots: openSlots() })
  await run()
  await run()
  const totals = { delivered: 0, soft_bounces: 0, hard_bounces: 1, blocks: 1, complaints: 0 }
  expect(await consequences(t, campaign_id, dead)).toMatchObject({
    state: 'failed',
    status: 'bounced',
    suppressed: [[true, 'bounce']],
    feedback: { diagnostic: DEAD.answer, accepted_at: null },
    totals,
  })
  for (const id of [blocked, refused]) {
    expect(await consequences(t, campaign_id, id)).toMatchObject({
      state: 'failed',
      status: 'active',
      suppressed: null,
    })
  }
  expect(await t.sql('select kind, source, count(*)::int as n from feedback_events group by 1, 2 order by 1')).toEqual([
    { kind: 'blocked', source: 'answer', n: 1 },
    { kind: 'hard_bounce', source: 'answer', n: 1 },
  ])
  expect(await differences(t)).toEqual([])
})

test('where it cannot be recorded, the mails are sent all the same', async () => {
  const { campaign_id, subscriber_ids } = await frozenCampaign(t, 5)
  const provider = new ScriptedProvider()
  provider.answer = ({ subscriber_id }) => (subscriber_id === subscriber_ids[0] ? DEAD : SENT)
  await t.sql('alter table feedback_events rename to elsewhere')
  try {
    const s = await scriptedSender(t.db, provider)
    expect(await sendBatch(s, { campaign_id, batch: 0 }, 1, { started: Date.now(), slots: openSlots() })).toEqual({
      ack: true,
    })
  } finally {
    await t.sql('alter table elsewhere rename to feedback_events')
  }
  expect(await t.sql('select status from campaigns where id = $1', [campaign_id])).toEqual([{ status: 'sent' }])
  expect(await t.sql('select sent, failed from batches where campaign_id = $1', [campaign_id])).toEqual([
    { sent: 4, failed: 1 },
  ])
})

test('a server that blocks too many pauses the campaign before the next batch', async () => {
  await t.sql('update settings set pause_block_share = 0.05')
  const { campaign_id, subscriber_ids } = await frozenCampaign(t, 300)
  const provider = new ScriptedProvider()
  const unlucky = new Set(subscriber_ids.slice(0, 200).filter((_, i) => i % 8 === 0))
  provider.answer = ({ subscriber_id }) => (unlucky.has(subscriber_id) ? BLOCKED : SENT)
  const s = await scriptedSender(t.db, provider)
  for (const batch of [0, 1, 2]) {
    await sendBatch(s, { campaign_id, batch }, 1, { started: Date.now(), slots: openSlots() })
  }
  const [row] = await t.sql('select status, status_reason as reason from campaigns where id = $1', [campaign_id])
  expect(row).toEqual({
    status: 'paused',
    reason: expect.stringMatching(
      /^25 recipients have a server that refused the mail .* of 200 mails: 12.50 %.*554 5.7.1/,
    ),
  })
  expect(provider.carried).toHaveLength(200)
})
