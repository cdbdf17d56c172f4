// Two sessions at one ledger: a third holds a lock, so that both statements have taken their view before either may go on.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completeCampaign } from '../../../src/ledger/complete.ts'
import { settleByEvidence } from '../../../src/ledger/evidence.ts'
import { nextPointers } from '../../../src/ledger/pointers.ts'
import { releaseBatch } from '../../../src/ledger/record.ts'
import { resolveUnconfirmed } from '../../../src/ledger/resolve.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { ledgerActs, verdict } from './acts.ts'
import { openSession } from './session.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const { frozenCampaign, claim, step, expire, sums } = ledgerActs(() => t)

/** A batch all of whose rows are `unconfirmed`, released by the sender whose token is returned. */
async function unconfirmedCampaign(size: number) {
  const seeded = await frozenCampaign(size)
  const token = crypto.randomUUID()
  await claim(seeded.campaign_id, token)
  await step(seeded.campaign_id, token, 0, seeded.subscriber_ids)
  const lost = seeded.subscriber_ids.map((id) => verdict(id, 'unconfirmed'))
  await step(seeded.campaign_id, token, 0, [], lost)
  await releaseBatch(t.db, { campaign_id: seeded.campaign_id, batch: 0, token })
  return { ...seeded, token }
}

/** The lease of a sender that went silent is over, and its heir settles what it left. */
async function outlive(campaign_id: number) {
  await expire(campaign_id)
  const heir = crypto.randomUUID()
  await claim(campaign_id, heir)
  await releaseBatch(t.db, { campaign_id, batch: 0, token: heir })
}

const opened = async (campaign_id: number, subscriber_id: number) => {
  await t.sql('insert into recipient_stats (campaign_id, subscriber_id, opens) values ($1, $2, 1)', [
    campaign_id,
    subscriber_id,
  ])
}

const state = async (campaign_id: number) => {
  const [campaign] = await t.sql('select status from campaigns where id = $1', [campaign_id])
  const rows = await t.sql('select state from deliveries where campaign_id = $1 order by subscriber_id', [campaign_id])
  return { status: campaign?.status, rows: rows.map((row) => row.state) }
}

const session = () => openSession(t)

describe('completion against resend', () => {
  test('a campaign that ends while its rows are put back is sending again', async () => {
    const { campaign_id, subscriber_ids } = await unconfirmedCampaign(2)
    const other = await session()
    await other.query('select 1 from deliveries where campaign_id = $1 and subscriber_id = $2 for update', [
      campaign_id,
      subscriber_ids[0],
    ])
    const resolving = resolveUnconfirmed(t.db, campaign_id, 'resend')
    await other.waiting(1)
    expect(await completeCampaign(t.db, campaign_id)).toBe(true)
    await other.end()
    expect(await resolving).toBe(2)
    expect(await state(campaign_id)).toEqual({ status: 'sending', rows: ['pending', 'pending'] })
  })

  test.each(['completion first', 'resend first'])('both waiting for the campaign, %s: it goes on', async (order) => {
    const { campaign_id } = await unconfirmedCampaign(2)
    const other = await session()
    await other.query('select 1 from campaigns where id = $1 for update', [campaign_id])
    const acts = [() => completeCampaign(t.db, campaign_id), () => resolveUnconfirmed(t.db, campaign_id, 'resend')]
    if (order === 'resend first') acts.reverse()
    const running: Promise<unknown>[] = []
    for (const act of acts) {
      running.push(act())
      // One that does not wait has ended.
      await Promise.race([other.waiting(running.length), running.at(-1)])
    }
    await other.end()
    await Promise.all(running)
    expect(await state(campaign_id)).toEqual({ status: 'sending', rows: ['pending', 'pending'] })
  })
})

