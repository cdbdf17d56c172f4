// Who may send a row, under every race: claims, marks and records called in parallel and out of turn.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completeCampaign } from '../../../src/ledger/complete.ts'
import { settleByEvidence } from '../../../src/ledger/evidence.ts'
import { releaseBatch } from '../../../src/ledger/record.ts'
import { resolveUnconfirmed } from '../../../src/ledger/resolve.ts'
import { sweepBatches } from '../../../src/ledger/sweep.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { ledgerActs, verdict } from './acts.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const { frozenCampaign, claim, step, expire, sums } = ledgerActs(() => t)

const states = async (campaign_id: number) => {
  const rows = await t.sql<{ state: string; n: number }>(
    'select state, count(*)::int as n from deliveries where campaign_id = $1 group by 1',
    [campaign_id],
  )
  return Object.fromEntries(rows.map((row) => [row.state, row.n]))
}

/** The batches' counters against a recount of the rows. */
async function expectSumsToMatch(campaign_id: number) {
  const [recount] = await t.sql(
    `select count(*)::int as audience, (count(*) filter (where state in ('pending', 'sending', 'deferred')))::int as open,
       (count(*) filter (where state = 'sent'))::int as sent, (count(*) filter (where state = 'failed'))::int as failed,
       (count(*) filter (where state = 'skipped'))::int as skipped,
       (count(*) filter (where state = 'unconfirmed'))::int as unconfirmed
     from deliveries where campaign_id = $1`,
    [campaign_id],
  )
  expect(await sums(campaign_id)).toEqual(recount)
}

describe('claim', () => {
  test('of many claims at once one gets the batch', async () => {
    const { campaign_id } = await frozenCampaign(10)
    const claims = await Promise.all(Array.from({ length: 12 }, () => claim(campaign_id, crypto.randomUUID())))
    expect(claims.filter((c) => c.claimed)).toHaveLength(1)
    for (const c of claims) if (!c.claimed) expect(c.why).toBe('leased')
  })

  test('repeated with the same token it gives the same rows', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(5)
    const token = crypto.randomUUID()
    const first = await claim(campaign_id, token)
    expect(await claim(campaign_id, token)).toEqual(first)
    expect(first.claimed && first.rows.map((row) => row.subscriber_id)).toEqual(subscriber_ids)
  })

  test('names why somebody must not be mailed any more', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(10)
    const [a, b, c, d, e, f, g, h, i] = subscriber_ids
    await t.sql('delete from subscribers where id = $1', [a])
    await t.sql(`update subscribers set status = 'unsubscribed' where id = $1`, [b])
    await t.sql(`update list_members set status = 'unsubscribed', unsubscribed_at = now() where subscriber_id = $1`, [
      c,
    ])
    await t.sql(`update subscribers set email = 'Shouting.Person@Example.COM' where id = $1`, [d])
    await t.sql(`insert into suppressions (kind, value) values ('address', 'shouting.person@example.com')`)
    await t.sql(`update subscribers set email = 'x@blocked.example' where id = $1`, [e])
    await t.sql(`insert into suppressions (kind, value) values ('domain', 'blocked.example')`)
    await t.sql(`update subscribers set status = 'bounced' where id = $1`, [f])
    await t.sql(`update subscribers set paused_until = now() + interval '1 hour' where id = any($1::bigint[])`, [
      [c, g, h],
    ])
    await t.sql(`insert into suppressions (kind, value) select 'address', email from subscribers where id = $1`, [h])
    await t.sql(`update subscribers set paused_until = now() - interval '1 second' where id = $1`, [i])
    const claimed = await claim(campaign_id, crypto.randomUUID())
    expect(claimed.claimed && claimed.rows.map((row) => row.skip)).toEqual([
      'deleted',
      'unsubscribed',
      'unsubscribed',
      'suppressed',
      'suppressed',
      'bounced',
      'paused',
      'paused',
      null,
      null,
    ])
  })

  test('a paused campaign, or all sending stopped, is halted; a finished batch is done', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(1)
    await t.sql(`update campaigns set status = 'paused' where id = $1`, [campaign_id])
    expect(await claim(campaign_id, crypto.randomUUID())).toEqual({ claimed: false, why: 'halted' })
    await t.sql(`update campaigns set status = 'sending' where id = $1`, [campaign_id])
    await t.sql('update settings set sending = false')
    expect(await claim(campaign_id, crypto.randomUUID())).toEqual({ claimed: false, why: 'halted' })
    await t.sql('update settings set sending = true')
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids)
    await step(campaign_id, token, 1, [], [verdict(subscriber_ids[0] ?? 0, 'sent')])
    expect(await claim(campaign_id, crypto.randomUUID())).toEqual({ claimed: false, why: 'done' })
  })
})

