// Failed rows put back by their owner: which, from where, and against everything that happens to a ledger meanwhile.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pauseCampaign, resumeCampaign } from '../../../src/campaigns/transitions.ts'
import { completeCampaign } from '../../../src/ledger/complete.ts'
import { releaseBatch, type Verdict } from '../../../src/ledger/record.ts'
import { type FailureReason, retryFailed } from '../../../src/ledger/retry.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { ledgerActs, verdict } from './acts.ts'
import { openSession } from './session.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())
const { frozenCampaign, claim, step, sums } = ledgerActs(() => t)

const failed = (subscriber_id: number, reason: FailureReason): Verdict => ({
  ...verdict(subscriber_id, 'failed'),
  reason,
})

/** A batch that was sent to its end: the first people failed for these reasons, the rest got their mail. */
async function sentCampaign(size: number, reasons: FailureReason[]) {
  const seeded = await frozenCampaign(size)
  const { campaign_id, subscriber_ids } = seeded
  const token = crypto.randomUUID()
  await claim(campaign_id, token)
  await step(campaign_id, token, 0, subscriber_ids)
  const verdicts = subscriber_ids.map((id, i) => {
    const reason = reasons[i]
    return reason ? failed(id, reason) : verdict(id, 'sent')
  })
  await step(campaign_id, token, 1, [], verdicts)
  await releaseBatch(t.db, { campaign_id, batch: 0, token })
  return { ...seeded, token, verdicts }
}

const retry = async (campaign_id: number, reasons: FailureReason[] | null = null) =>
  (await retryFailed(t.db, campaign_id, reasons, 0))?.changed ?? null

async function state(campaign_id: number) {
  const [campaign] = await t.sql(
    'select status, finished_at is not null as finished, failed_at_resume as failed, tried_at_resume as tried from campaigns where id = $1',
    [campaign_id],
  )
  const rows = await t.sql('select state from deliveries where campaign_id = $1 order by subscriber_id', [campaign_id])
  return { ...campaign, rows: rows.map((row) => row.state) }
}

test('all but dead addresses are put back as if never tried, and may be sent at once', async () => {
  const { campaign_id, subscriber_ids } = await sentCampaign(5, ['no_such_address', 'refused', 'gave_up'])
  expect(await retry(campaign_id)).toBe(2)
  expect((await state(campaign_id)).rows).toEqual(['failed', 'pending', 'pending', 'sent', 'sent'])
  expect(await sums(campaign_id)).toMatchObject({ audience: 5, open: 2, failed: 1, sent: 2 })
  const claimed = await claim(campaign_id, crypto.randomUUID())
  expect(claimed.claimed && claimed.rows.map(({ subscriber_id, attempts }) => [subscriber_id, attempts])).toEqual([
    [subscriber_ids[1], 0],
    [subscriber_ids[2], 0],
  ])
  expect(await retry(campaign_id)).toBe(0)
})

test('reasons choose, dead addresses too when they are named', async () => {
  const { campaign_id } = await sentCampaign(4, ['no_such_address', 'refused', 'gave_up', 'not_rendered'])
  expect(await retry(campaign_id, ['no_such_address', 'not_rendered'])).toBe(2)
  expect((await state(campaign_id)).rows).toEqual(['pending', 'failed', 'failed', 'pending'])
})

test('a mail that was opened although it failed is not sent again', async () => {
  const { campaign_id, subscriber_ids } = await sentCampaign(2, ['gave_up', 'gave_up'])
  await t.sql('insert into recipient_stats (campaign_id, subscriber_id, opens) values ($1, $2, 1)', [
    campaign_id,
    subscriber_ids[0],
  ])
  expect(await retry(campaign_id)).toBe(1)
  expect((await state(campaign_id)).rows).toEqual(['failed', 'pending'])
})

test('somebody who has left meanwhile is skipped', async () => {
  const { campaign_id, subscriber_ids } = await sentCampaign(2, ['refused', 'refused'])
  await t.sql(`update subscribers set status = 'unsubscribed' where id = $1`, [subscriber_ids[0]])
  await retry(campaign_id)
  const claimed = await claim(campaign_id, crypto.randomUUID())
  expect(claimed.claimed && claimed.rows.map((row) => row.skip)).toEqual(['unsubscribed', null])
})

test('a few at a time, each looked at once, over all batches', async () => {
  const { campaign_id } = await frozenCampaign(250)
  await t.sql(`update deliveries set state = 'failed', reason = 'refused' where campaign_id = $1`, [campaign_id])
  await t.sql('update batches set open = 0, failed = size where campaign_id = $1', [campaign_id])
  const changed: number[] = []
  for (let after: number | null = 0; after !== null; ) {
    const some = await retryFailed(t.db, campaign_id, null, after, 120)
    changed.push(some?.changed ?? -1)
    after = some?.next ?? null
  }
  expect(changed).toEqual([120, 120, 10, 0])
  expect(await sums(campaign_id)).toMatchObject({ open: 250, failed: 0 })
})