describe('a record that comes late', () => {
  test('reopens its campaign with the rows that were surely not sent', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const [a = 0, b = 0] = subscriber_ids
    const slow = crypto.randomUUID()
    await claim(campaign_id, slow)
    await step(campaign_id, slow, 0, subscriber_ids)
    await outlive(campaign_id)
    expect(await completeCampaign(t.db, campaign_id)).toBe(true)
    await step(campaign_id, slow, 0, [], [verdict(a, 'sent'), verdict(b, 'deferred')])
    expect(await state(campaign_id)).toEqual({ status: 'sending', rows: ['sent', 'deferred'] })
    expect(await sums(campaign_id)).toMatchObject({ sent: 1, open: 1, unconfirmed: 0 })
  })

  test('closes a row that waits for its resend', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const [a = 0, b = 0] = subscriber_ids
    const slow = crypto.randomUUID()
    await claim(campaign_id, slow)
    await step(campaign_id, slow, 0, subscriber_ids)
    await outlive(campaign_id)
    await resolveUnconfirmed(t.db, campaign_id, 'resend')
    await step(campaign_id, slow, 0, [], [verdict(a, 'sent'), verdict(b, 'failed')])
    expect(await state(campaign_id)).toEqual({ status: 'sending', rows: ['sent', 'pending'] })
    expect(await sums(campaign_id)).toMatchObject({ sent: 1, open: 1, unconfirmed: 0 })
  })

  test('leaves what the owner accepted', async () => {
    const { campaign_id, subscriber_ids, token } = await unconfirmedCampaign(1)
    await resolveUnconfirmed(t.db, campaign_id, 'accept')
    await step(campaign_id, token, 0, [], [verdict(subscriber_ids[0] ?? 0, 'deferred')])
    expect((await state(campaign_id)).rows).toEqual(['sent'])
    expect(await sums(campaign_id)).toMatchObject({ sent: 1, open: 0 })
  })
})

test('nobody is sent again of a cancelled campaign; what left may still be accepted', async () => {
  const { campaign_id } = await unconfirmedCampaign(2)
  await t.sql(`update campaigns set status = 'cancelled' where id = $1`, [campaign_id])
  expect(await resolveUnconfirmed(t.db, campaign_id, 'resend')).toBe(0)
  expect((await state(campaign_id)).rows).toEqual(['unconfirmed', 'unconfirmed'])
  expect(await resolveUnconfirmed(t.db, campaign_id, 'accept')).toBe(2)
})