describe('mark and record', () => {
  test('a group is marked once, and again for the same token and group number', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(4)
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    const first = await step(campaign_id, token, 0, subscriber_ids)
    expect(first.marked.sort((a, b) => a - b)).toEqual(subscriber_ids)
    expect((await step(campaign_id, token, 0, subscriber_ids)).marked).toHaveLength(4)
    expect((await step(campaign_id, token, 1, subscriber_ids)).marked).toEqual([])
    const [row] = await t.sql('select max(attempts)::int as attempts from deliveries where campaign_id = $1', [
      campaign_id,
    ])
    expect(row?.attempts).toBe(1)
  })

  test('every outcome lands where it belongs, repeats change nothing, and the sums always hold', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(6)
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids)
    const ends = ['sent', 'failed', 'unconfirmed', 'deferred', 'pending', 'skipped'] as const
    const verdicts = subscriber_ids.map((id, i) => verdict(id, ends[i] ?? 'sent'))
    for (let repeat = 0; repeat < 3; repeat++) {
      await step(campaign_id, token, 1, [], verdicts)
      expect(await states(campaign_id)).toEqual({
        sent: 1,
        failed: 1,
        unconfirmed: 1,
        deferred: 1,
        pending: 1,
        skipped: 1,
      })
      await expectSumsToMatch(campaign_id)
    }
  })

  test('two senders with the same rows: marks of both never meet', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(50)
    const [old, fresh] = [crypto.randomUUID(), crypto.randomUUID()]
    await claim(campaign_id, old)
    await expire(campaign_id)
    const [, second] = await Promise.all([step(campaign_id, old, 0, subscriber_ids), claim(campaign_id, fresh)])
    const zombie = await step(campaign_id, old, 1, subscriber_ids)
    const taken = second.claimed ? (await step(campaign_id, fresh, 0, subscriber_ids)).marked : []
    if (second.claimed) expect(zombie).toEqual({ marked: [], held: false })
    const marked = await t.sql(
      'select lease_token, count(*)::int as n from deliveries where campaign_id = $1 and lease_token is not null group by 1',
      [campaign_id],
    )
    expect(marked.reduce((sum, row) => sum + Number(row.n), 0)).toBe(50)
    expect(taken.length === 50 || taken.length === 0).toBe(true)
    await expectSumsToMatch(campaign_id)
  })

  test('a zombie cannot mark after another sender has claimed', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(5)
    const [zombie, heir] = [crypto.randomUUID(), crypto.randomUUID()]
    await claim(campaign_id, zombie)
    await expire(campaign_id)
    await claim(campaign_id, heir)
    expect(await step(campaign_id, zombie, 0, subscriber_ids)).toEqual({ marked: [], held: false })
    expect((await step(campaign_id, heir, 0, subscriber_ids)).marked).toHaveLength(5)
  })

  test('what a dead sender left becomes unconfirmed, and its late record still counts', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(5)
    const [dead, heir] = [crypto.randomUUID(), crypto.randomUUID()]
    const [a = 0, b = 0, c = 0] = subscriber_ids
    await claim(campaign_id, dead)
    await step(campaign_id, dead, 0, [a, b])
    await expire(campaign_id)
    const claimed = await claim(campaign_id, heir)
    expect(claimed.claimed && claimed.rows.map((row) => row.subscriber_id)).toEqual(subscriber_ids.slice(2))
    expect(await states(campaign_id)).toEqual({ unconfirmed: 2, pending: 3 })
    await expectSumsToMatch(campaign_id)
    const late = await step(campaign_id, dead, 1, [c], [verdict(a, 'sent')])
    expect(late).toEqual({ marked: [], held: false })
    expect(await states(campaign_id)).toEqual({ sent: 1, unconfirmed: 1, pending: 3 })
    await expectSumsToMatch(campaign_id)
  })

  test('a foreign token records nothing', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids)
    await step(
      campaign_id,
      crypto.randomUUID(),
      1,
      [],
      subscriber_ids.map((id) => verdict(id, 'sent')),
    )
    expect(await states(campaign_id)).toEqual({ sending: 2 })
  })

  test('a pause lets the marked group record and marks no other', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(4)
    const [a = 0, b = 0, c = 0, d = 0] = subscriber_ids
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, [a, b])
    await t.sql(`update campaigns set status = 'paused' where id = $1`, [campaign_id])
    const next = await step(campaign_id, token, 1, [c, d], [verdict(a, 'sent'), verdict(b, 'sent')])
    expect(next).toEqual({ marked: [], held: true })
    expect(await states(campaign_id)).toEqual({ sent: 2, pending: 2 })
  })
})

