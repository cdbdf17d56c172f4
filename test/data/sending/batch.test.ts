// The send loop over a real ledger, with a provider whose answers the test decides.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pauseCampaign, resumeCampaign } from '../../../src/campaigns/transitions.ts'
import { claimBatch } from '../../../src/ledger/claim.ts'
import { freezePage } from '../../../src/ledger/freeze.ts'
import { ledgerSums } from '../../../src/ledger/sums.ts'
import {
  ConnectionRefused,
  type Mail,
  type Outcome,
  type Provider,
  UnsendableMail,
} from '../../../src/providers/provider.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { sendBatch } from '../../../src/sending/batch.ts'
import type { Sender } from '../../../src/sending/sender.ts'
import { seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { grant, openGate, UNLIMITED } from '../../support/open-gate.ts'
import { ScriptedProvider, SENT, scriptedSender } from './scripted.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const sender = (provider: Provider<Mail>, more: Partial<Sender> = {}) => scriptedSender(t.db, provider, more)

async function frozenCampaign(size: number) {
  const seeded = await seedCampaign(t, size)
  await freezePage(t.db, seeded.campaign_id, 0, { include: [seeded.list_id], exclude: [], where: {}, sample: null })
  return seeded
}

const run = (s: Sender, campaign_id: number, batch = 0, attempts = 1) =>
  sendBatch(s, { campaign_id, batch }, attempts, { started: Date.now(), slots: openSlots() })

const sums = async (campaign_id: number) => (await ledgerSums(t.db, [campaign_id])).get(campaign_id)

const campaign = async (id: number) =>
  (await t.sql('select status, status_reason from campaigns where id = $1', [id]))[0]

/** Lets every deferred row be due now. */
const skipWait = (id: number) =>
  t.sql(`update deliveries set next_attempt_at = now() where campaign_id = $1 and state = 'deferred'`, [id])

describe('a batch', () => {
  test('sends every recipient once, in groups, and ends the campaign', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(95)
    const provider = new ScriptedProvider()
    expect(await run(await sender(provider), campaign_id)).toEqual({ ack: true })
    expect(provider.carried.map((mail) => mail.subscriber_id).sort((a, b) => a - b)).toEqual(subscriber_ids)
    expect(provider.groups).toBe(5)
    expect(provider.open).toBe(0)
    expect(await sums(campaign_id)).toEqual({ audience: 95, open: 0, sent: 95, failed: 0, skipped: 0, unconfirmed: 0 })
    expect((await campaign(campaign_id))?.status).toBe('sent')
  })

  test('each mail carries its own unsubscribe link, headers and a Message-ID that a retry repeats', async () => {
    const { campaign_id } = await frozenCampaign(2)
    const provider = new ScriptedProvider()
    provider.answer = (_, nth) => (nth <= 2 ? { kind: 'later', answer: '451 try again' } : SENT)
    const s = await sender(provider)
    await run(s, campaign_id)
    await skipWait(campaign_id)
    await run(s, campaign_id)
    const [a, b, a2, b2] = provider.carried
    expect(new Set(provider.carried.map((mail) => mail.message_id)).size).toBe(2)
    expect([a2?.message_id, b2?.message_id]).toEqual([a?.message_id, b?.message_id])
    const header = (mail: Mail | undefined, name: string) => mail?.headers.find(([key]) => key === name)?.[1]
    const [, url = 'none', mailto = ''] = /^<(.*)>, <mailto:(.*)>$/.exec(header(a, 'List-Unsubscribe') ?? '') ?? []
    expect(mailto).toMatch(/^unsubscribe\+[a-z2-7]+@in\.acme\.example\?subject=unsubscribe$/)
    expect(url).toMatch(/^https:\/\/t\.acme\.example\/u\//)
    expect(a?.html).toContain(`href="${url}"`)
    expect(a?.text).toContain(url)
    expect(b?.html).not.toContain(url)
    expect(header(a, 'List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click')
  })

  test('run by many at once it sends nobody twice', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(100)
    const provider = new ScriptedProvider()
    const s = await sender(provider)
    await Promise.all(Array.from({ length: 10 }, () => run(s, campaign_id)))
    expect(provider.carried.map((mail) => mail.subscriber_id).sort((a, b) => a - b)).toEqual(subscriber_ids)
  })

  test('every outcome ends in its own state and the sums hold', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(60)
    const kinds: Outcome[] = [
      SENT,
      { kind: 'later', answer: '450 4.2.0 greylisted', delay_seconds: 600 },
      { kind: 'never', answer: '550 5.1.1 no such user', dead: true },
      { kind: 'never', answer: '550 5.7.1 spam', dead: false },
      { kind: 'unknown', answer: 'connection lost' },
    ]
    const provider = new ScriptedProvider()
    provider.answer = (mail) => kinds[subscriber_ids.indexOf(mail.subscriber_id) % kinds.length] ?? SENT
    const answer = await run(await sender(provider), campaign_id)
    expect(await sums(campaign_id)).toEqual({
      audience: 60,
      open: 12,
      sent: 12,
      failed: 24,
      skipped: 0,
      unconfirmed: 12,
    })
    expect('retry_seconds' in answer && answer.retry_seconds).toBeGreaterThan(590)
    const reasons = await t.sql<{ reason: string; n: number }>(
      'select reason, count(*)::int as n from deliveries where campaign_id = $1 and reason is not null group by 1 order by 1',
      [campaign_id],
    )
    expect(reasons).toEqual([
      { reason: 'no_answer', n: 12 },
      { reason: 'no_such_address', n: 12 },
      { reason: 'refused', n: 12 },
      { reason: 'try_again', n: 12 },
    ])
  })

  test('only the rows still open are sent again, and they give up in the end', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(10)
    const provider = new ScriptedProvider()
    const stubborn = subscriber_ids[3]
    provider.answer = (mail) => (mail.subscriber_id === stubborn ? { kind: 'later', answer: '451 no' } : SENT)
    const s = await sender(provider)
    for (let attempt = 0; attempt < 12; attempt++) {
      await run(s, campaign_id)
      await skipWait(campaign_id)
    }
    expect(provider.carried.filter((mail) => mail.subscriber_id === stubborn)).toHaveLength(7)
    expect(provider.carried).toHaveLength(16)
    expect(await sums(campaign_id)).toMatchObject({ sent: 9, failed: 1, open: 0 })
    expect((await campaign(campaign_id))?.status).toBe('sent')
  })
})

