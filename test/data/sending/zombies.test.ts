// Senders that stop for longer than their lease and wake up again, while others take their batch over.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../../src/db/client.ts'
import { completeCampaign } from '../../../src/ledger/complete.ts'
import { resolveUnconfirmed } from '../../../src/ledger/resolve.ts'
import { ledgerSums } from '../../../src/ledger/sums.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { sendBatch } from '../../../src/sending/batch.ts'
import { SEND_SETTINGS } from '../../../src/sending/settings.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { ScriptedProvider, scriptedSender } from './scripted.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const LEASE = SEND_SETTINGS.lease_seconds * 1000

/** Everything that happens in one sender stops here. `asleep` resolves when it has come so far. */
function freeze() {
  const asleep = Promise.withResolvers<void>()
  const awake = Promise.withResolvers<void>()
  return {
    asleep: asleep.promise,
    wake: awake.resolve,
    sleep: () => {
      asleep.resolve()
      return awake.promise
    },
  }
}

/** A sender with a clock of its own, which starts to work on batch 0. */
async function start(campaign_id: number, provider: ScriptedProvider, db: Database = t.db) {
  const clock = { ms: Date.now() }
  const s = await scriptedSender(db, provider, { now: () => new Date(clock.ms) })
  const run = sendBatch(s, { campaign_id, batch: 0 }, 1, { started: clock.ms, slots: openSlots() })
  return { clock, run }
}

/** Sends what is due, without incident. */
async function heir(campaign_id: number) {
  const provider = new ScriptedProvider()
  await (await start(campaign_id, provider)).run
  return provider
}

/** A database that stops its sender after the statement that marked its nth group, with the answer on its way. */
function frozenAfterMark(nth: number, sleep: () => Promise<void>): Database {
  let marks = 0
  return new Proxy(t.db, {
    get(target, key) {
      const value = Reflect.get(target, key)
      if (key !== 'execute') return typeof value === 'function' ? value.bind(target) : value
      return (query: never) => {
        const statement = target.execute<{ marked?: number[] }>(query)
        const { execute } = statement
        // The statement itself is handed on, not a promise of it: it may be one of several in a transaction.
        return Object.assign(statement, {
          execute: async () => {
            const result = await execute()
            if (result.rows[0]?.marked?.length && ++marks === nth) await sleep()
            return result
          },
        })
      }
    },
  })
}

const expire = (campaign_id: number) =>
  t.sql(`update batches set lease_until = now() - interval '1 second' where campaign_id = $1`, [campaign_id])

const sums = async (campaign_id: number) => (await ledgerSums(t.db, [campaign_id])).get(campaign_id)

const status = async (campaign_id: number) =>
  (await t.sql('select status from campaigns where id = $1', [campaign_id]))[0]?.status

const carriedBy = (...providers: ScriptedProvider[]) =>
  providers.flatMap(({ carried }) => carried.map((mail) => mail.subscriber_id)).sort((a, b) => a - b)

describe('a sender that stops inside the send', () => {
  test('tells in the end what it sent, and marks no more: everyone is sent once', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(t, 100)
    const frozen = freeze()
    const zombie = new ScriptedProvider()
    zombie.beforeGroup = () => (zombie.groups === 2 ? frozen.sleep() : undefined)
    const { clock, run } = await start(campaign_id, zombie)
    await frozen.asleep
    await expire(campaign_id)
    const other = await heir(campaign_id)
    expect(await sums(campaign_id)).toMatchObject({ sent: 80, unconfirmed: 20, open: 0 })
    clock.ms += LEASE + 1000
    frozen.wake()
    await run
    expect(carriedBy(zombie)).toHaveLength(40)
    expect(carriedBy(zombie, other)).toEqual(subscriber_ids)
    expect(await sums(campaign_id)).toMatchObject({ sent: 100, unconfirmed: 0, open: 0 })
  })

  test('two of them on one batch, waking in the other order: everyone is sent once', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(t, 100)
    const stopped = []
    for (let i = 0; i < 2; i++) {
      const frozen = freeze()
      const provider = new ScriptedProvider()
      provider.beforeGroup = frozen.sleep
      const { run } = await start(campaign_id, provider)
      await frozen.asleep
      await expire(campaign_id)
      stopped.unshift({ provider, frozen, run })
    }
    const last = await heir(campaign_id)
    expect(await sums(campaign_id)).toMatchObject({ sent: 60, unconfirmed: 40, open: 0 })
    for (const { frozen, run } of stopped) {
      frozen.wake()
      await run
    }
    expect(carriedBy(last, ...stopped.map(({ provider }) => provider))).toEqual(subscriber_ids)
    expect(await sums(campaign_id)).toMatchObject({ sent: 100, unconfirmed: 0, open: 0 })
  })
})

describe('a sender that stops between the answer to its mark and the send', () => {
  /** One that was stopped with its second group marked, until its lease was over. */
  async function zombie(size: number) {
    const { campaign_id, subscriber_ids } = await frozenCampaign(t, size)
    const frozen = freeze()
    const provider = new ScriptedProvider()
    const { clock, run } = await start(campaign_id, provider, frozenAfterMark(2, frozen.sleep))
    await frozen.asleep
    await expire(campaign_id)
    const wake = async () => {
      clock.ms += LEASE + 1000
      frozen.wake()
      await run
    }
    return { campaign_id, subscriber_ids, provider, wake }
  }

  test('does not send the group, and gives it back to whoever comes next', async () => {
    const { campaign_id, subscriber_ids, provider, wake } = await zombie(100)
    await wake()
    expect(carriedBy(provider)).toEqual(subscriber_ids.slice(0, 20))
    expect(await sums(campaign_id)).toMatchObject({ sent: 20, open: 80, unconfirmed: 0 })
    const next = await heir(campaign_id)
    expect(carriedBy(provider, next)).toEqual(subscriber_ids)
    expect(await status(campaign_id)).toBe('sent')
  })

  test('reopens a campaign that ended without its group: the mails were surely not sent', async () => {
    const { campaign_id, subscriber_ids, provider, wake } = await zombie(60)
    const other = await heir(campaign_id)
    expect(await sums(campaign_id)).toMatchObject({ sent: 40, unconfirmed: 20, open: 0 })
    expect(await status(campaign_id)).toBe('sent')
    await wake()
    expect(await status(campaign_id)).toBe('sending')
    const next = await heir(campaign_id)
    expect(carriedBy(provider, other, next)).toEqual(subscriber_ids)
    expect(await sums(campaign_id)).toMatchObject({ sent: 60, unconfirmed: 0, open: 0 })
  })

  test('sends nobody a second time whom the owner had mailed again meanwhile', async () => {
    const { campaign_id, subscriber_ids, provider, wake } = await zombie(60)
    const other = await heir(campaign_id)
    expect(await resolveUnconfirmed(t.db, campaign_id, 'resend')).toBe(20)
    const again = await heir(campaign_id)
    expect(await status(campaign_id)).toBe('sent')
    await wake()
    expect(carriedBy(provider, other, again)).toEqual(subscriber_ids)
    expect(await sums(campaign_id)).toMatchObject({ sent: 60, unconfirmed: 0, open: 0 })
    expect(await completeCampaign(t.db, campaign_id)).toBe(false)
    expect(await status(campaign_id)).toBe('sent')
  })
})
