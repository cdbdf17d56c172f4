import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { FeedbackKind, FeedbackSource } from '../../../src/feedback/event.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { claimBatch } from '../../../src/ledger/claim.ts'
import { resolveUnconfirmed } from '../../../src/ledger/resolve.ts'
import { retryFailed } from '../../../src/ledger/retry.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { differences, news, sentCampaign, turn } from './news.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
  await t.sql('update settings set pause_complaint_share = 1, pause_bounce_share = 1, pause_block_share = 1')
})
afterAll(() => t.close())
afterEach(async () => expect(await differences(t)).toEqual([]))

async function oneMail(state: string) {
  const { campaign_id, subscriber_ids } = await sentCampaign(t, 1)
  const id = subscriber_ids[0] as number
  if (state !== 'sent') await turn(t, campaign_id, id, state)
  return { campaign_id, id }
}

const stateOf = async ({ campaign_id, id }: { campaign_id: number; id: number }) =>
  (
    await t.sql('select state, reason from deliveries where campaign_id = $1 and subscriber_id = $2', [campaign_id, id])
  )[0]

test.each<[FeedbackKind, FeedbackSource, boolean]>([
  ['delivered', 'ses', true],
  ['deferred', 'sendgrid', true],
  ['soft_bounce', 'mail', true],
  ['hard_bounce', 'mail', true],
  ['blocked', 'sendgrid', true],
  ['complaint', 'ses', true],
  ['hard_bounce', 'answer', false],
  ['blocked', 'answer', false],
])('%s told by %s proves that an unconfirmed mail left: %s', async (kind, source, proven) => {
  const unconfirmed = await oneMail('unconfirmed')
  await recordFeedback(t.db, [news(kind, unconfirmed.campaign_id, unconfirmed.id, { source })])
  expect(await stateOf(unconfirmed)).toEqual(
    proven ? { state: 'sent', reason: null } : { state: 'unconfirmed', reason: 'test' },
  )
  const resend = await oneMail('pending')
  await recordFeedback(t.db, [news(kind, resend.campaign_id, resend.id, { source })])
  expect(await stateOf(resend)).toEqual(
    proven ? { state: 'sent', reason: null } : { state: 'pending', reason: 'resend' },
  )
})

test.each(['sent', 'failed', 'skipped', 'deferred', 'sending'])('a row that is %s stays what it is', async (state) => {
  const mail = await oneMail(state)
  for (const kind of ['delivered', 'hard_bounce', 'complaint'] as const) {
    await recordFeedback(t.db, [news(kind, mail.campaign_id, mail.id)])
  }
  expect((await stateOf(mail))?.state).toBe(state)
})

test('news of a mail whose sender died before it could say so', async () => {
  const mail = await oneMail('sending')
  await recordFeedback(t.db, [news('delivered', mail.campaign_id, mail.id)])
  expect((await stateOf(mail))?.state).toBe('sending')
  await claimBatch(t.db, { campaign_id: mail.campaign_id, batch: 0, token: crypto.randomUUID(), lease_seconds: 60 })
  expect((await stateOf(mail))?.state).toBe('sent')
})

test('the owner cannot have sent again what is known to have left', async () => {
  // The news was written, and whoever wrote it died before it settled the row.
  const mail = await oneMail('sent')
  await recordFeedback(t.db, [news('soft_bounce', mail.campaign_id, mail.id)])
  await turn(t, mail.campaign_id, mail.id, 'unconfirmed')
  await resolveUnconfirmed(t.db, mail.campaign_id, 'resend')
  expect(await stateOf(mail)).toEqual({ state: 'sent', reason: null })
})

test('a failed mail that left all the same is not tried again; one that was refused is', async () => {
  const [left, refused] = [await oneMail('failed'), await oneMail('failed')]
  await recordFeedback(t.db, [
    news('delivered', left.campaign_id, left.id),
    news('blocked', refused.campaign_id, refused.id, { source: 'answer' }),
  ])
  expect((await retryFailed(t.db, left.campaign_id, null, 0))?.changed).toBe(0)
  expect((await retryFailed(t.db, refused.campaign_id, null, 0))?.changed).toBe(1)
  // Sent again, with the answer lost: the refusal of the first time proves nothing.
  await turn(t, refused.campaign_id, refused.id, 'unconfirmed')
  await recordFeedback(t.db, [news('deferred', refused.campaign_id, refused.id, { source: 'answer' })])
  expect((await stateOf(refused))?.state).toBe('unconfirmed')
})