describe('who must not be mailed', () => {
  test('is skipped with the reason, also when RECIPIENT_ALLOWLIST says so', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(4)
    await t.sql('delete from subscribers where id = $1', [subscriber_ids[0]])
    await t.sql(`update subscribers set status = 'unsubscribed' where id = $1`, [subscriber_ids[1]])
    const [row] = await t.sql<{ email: string }>('select email from subscribers where id = $1', [subscriber_ids[2]])
    const provider = new ScriptedProvider()
    await run(await sender(provider, { allowlist: (email) => email !== row?.email }), campaign_id)
    expect(provider.carried.map((mail) => mail.subscriber_id)).toEqual([subscriber_ids[3]])
    const skipped = await t.sql(
      `select reason from deliveries where campaign_id = $1 and state = 'skipped' order by 1`,
      [campaign_id],
    )
    expect(skipped.map((r) => r.reason)).toEqual(['deleted', 'not_in_allowlist', 'unsubscribed'])
    expect((await campaign(campaign_id))?.status).toBe('sent')
  })

  test('an unsubscribe that SQL does not know yet holds its row back', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(2)
    const [left = 0, other] = subscriber_ids
    const provider = new ScriptedProvider()
    const answer = await run(
      await sender(provider, { optoutsOf: async () => new Map([[left, Date.now()]]) }),
      campaign_id,
    )
    expect(provider.carried.map((mail) => mail.subscriber_id)).toEqual([other])
    expect('retry_seconds' in answer && answer.retry_seconds).toBeGreaterThan(100)
    expect(await sums(campaign_id)).toMatchObject({ sent: 1, open: 1 })
  })

  test('an ordinary subscription that an import wrote after the unsubscribe does not', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(1)
    const [id = 0] = subscriber_ids
    await t.sql(`insert into consents (subscriber_id, action, source) values ($1, 'subscribed', 'import')`, [id])
    const provider = new ScriptedProvider()
    const optoutsOf = async () => new Map([[id, Date.now() - 60_000]])
    await run(await sender(provider, { optoutsOf }), campaign_id)
    expect(provider.carried).toHaveLength(0)
  })

  test('a consent newer than the unsubscribe lets the mail go', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(1)
    const [id = 0] = subscriber_ids
    await t.sql(`insert into consents (subscriber_id, action, source) values ($1, 'resubscribed', 'test')`, [id])
    const provider = new ScriptedProvider()
    const optoutsOf = async () => new Map([[id, Date.now() - 60_000]])
    await run(await sender(provider, { optoutsOf }), campaign_id)
    expect(provider.carried).toHaveLength(1)
  })

  test('coming back to another list does not, to one of the campaign’s does', async () => {
    const { campaign_id, list_id, subscriber_ids } = await frozenCampaign(2)
    const [left = 0, back = 0] = subscriber_ids
    const [other] = await t.sql(`insert into mailing_lists (name) values ('another') returning id`)
    await t.sql(
      `insert into consents (subscriber_id, list_id, action, source)
       values ($1, $2, 'resubscribed', 'test'), ($3, $4, 'resubscribed', 'test')`,
      [left, other?.id, back, list_id],
    )
    const provider = new ScriptedProvider()
    const at = Date.now() - 60_000
    const optoutsOf = async () => new Map([left, back].map((id) => [id, at]))
    await run(await sender(provider, { optoutsOf }), campaign_id)
    expect(provider.carried.map((mail) => mail.subscriber_id)).toEqual([back])
  })

  test('nobody is mailed while nobody can say who unsubscribed', async () => {
    const { campaign_id } = await frozenCampaign(3)
    const provider = new ScriptedProvider()
    const optoutsOf = async () => Promise.reject(new Error('down'))
    expect(await run(await sender(provider, { optoutsOf }), campaign_id)).toEqual({ retry_seconds: 60 })
    expect(provider.carried).toEqual([])
    expect(await sums(campaign_id)).toMatchObject({ open: 3 })
  })
})