describe('the campaign', () => {
  test('that was sent is sending again, and ends again', async () => {
    const { campaign_id, subscriber_ids } = await sentCampaign(2, ['refused'])
    expect(await completeCampaign(t.db, campaign_id)).toBe(true)
    expect(await retry(campaign_id, ['gave_up'])).toBe(0)
    expect(await state(campaign_id)).toMatchObject({ status: 'sent', finished: true })
    expect(await retry(campaign_id)).toBe(1)
    expect(await state(campaign_id)).toMatchObject({ status: 'sending', finished: false })
    expect(await completeCampaign(t.db, campaign_id)).toBe(false)
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids.slice(0, 1))
    await step(campaign_id, token, 1, [], [verdict(subscriber_ids[0] ?? 0, 'sent')])
    expect(await completeCampaign(t.db, campaign_id)).toBe(true)
    expect(await sums(campaign_id)).toMatchObject({ sent: 2, failed: 0, open: 0 })
  })

  test('that is paused stays so, with its rows put back', async () => {
    const { campaign_id } = await sentCampaign(2, ['refused'])
    await pauseCampaign(t.db, campaign_id, 'test')
    expect(await retry(campaign_id)).toBe(1)
    expect(await state(campaign_id)).toMatchObject({ status: 'paused', rows: ['pending', 'sent'] })
  })

  test.each(['cancelled', 'draft', 'scheduled'])('that is %s keeps its rows', async (status) => {
    const { campaign_id } = await sentCampaign(1, ['refused'])
    await t.sql('update campaigns set status = $2, scheduled_at = now() where id = $1', [campaign_id, status])
    expect(await retry(campaign_id)).toBeNull()
    expect(await state(campaign_id)).toMatchObject({ status, rows: ['failed'] })
  })

  test('does not pause again for what had failed before', async () => {
    const { campaign_id } = await sentCampaign(5, ['no_such_address', 'refused', 'refused'])
    await retry(campaign_id)
    expect(await state(campaign_id)).toMatchObject({ failed: 1, tried: 3 })
  })
})

describe('at the same time', () => {
  test('many retries put each row back once', async () => {
    const { campaign_id } = await sentCampaign(60, Array<FailureReason>(50).fill('refused'))
    const changed = await Promise.all(Array.from({ length: 6 }, () => retry(campaign_id)))
    expect(changed.reduce<number>((sum, n) => sum + (n ?? 0), 0)).toBe(50)
    expect(await sums(campaign_id)).toMatchObject({ open: 50, failed: 0, sent: 10 })
  })

  test.each(['completion first', 'retry first'])('completion, %s: the campaign goes on', async (order) => {
    const { campaign_id } = await sentCampaign(2, ['refused'])
    const other = await openSession(t)
    await other.query('select 1 from campaigns where id = $1 for update', [campaign_id])
    const acts: (() => Promise<unknown>)[] = [() => completeCampaign(t.db, campaign_id), () => retry(campaign_id)]
    if (order === 'retry first') acts.reverse()
    const running: Promise<unknown>[] = []
    for (const act of acts) {
      running.push(act())
      await other.waiting(running.length)
    }
    await other.end()
    await Promise.all(running)
    expect(await state(campaign_id)).toMatchObject({ status: 'sending', finished: false, rows: ['pending', 'sent'] })
  })

  test('a resume and an end while paused rows are put back: no campaign is sent with open rows', async () => {
    const { campaign_id, subscriber_ids } = await sentCampaign(2, ['refused'])
    await pauseCampaign(t.db, campaign_id, 'test')
    const other = await openSession(t)
    await other.query('select 1 from deliveries where campaign_id = $1 and subscriber_id = $2 for update', [
      campaign_id,
      subscriber_ids[0],
    ])
    const retrying = retry(campaign_id)
    await other.waiting(1)
    const ending = resumeCampaign(t.db, campaign_id).then(() => completeCampaign(t.db, campaign_id))
    await other.waiting(2)
    await other.end()
    expect([await retrying, await ending]).toEqual([1, false])
    expect(await state(campaign_id)).toMatchObject({ status: 'sending', rows: ['pending', 'sent'] })
  })

  test('a sender that records its failures once more changes nothing, nor does it send them', async () => {
    const { campaign_id, subscriber_ids, token, verdicts } = await sentCampaign(3, ['refused', 'refused'])
    const [retried] = await Promise.all([retry(campaign_id), step(campaign_id, token, 1, [], verdicts)])
    expect(retried).toBe(2)
    expect(await step(campaign_id, token, 0, subscriber_ids)).toEqual({ marked: [], held: false })
    await step(campaign_id, token, 1, [], verdicts)
    expect((await state(campaign_id)).rows).toEqual(['pending', 'pending', 'sent'])
    expect(await sums(campaign_id)).toMatchObject({ open: 2, failed: 0, sent: 1 })
  })

  test('a sender that still holds the batch does not lose the rows', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const [a = 0, b = 0] = subscriber_ids
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, [a])
    const [, changed] = await Promise.all([
      step(campaign_id, token, 1, [b], [failed(a, 'refused')]),
      retry(campaign_id),
    ])
    const again = changed === 0 ? await retry(campaign_id) : changed
    expect(again).toBe(1)
    await step(campaign_id, token, 2, [], [verdict(b, 'sent')])
    expect(await releaseBatch(t.db, { campaign_id, batch: 0, token })).toMatchObject({ open: 1 })
    expect((await state(campaign_id)).rows).toEqual(['pending', 'sent'])
  })
})