describe('settle, sweep, complete', () => {
  test('evidence turns unconfirmed into sent, once', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(3)
    const [a = 0, b = 0] = subscriber_ids
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids)
    await step(
      campaign_id,
      token,
      1,
      [],
      subscriber_ids.map((id) => verdict(id, 'unconfirmed')),
    )
    await t.sql('insert into recipient_stats (campaign_id, subscriber_id, opens) values ($1, $2, 1)', [campaign_id, a])
    const touched = [a, b].map((subscriber_id) => ({ campaign_id, subscriber_id }))
    await Promise.all([settleByEvidence(t.db, touched), settleByEvidence(t.db, touched)])
    expect(await states(campaign_id)).toEqual({ sent: 1, unconfirmed: 2 })
    await expectSumsToMatch(campaign_id)
  })

  test('a dead sender whose mail was opened counts as sent at the next claim', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const dead = crypto.randomUUID()
    await claim(campaign_id, dead)
    await step(campaign_id, dead, 0, subscriber_ids)
    await t.sql('insert into recipient_stats (campaign_id, subscriber_id, opens) values ($1, $2, 1)', [
      campaign_id,
      subscriber_ids[0],
    ])
    await expire(campaign_id)
    await claim(campaign_id, crypto.randomUUID())
    expect(await states(campaign_id)).toEqual({ sent: 1, unconfirmed: 1 })
  })

  test('the owner resolves what is unconfirmed: accept or resend', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids)
    await step(
      campaign_id,
      token,
      1,
      [],
      subscriber_ids.map((id) => verdict(id, 'unconfirmed')),
    )
    await releaseBatch(t.db, { campaign_id, batch: 0, token })
    expect(await completeCampaign(t.db, campaign_id)).toBe(true)
    expect(await resolveUnconfirmed(t.db, campaign_id, 'resend')).toBe(2)
    expect(await resolveUnconfirmed(t.db, campaign_id, 'resend')).toBe(0)
    const [row] = await t.sql('select status from campaigns where id = $1', [campaign_id])
    expect(row?.status).toBe('sending')
    await expectSumsToMatch(campaign_id)
    const again = crypto.randomUUID()
    expect(await claim(campaign_id, again)).toMatchObject({ claimed: true })
    await step(campaign_id, again, 0, subscriber_ids)
    await step(
      campaign_id,
      again,
      1,
      [],
      subscriber_ids.map((id) => verdict(id, 'unconfirmed')),
    )
    expect(await resolveUnconfirmed(t.db, campaign_id, 'accept')).toBe(2)
    expect(await states(campaign_id)).toEqual({ sent: 2 })
    await expectSumsToMatch(campaign_id)
  })

  test('the sweep takes overdue batches once, and none that is leased or paused', async () => {
    const { campaign_id } = await frozenCampaign(250)
    const token = crypto.randomUUID()
    await claim(campaign_id, token, 2)
    await t.sql(`update batches set due_at = now() - interval '1 minute' where campaign_id = $1`, [campaign_id])
    const runs = await Promise.all([sweepBatches(t.db), sweepBatches(t.db), sweepBatches(t.db)])
    const mine = runs.flat().filter((p) => p.campaign_id === campaign_id)
    expect(mine.map((p) => p.batch).sort()).toEqual([0, 1])
    expect((await sweepBatches(t.db)).filter((p) => p.campaign_id === campaign_id)).toEqual([])
  })

  test('release tells how long the next row waits, and only its holder may', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const [a = 0, b = 0] = subscriber_ids
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, [a, b])
    await step(campaign_id, token, 1, [], [verdict(a, 'sent'), verdict(b, 'deferred', { delay_seconds: 300 })])
    expect(await releaseBatch(t.db, { campaign_id, batch: 0, token: crypto.randomUUID() })).toBeNull()
    const released = await releaseBatch(t.db, { campaign_id, batch: 0, token })
    expect(released?.open).toBe(1)
    expect(released?.wait_seconds).toBeGreaterThan(290)
    const next = await claim(campaign_id, crypto.randomUUID())
    expect(next.claimed && next.rows).toEqual([])
  })

  test('a campaign is sent only when its freeze is complete and no batch has open rows', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(1)
    expect(await completeCampaign(t.db, campaign_id)).toBe(false)
    const token = crypto.randomUUID()
    await claim(campaign_id, token)
    await step(campaign_id, token, 0, subscriber_ids)
    expect(await completeCampaign(t.db, campaign_id)).toBe(false)
    await step(
      campaign_id,
      token,
      1,
      [],
      subscriber_ids.map((id) => verdict(id, 'sent')),
    )
    await t.sql('update campaigns set frozen_at = null where id = $1', [campaign_id])
    expect(await completeCampaign(t.db, campaign_id)).toBe(false)
    await t.sql('update campaigns set frozen_at = now() where id = $1', [campaign_id])
    const ended = await Promise.all([completeCampaign(t.db, campaign_id), completeCampaign(t.db, campaign_id)])
    expect(ended.filter(Boolean)).toHaveLength(1)
  })

  test('Postgres itself refuses counters that do not sum', async () => {
    const { campaign_id } = await frozenCampaign(1)
    await expect(t.sql('update batches set sent = sent + 1 where campaign_id = $1', [campaign_id])).rejects.toThrow(
      /batches_sum/,
    )
  })
})