describe('faults', () => {
  test('a sender that dies in a group leaves only that group unconfirmed; the rest is sent', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(100)
    const dying = new ScriptedProvider()
    dying.beforeGroup = () => {
      if (dying.groups === 3) throw new Error('killed')
    }
    await expect(run(await sender(dying), campaign_id)).rejects.toThrow('killed')
    const heir = new ScriptedProvider()
    await run(await sender(heir), campaign_id)
    const twice = heir.carried.filter((mail) => dying.carried.some((m) => m.subscriber_id === mail.subscriber_id))
    expect(twice).toEqual([])
    expect(await sums(campaign_id)).toEqual({
      audience: 100,
      open: 0,
      sent: 80,
      failed: 0,
      skipped: 0,
      unconfirmed: 20,
    })
    expect(new Set([...dying.carried, ...heir.carried].map((m) => m.subscriber_id)).size).toBe(80)
    expect(subscriber_ids).toHaveLength(100)
  })

  test('an account at fault pauses the campaign, and nobody is lost or blamed', async () => {
    const { campaign_id } = await frozenCampaign(50)
    const provider = new ScriptedProvider()
    provider.answer = (_, nth) => (nth > 25 ? { kind: 'stop', answer: '535 5.7.8 bad credentials' } : SENT)
    const s = await sender(provider)
    await run(s, campaign_id)
    expect(await sums(campaign_id)).toEqual({ audience: 50, open: 25, sent: 25, failed: 0, skipped: 0, unconfirmed: 0 })
    expect(await campaign(campaign_id)).toEqual({
      status: 'paused',
      status_reason: 'Account main: 535 5.7.8 bad credentials',
    })
    provider.answer = () => SENT
    await t.sql(`update campaigns set status = 'sending' where id = $1`, [campaign_id])
    await run(s, campaign_id)
    expect(await sums(campaign_id)).toMatchObject({ sent: 50, open: 0 })
    expect(new Set(provider.carried.slice(25).map((m) => m.subscriber_id)).size).toBe(25)
  })

  test('an account that cannot be reached costs no attempt', async () => {
    const { campaign_id } = await frozenCampaign(3)
    const provider = new ScriptedProvider()
    provider.refuse = new ConnectionRefused({ kind: 'later', answer: 'connection refused' })
    const s = await sender(provider)
    expect(await run(s, campaign_id, 0, 2)).toEqual({ retry_seconds: 120 })
    expect(await campaign(campaign_id)).toEqual({
      status: 'sending',
      status_reason: 'Account main: connection refused',
    })
    provider.refuse = null
    await run(s, campaign_id)
    const [row] = await t.sql('select max(attempts)::int as attempts from deliveries where campaign_id = $1', [
      campaign_id,
    ])
    expect(row?.attempts).toBe(1)
    expect(await campaign(campaign_id)).toEqual({ status: 'sent', status_reason: null })
  })

  test('an account that can be reached again is no longer named as what holds the campaign up', async () => {
    const { campaign_id } = await frozenCampaign(2)
    const provider = new ScriptedProvider()
    provider.refuse = new ConnectionRefused({ kind: 'later', answer: 'connection refused' })
    const s = await sender(provider)
    await run(s, campaign_id)
    provider.refuse = null
    provider.answer = (_, nth) => (nth === 1 ? { kind: 'later', answer: '451 try again' } : SENT)
    await run(s, campaign_id, 0, 2)
    expect(await campaign(campaign_id)).toEqual({ status: 'sending', status_reason: null })
  })

  test('a pause lets the group on the wire end and no other begin', async () => {
    const { campaign_id } = await frozenCampaign(100)
    const provider = new ScriptedProvider()
    provider.beforeGroup = () => (provider.groups === 2 ? pauseCampaign(t.db, campaign_id, 'test') : undefined)
    await run(await sender(provider), campaign_id)
    expect(provider.carried).toHaveLength(40)
    expect(await sums(campaign_id)).toMatchObject({ sent: 40, open: 60 })
  })

  test('a mail that no server would take fails for that person only', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(45)
    const bad = new Set(subscriber_ids.slice(0, 25))
    const provider = new ScriptedProvider()
    provider.prepare = (mail) => {
      if (bad.has(mail.subscriber_id)) throw new UnsendableMail(`the address ${mail.to.email} has a control character`)
      return mail
    }
    await run(await sender(provider), campaign_id)
    expect(await sums(campaign_id)).toEqual({ audience: 45, open: 0, sent: 20, failed: 25, skipped: 0, unconfirmed: 0 })
    const [row] = await t.sql(
      `select answer from deliveries where campaign_id = $1 and reason = 'not_sendable' limit 1`,
      [campaign_id],
    )
    expect(row?.answer).toBe('the address <recipient> has a control character')
  })

  test('no permit, or sending switched off: the batch goes back untouched', async () => {
    const { campaign_id } = await frozenCampaign(2)
    const provider = new ScriptedProvider()
    const full = openGate({ take: () => ({ wait_ms: 60_000, factor: 'connections', reason: null }) })
    expect(await run(await sender(provider, { gate: () => full }), campaign_id)).toEqual({ ack: true })
    expect(await run(await sender(provider, { sending: false }), campaign_id)).toEqual({ ack: true })
    expect(provider.carried).toEqual([])
    const [batch] = await t.sql(
      "select lease_token, due_at < now() + interval '2 minutes' as soon from batches where campaign_id = $1",
      [campaign_id],
    )
    expect(batch).toEqual({ lease_token: null, soon: true })
  })

  describe('while Postgres is away, what is known of a group is kept until it is recorded:', () => {
    /** Fails so many statements once the first mail is out. */
    const flaky = (provider: ScriptedProvider, broken: number) =>
      new Proxy(t.db, {
        get(target, key) {
          const value = Reflect.get(target, key)
          if (key !== 'execute') return typeof value === 'function' ? value.bind(target) : value
          return (query: never) => {
            if (provider.carried.length > 0 && broken-- > 0) return Promise.reject(new Error('database away'))
            return target.execute(query)
          }
        },
      })

    test('mails that were sent', async () => {
      const { campaign_id } = await frozenCampaign(20)
      const provider = new ScriptedProvider()
      await run({ ...(await sender(provider)), db: flaky(provider, 3) }, campaign_id)
      expect(await sums(campaign_id)).toMatchObject({ sent: 20, open: 0 })
    })

    test('before a connection that cannot be made anew', async () => {
      const { campaign_id } = await frozenCampaign(40)
      const provider = new ScriptedProvider()
      provider.per_connection = 20
      provider.beforeGroup = () => {
        provider.refuse = new ConnectionRefused({ kind: 'later', answer: 'connection refused' })
      }
      const answer = await run({ ...(await sender(provider)), db: flaky(provider, 3) }, campaign_id)
      expect(answer).toEqual({ retry_seconds: 60 })
      expect(await sums(campaign_id)).toMatchObject({ sent: 20, open: 20 })
      expect(await campaign(campaign_id)).toEqual({
        status: 'sending',
        status_reason: 'Account main: connection refused',
      })
    })

    test('before a pause', async () => {
      const { campaign_id } = await frozenCampaign(20)
      const provider = new ScriptedProvider()
      provider.answer = (_, nth) => (nth > 15 ? { kind: 'stop', answer: '535 no' } : SENT)
      await run({ ...(await sender(provider)), db: flaky(provider, 3) }, campaign_id)
      expect(await sums(campaign_id)).toMatchObject({ sent: 15, open: 5 })
      expect((await campaign(campaign_id))?.status).toBe('paused')
      expect(
        await t.sql(`select 1 from deliveries where campaign_id = $1 and state = 'sending'`, [campaign_id]),
      ).toEqual([])
    })
  })

  test('a mail nobody could foresee does not cost the outcomes of the group before it', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(30)
    const provider = new ScriptedProvider()
    provider.prepare = (mail) => {
      if (mail.subscriber_id === subscriber_ids[25]) throw new TypeError('unforeseen')
      return mail
    }
    await expect(run(await sender(provider), campaign_id)).rejects.toThrow('unforeseen')
    expect(await sums(campaign_id)).toMatchObject({ sent: 20, open: 10, unconfirmed: 0 })
    expect(await t.sql(`select 1 from deliveries where campaign_id = $1 and state = 'sending'`, [campaign_id])).toEqual(
      [],
    )
  })
})