describe('evidence', () => {
  test('counts also when it was there before the lost answer was recorded', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const [a = 0, b = 0] = subscriber_ids
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids)
    await opened(campaign_id, a)
    await settleByEvidence(t.db, [{ campaign_id, subscriber_id: a }])
    await step(campaign_id, token, 0, [], [verdict(a, 'unconfirmed'), verdict(b, 'unconfirmed')])
    expect((await state(campaign_id)).rows).toEqual(['sent', 'unconfirmed'])
    expect(await sums(campaign_id)).toMatchObject({ sent: 1, unconfirmed: 1, open: 0 })
  })

  test('counts also when it comes while the next claim settles what a dead sender left', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const [a = 0] = subscriber_ids
    const dead = crypto.randomUUID()
    await claim(campaign_id, dead)
    await step(campaign_id, dead, 0, subscriber_ids)
    await expire(campaign_id)
    const other = await session()
    await other.query('select 1 from deliveries where campaign_id = $1 and subscriber_id = $2 for update', [
      campaign_id,
      a,
    ])
    const claiming = claim(campaign_id, crypto.randomUUID())
    await other.waiting(1)
    await opened(campaign_id, a)
    await settleByEvidence(t.db, [{ campaign_id, subscriber_id: a }])
    await other.end()
    expect(await claiming).toMatchObject({ claimed: true, rows: [] })
    expect((await state(campaign_id)).rows).toEqual(['sent', 'unconfirmed'])
    expect(await sums(campaign_id)).toMatchObject({ sent: 1, unconfirmed: 1, open: 0 })
  })

  test('closes a row that waits for its resend, and no row that was never sent', async () => {
    const { campaign_id, subscriber_ids } = await unconfirmedCampaign(2)
    const [a = 0] = subscriber_ids
    await resolveUnconfirmed(t.db, campaign_id, 'resend')
    await opened(campaign_id, a)
    await settleByEvidence(t.db, [{ campaign_id, subscriber_id: a }])
    expect((await state(campaign_id)).rows).toEqual(['sent', 'pending'])
    expect(await sums(campaign_id)).toMatchObject({ sent: 1, open: 1, unconfirmed: 0 })

    const fresh = await frozenCampaign(1)
    const [never = 0] = fresh.subscriber_ids
    await opened(fresh.campaign_id, never)
    await settleByEvidence(t.db, [{ campaign_id: fresh.campaign_id, subscriber_id: never }])
    expect((await state(fresh.campaign_id)).rows).toEqual(['pending'])
  })

  test.each(['deferred', 'pending'] as const)('closes a row whose resend was put off as %s', async (put_off) => {
    const { campaign_id, subscriber_ids } = await unconfirmedCampaign(3)
    const [before = 0, during = 0] = subscriber_ids
    await resolveUnconfirmed(t.db, campaign_id, 'resend')
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids)
    // Of the first mail, while the second is under way.
    await opened(campaign_id, during)
    await settleByEvidence(t.db, [{ campaign_id, subscriber_id: during }])
    const verdicts = subscriber_ids.map((id) => verdict(id, put_off, { delay_seconds: 0 }))
    await releaseBatch(t.db, { campaign_id, batch: 0, token }, verdicts)
    expect((await state(campaign_id)).rows).toEqual([put_off, 'sent', put_off])
    await opened(campaign_id, before)
    await settleByEvidence(t.db, [{ campaign_id, subscriber_id: before }])
    expect((await state(campaign_id)).rows).toEqual(['sent', 'sent', put_off])
    expect(await sums(campaign_id)).toMatchObject({ sent: 2, open: 1, unconfirmed: 0 })
    // Once more: what it waits for is still the owner's word.
    const heir = crypto.randomUUID()
    expect(await claim(campaign_id, heir)).toMatchObject({
      claimed: true,
      rows: [{ subscriber_id: subscriber_ids[2] }],
    })
    await opened(campaign_id, subscriber_ids[2] ?? 0)
    await settleByEvidence(t.db, [{ campaign_id, subscriber_id: subscriber_ids[2] ?? 0 }])
    expect(await step(campaign_id, heir, 0, subscriber_ids)).toEqual({ marked: [], held: true })
    expect(await sums(campaign_id)).toMatchObject({ sent: 3, open: 0, unconfirmed: 0 })
  })

  test('that nobody has settled yet keeps a row from its resend', async () => {
    const { campaign_id, subscriber_ids } = await unconfirmedCampaign(2)
    await opened(campaign_id, subscriber_ids[0] ?? 0)
    expect(await resolveUnconfirmed(t.db, campaign_id, 'resend')).toBe(2)
    expect((await state(campaign_id)).rows).toEqual(['sent', 'pending'])
    expect(await sums(campaign_id)).toMatchObject({ sent: 1, open: 1, unconfirmed: 0 })
  })
})

test('pointers outlive a deadlock', async () => {
  const { campaign_id } = await frozenCampaign(150)
  const other = await session()
  const take = 'select 1 from batches where campaign_id = $1 and n = $2 for update'
  await other.query(take, [campaign_id, 1])
  const pointers = nextPointers(t.db, campaign_id, 0, 100)
  await other.waiting(1)
  // Both wait for each other; whoever waited first is refused, unless this computer is very slow.
  await other.query(take, [campaign_id, 0]).catch(() => undefined)
  await other.end()
  expect(await pointers).toEqual([0, 1])
})