test('a slow start is not made up for: groups keep the account’s rate from the first one on', async () => {
  const { campaign_id } = await frozenCampaign(60)
  let clock = Date.now()
  const starts: number[] = []
  const provider = new ScriptedProvider()
  provider.beforeGroup = () => starts.push(clock)
  const connect = provider.connect.bind(provider)
  provider.connect = async () => {
    clock += 3000
    return connect()
  }
  const s = await sender(provider, {
    candidates: () => [{ name: 'main', provider: provider as Provider, limits: { ...UNLIMITED, rate_per_second: 50 } }],
    now: () => new Date(clock),
    sleep: async (ms) => {
      clock += Math.max(0, ms)
    },
  })
  await sendBatch(s, { campaign_id, batch: 0 }, 1, { started: clock, slots: openSlots() })
  const [first = 0, ...others] = starts
  expect(others.map((start) => start - first)).toEqual([400, 800])
})

describe('pointers', () => {
  const dueIn = async (campaign_id: number) =>
    (
      await t.sql<{ s: number }>(
        'select extract(epoch from due_at - now())::float8 as s from batches where campaign_id = $1',
        [campaign_id],
      )
    )[0]?.s

  test('a halted batch is looked at again soon after sending goes on', async () => {
    const { campaign_id } = await frozenCampaign(2)
    await t.sql('update settings set sending = false')
    expect(await run(await sender(new ScriptedProvider()), campaign_id)).toEqual({ ack: true })
    await t.sql('update settings set sending = true')
    expect(await dueIn(campaign_id)).toBeLessThan(70)
  })

  test('a batch that a dead sender held is looked at again as soon as there may be a permit', async () => {
    const { campaign_id } = await frozenCampaign(2)
    await claimBatch(t.db, { campaign_id, batch: 0, token: crypto.randomUUID(), lease_seconds: 1 })
    await t.sql(
      `update batches set lease_until = now() - interval '1 second', due_at = now() + interval '30 minutes'
       where campaign_id = $1`,
      [campaign_id],
    )
    const full = openGate({ take: () => ({ wait_ms: 40_000, factor: 'rate', reason: null }) })
    expect(await run(await sender(new ScriptedProvider(), { gate: () => full }), campaign_id)).toEqual({ ack: true })
    expect(await dueIn(campaign_id)).toBeLessThan(70)
  })

  test('one too many does not live on while rows wait, and the sweep knows when they are due', async () => {
    const { campaign_id } = await frozenCampaign(2)
    const provider = new ScriptedProvider()
    provider.answer = () => ({ kind: 'later', answer: '451 no' })
    const s = await sender(provider)
    expect(await run(s, campaign_id)).toEqual({ retry_seconds: 60 })
    await t.sql(`update batches set due_at = now() + interval '15 minutes' where campaign_id = $1`, [campaign_id])
    expect(await run(s, campaign_id)).toEqual({ ack: true })
    expect(await dueIn(campaign_id)).toBeLessThan(130)
  })

  test('asks the gate of a rate for the mails that are due, and for none when nothing is', async () => {
    const { campaign_id } = await frozenCampaign(3)
    const provider = new ScriptedProvider()
    provider.answer = (_, nth) => (nth === 1 ? { kind: 'later', answer: '451 no' } : SENT)
    const asked: number[] = []
    const used: number[] = []
    const s = await sender(provider, {
      candidates: () => [
        { name: 'main', provider: provider as Provider, limits: { ...UNLIMITED, rate_per_second: 50 } },
      ],
      gate: () =>
        openGate({
          take: (asking) => {
            asked.push(asking.mails)
            return grant(asking)
          },
          giveBack: (_, report) => used.push(report.used),
        }),
    })
    await run(s, campaign_id)
    expect(await run(s, campaign_id)).toEqual({ ack: true })
    expect(provider.carried).toHaveLength(3)
    await skipWait(campaign_id)
    await run(s, campaign_id)
    expect(asked).toEqual([3, 1])
    expect(used).toEqual([3, 1])
    expect((await campaign(campaign_id))?.status).toBe('sent')
  })
})

describe('mails that cannot be rendered', () => {
  /** Data nested deeper than a template may read. */
  const spoil = (ids: readonly number[]) =>
    t.sql(`update subscribers set attributes = $2::jsonb where id = any($1::bigint[])`, [
      ids,
      `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
    ])
  const failures = (id: number) =>
    t.sql(`select reason, count(*)::int as n from deliveries where campaign_id = $1 and state = 'failed' group by 1`, [
      id,
    ])

  test('one in a hundred fails with the reason, and the others get theirs', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(100)
    await spoil(subscriber_ids.slice(30, 31))
    const provider = new ScriptedProvider()
    await run(await sender(provider), campaign_id)
    expect(await sums(campaign_id)).toMatchObject({ sent: 99, failed: 1, open: 0 })
    expect(await campaign(campaign_id)).toEqual({ status: 'sent', status_reason: null })
    const [row] = await t.sql(
      `select subscriber_id::float8 as subscriber_id, reason, answer, attempts from deliveries where campaign_id = $1 and state = 'failed'`,
      [campaign_id],
    )
    expect(row).toEqual({
      subscriber_id: subscriber_ids[30],
      reason: 'not_rendered',
      answer: expect.stringContaining('nested more than 32 deep'),
      attempts: 0,
    })
  })

  test('more pause the campaign: what is on the wire is recorded, the rest waits and goes on when resumed', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(100)
    await spoil(subscriber_ids.slice(45, 60))
    const provider = new ScriptedProvider()
    const s = await sender(provider)
    await run(s, campaign_id)
    // Two groups were complete; the third was given up at its second failure.
    expect(await sums(campaign_id)).toMatchObject({ sent: 40, failed: 2, open: 58 })
    expect(provider.open).toBe(0)
    const { status, status_reason } = (await campaign(campaign_id)) ?? {}
    expect(status).toBe('paused')
    expect(status_reason).toMatch(/^2 of the 100 mails of a batch could not be rendered, .*nested more than 32 deep/)
    expect(status_reason).toContain('cancel this campaign, duplicate it')
    expect(status_reason).not.toContain('@')

    expect(await run(s, campaign_id)).toEqual({ ack: true })
    expect(await failures(campaign_id)).toEqual([{ reason: 'not_rendered', n: 2 }])
    for (let times = 0; (await campaign(campaign_id))?.status !== 'sent' && times < 20; times++) {
      await resumeCampaign(t.db, campaign_id)
      await run(s, campaign_id)
    }
    expect(await sums(campaign_id)).toMatchObject({ sent: 85, failed: 15, open: 0 })
    expect(new Set(provider.carried.map((mail) => mail.subscriber_id)).size).toBe(85)
    expect(provider.carried).toHaveLength(85)
  })

  test('in a batch of ten one is enough; at the very end there is nothing left to pause', async () => {
    const early = await frozenCampaign(10)
    await spoil(early.subscriber_ids.slice(0, 1))
    await run(await sender(new ScriptedProvider()), early.campaign_id)
    expect(await sums(early.campaign_id)).toMatchObject({ sent: 0, failed: 1, open: 9 })
    expect((await campaign(early.campaign_id))?.status).toBe('paused')

    const late = await frozenCampaign(1)
    await spoil(late.subscriber_ids)
    await run(await sender(new ScriptedProvider()), late.campaign_id)
    expect(await campaign(late.campaign_id)).toEqual({ status: 'sent', status_reason: null })
  })

  test('a template that fails for everybody stops each batch at its second mail', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(300)
    await spoil(subscriber_ids)
    const provider = new ScriptedProvider()
    const s = await sender(provider)
    for (const batch of [0, 1, 2]) await run(s, campaign_id, batch)
    expect(provider.carried).toEqual([])
    expect(await sums(campaign_id)).toMatchObject({ failed: 2, open: 298 })
    expect((await campaign(campaign_id))?.status).toBe('paused')
  })

  test('content that a newer release does not compile pauses the campaign and fails nobody', async () => {
    const { campaign_id } = await frozenCampaign(3)
    await t.sql(`update campaigns set snapshot = jsonb_set(snapshot, '{html}', '"<p>{{#if}}"') where id = $1`, [
      campaign_id,
    ])
    expect(await run(await sender(new ScriptedProvider()), campaign_id)).toEqual({ ack: true })
    expect(await sums(campaign_id)).toMatchObject({ failed: 0, open: 3 })
    expect(await campaign(campaign_id)).toEqual({
      status: 'paused',
      status_reason: expect.stringMatching(/^Its content cannot be rendered: html/),
    })
  })
})
