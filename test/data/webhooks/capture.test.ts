import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cancelCampaign, pauseCampaign, resumeCampaign } from '../../../src/campaigns/transitions.ts'
import { flushEvents } from '../../../src/events/flush.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { completeCampaign } from '../../../src/ledger/complete.ts'
import { advance } from '../../../src/ledger/record.ts'
import { leaveList } from '../../../src/lists/leave.ts'
import { deleteSubscriber } from '../../../src/subscribers/delete.ts'
import type { SubscriberRow } from '../../../src/subscribers/row.ts'
import { writeSubscribers } from '../../../src/subscribers/write.ts'
import { frozenCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { insertEndpoint, taken } from '../../support/webhooks.ts'
import { event } from '../events/events.ts'
import { news, sentCampaign } from '../feedback/news.ts'

const HASH_KEY = 'a key of this test, long enough to be one'
const DELIVERY_EVENTS = ['sent', 'failed', 'delivered', 'bounced', 'complained', 'opened', 'clicked'].map(
  (name) => `delivery.${name}`,
)

let t: TestDatabase
let all: number
let deliveries: number
beforeAll(async () => {
  t = await openTestDatabase()
  await t.sql('update settings set pause_complaint_share = 1, pause_bounce_share = 1, pause_block_share = 1')
  all = (await insertEndpoint(t)).id
  deliveries = (await insertEndpoint(t, DELIVERY_EVENTS)).id
})
afterAll(() => t.close())
beforeEach(() => t.sql('delete from webhook_messages'))

const write = async (mode: 'create' | 'update' | 'upsert', row: SubscriberRow) => {
  const [answer] = await writeSubscribers(t.db, HASH_KEY, mode, [row])
  if (answer?.refusal) throw new Error(answer.refusal)
  return Number(answer?.id)
}
const newList = async () =>
  Number((await t.sql('insert into mailing_lists (name) values ($1) returning id', [crypto.randomUUID()]))[0]?.id)
const someone = () => `${crypto.randomUUID()}@example.com`
const told = async (endpoint_id = all) => (await taken(t, endpoint_id)).map(({ type, payload }) => [type, payload])
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()

describe('what happens to a subscriber', () => {
  test('is told of a write by API or import: created, subscribed, changed, left, and back', async () => {
    const list_id = await newList()
    const email = someone()
    const subscriber_id = await write('upsert', { email, list_ids: [list_id], consent_source: 'form at the fair' })
    expect(await told()).toEqual([
      ['subscriber.created', { subscriber_id, status: 'active' }],
      ['subscriber.subscribed', { subscriber_id, list_id, source: 'form at the fair' }],
    ])

    await write('update', { id: subscriber_id, first_name: 'Ada', attributes: { plan: 'pro' } })
    expect(await told()).toEqual([['subscriber.updated', { subscriber_id, changed: ['first_name', 'attributes'] }]])
    await write('update', { id: subscriber_id, first_name: 'Ada' })
    expect(await told()).toEqual([])

    await leaveList(t.db, list_id, subscriber_id)
    await leaveList(t.db, list_id, subscriber_id)
    expect(await told()).toEqual([['subscriber.unsubscribed', { subscriber_id, list_id, source: 'api' }]])

    const later = new Date(Date.now() + 1000).toISOString()
    await write('update', {
      ...{ id: subscriber_id, list_ids: [list_id] },
      ...{ resubscribe: true, consented_at: later, consent_source: 'asked by phone' },
    })
    expect(await told()).toEqual([['subscriber.resubscribed', { subscriber_id, list_id, source: 'asked by phone' }]])

    await write('update', { id: subscriber_id, status: 'unsubscribed' })
    const of = { subscriber_id, list_id: null, source: 'set to unsubscribed' }
    expect(await told()).toEqual([
      ['subscriber.unsubscribed', { ...of, status: 'unsubscribed', previous_status: 'active' }],
    ])
  })

  test('is told of an unsubscribe by link once it is flushed, once', async () => {
    const { campaign_id, list_id, subscriber_ids } = await sentCampaign(t, 1)
    const [subscriber_id = 0] = subscriber_ids
    await t.sql('delete from webhook_messages')
    const left = event('unsubscribe', campaign_id, subscriber_id)
    await flushEvents(t.db, [left])
    await flushEvents(t.db, [left])
    const source = `unsubscribe link, campaign ${campaign_id}`
    expect(await told()).toEqual([['subscriber.unsubscribed', { subscriber_id, list_id, source }]])

    await flushEvents(t.db, [event('unsubscribe', campaign_id, subscriber_id, { scope: 'all' })])
    expect(await told()).toEqual([
      [
        'subscriber.unsubscribed',
        { subscriber_id, list_id: null, source, status: 'unsubscribed', previous_status: 'active' },
      ],
    ])
    // An opt-out that a later consent has overruled changes nothing, and is not told.
    await write('update', {
      ...{ id: subscriber_id, status: 'active', resubscribe: true },
      ...{ consented_at: new Date(Date.now() + 1000).toISOString(), consent_source: 'test' },
    })
    await t.sql('delete from webhook_messages')
    await flushEvents(t.db, [
      event('unsubscribe', campaign_id, subscriber_id, { scope: 'all', occurred_at: minutesAgo(5) }),
    ])
    expect(await told()).toEqual([])
  })

  test('is told of a dead address and of a complaint', async () => {
    const { campaign_id, list_id, subscriber_ids } = await sentCampaign(t, 2)
    const [dead = 0, angry = 0] = subscriber_ids
    await t.sql('delete from webhook_messages')
    await recordFeedback(t.db, [news('hard_bounce', campaign_id, dead), news('complaint', campaign_id, angry)])
    const source = `complaint, campaign ${campaign_id} (ses)`
    expect(await told()).toEqual([
      ['subscriber.unsubscribed', { subscriber_id: angry, list_id, source }],
      ['subscriber.bounced', { subscriber_id: dead, status: 'bounced', previous_status: 'active' }],
      ['subscriber.complained', { subscriber_id: angry, status: 'complained', previous_status: 'active' }],
    ])
  })

  test('is told of their deletion by id alone, and all else that was told of them is dropped', async () => {
    const email = someone()
    const subscriber_id = await write('upsert', { email, list_ids: [await newList()], consent_source: 'form' })
    const other = await write('upsert', { email: someone() })
    await t.sql(
      `insert into webhook_attempts (message_id, response, duration_ms)
       select id, $1, 1 from webhook_messages where subscriber_id = $2`,
      [`thanks for ${email}`, subscriber_id],
    )
    expect(await deleteSubscriber(t.db, HASH_KEY, subscriber_id)).toBe(true)
    expect(await t.sql('select response from webhook_attempts')).toEqual([])
    expect(await told()).toEqual([
      ['subscriber.created', { subscriber_id: other, status: 'active' }],
      ['subscriber.deleted', { subscriber_id }],
    ])
  })
})

describe('the life of a campaign', () => {
  test('is told: scheduled, unscheduled, started, paused, resumed, sent, cancelled', async () => {
    const { campaign_id } = await frozenCampaign(t, 1)
    const turn = (set: string) => t.sql(`update campaigns set ${set} where id = $1`, [campaign_id])
    await turn(`status = 'draft'`)
    await t.sql('delete from webhook_messages')
    await turn(`status = 'scheduled', scheduled_at = now()`)
    await turn(`status = 'draft', status_reason = 'too late'`)
    await turn(`name = 'Other', status_reason = null`)
    await turn(`status = 'sending'`)
    await pauseCampaign(t.db, campaign_id, 'by hand')
    await resumeCampaign(t.db, campaign_id)
    await t.sql(`update deliveries set state = 'sent' where campaign_id = $1`, [campaign_id])
    await t.sql('update batches set sent = open, open = 0 where campaign_id = $1', [campaign_id])
    expect(await completeCampaign(t.db, campaign_id)).toBe(true)
    await turn(`status = 'sending', finished_at = null`)
    await cancelCampaign(t.db, campaign_id)
    const said = (await told()).map(([type, payload]) => {
      const { previous_status, status, reason } = payload as Record<string, unknown>
      return [type, previous_status, status, reason]
    })
    expect(said).toEqual([
      ['campaign.scheduled', 'draft', 'scheduled', null],
      ['campaign.unscheduled', 'scheduled', 'draft', 'too late'],
      ['campaign.started', 'draft', 'sending', null],
      ['campaign.paused', 'sending', 'paused', 'by hand'],
      ['campaign.resumed', 'paused', 'sending', null],
      ['campaign.sent', 'sending', 'sent', null],
      ['campaign.resumed', 'sent', 'sending', null],
      ['campaign.cancelled', 'sending', 'cancelled', null],
    ])
  })
})

describe('what becomes of single deliveries', () => {
  test('is told to those who name it, and to nobody else', async () => {
    const { campaign_id, subscriber_ids } = await frozenCampaign(t, 2)
    const [good = 0, bad = 0] = subscriber_ids
    await t.sql('delete from webhook_messages')
    const token = crypto.randomUUID()
    await t.sql(
      `update batches set lease_token = $1, lease_until = now() + interval '1 minute' where campaign_id = $2`,
      [token, campaign_id],
    )
    const step = { campaign_id, batch: 0, token, lease_seconds: 60, account: 'main' }
    const { marked } = await advance(t.db, { ...step, verdicts: [], group_no: 0, mark: subscriber_ids })
    expect(marked.sort()).toEqual([good, bad])
    expect(await told(deliveries)).toEqual([])
    const verdict = { answer: 'said', delay_seconds: null, provider_message_id: null }
    const verdicts = [
      { ...verdict, subscriber_id: good, state: 'sent' as const, reason: null },
      { ...verdict, subscriber_id: bad, state: 'failed' as const, reason: 'refused' },
    ]
    // Recorded twice, as after a lost answer.
    for (const _ of [1, 2]) await advance(t.db, { ...step, verdicts, group_no: 1, mark: [] })
    expect(await told(deliveries)).toEqual([
      ['delivery.sent', { campaign_id, subscriber_id: good, occurred_at: expect.stringMatching(/^2\d{3}-.*Z$/) }],
      ['delivery.failed', { campaign_id, subscriber_id: bad, reason: 'refused' }],
    ])
    await t.sql('update deliveries set answer = null where campaign_id = $1', [campaign_id])
    expect(await told(deliveries)).toEqual([])
    expect(await told()).toEqual([])
  })

  test('of its news the first of each kind, of its readers the first that is held to be a person', async () => {
    const { campaign_id, subscriber_ids } = await sentCampaign(t, 1)
    const [subscriber_id = 0] = subscriber_ids
    await t.sql('delete from webhook_messages')
    const of = { campaign_id, subscriber_id }
    await recordFeedback(t.db, [
      news('delivered', campaign_id, subscriber_id),
      news('soft_bounce', campaign_id, subscriber_id),
    ])
    await recordFeedback(t.db, [
      news('delivered', campaign_id, subscriber_id),
      news('complaint', campaign_id, subscriber_id),
    ])
    const occurred_at = expect.any(String)
    expect(await told(deliveries)).toEqual([
      ['delivery.bounced', { ...of, kind: 'soft', occurred_at }],
      ['delivery.delivered', { ...of, occurred_at }],
      ['delivery.complained', { ...of, occurred_at }],
    ])
    await flushEvents(t.db, [event('open', campaign_id, subscriber_id, { verdict: 'machine' })])
    expect(await told(deliveries)).toEqual([])
    await flushEvents(t.db, [event('open', campaign_id, subscriber_id), event('click', campaign_id, subscriber_id)])
    await flushEvents(t.db, [event('open', campaign_id, subscriber_id), event('click', campaign_id, subscriber_id)])
    expect(await told(deliveries)).toEqual([
      ['delivery.opened', of],
      ['delivery.clicked', of],
    ])
  })
})

describe('nothing is written down', () => {
  test('for an endpoint that is disabled, or wants something else', async () => {
    await t.sql(`update webhook_endpoints set enabled = false, disabled_reason = 'test' where id = $1`, [all])
    const { id } = await insertEndpoint(t, ['campaign.sent', 'subscriber.deleted'])
    const subscriber_id = await write('upsert', { email: someone() })
    expect(await t.sql('select 1 from webhook_messages')).toEqual([])
    await deleteSubscriber(t.db, HASH_KEY, subscriber_id)
    expect(await told(id)).toEqual([['subscriber.deleted', { subscriber_id }]])
    expect(await t.sql('select 1 from webhook_messages')).toEqual([])
    await t.sql('delete from webhook_endpoints where id = $1', [id])
    await t.sql('update webhook_endpoints set enabled = true, disabled_reason = null where id = $1', [all])
  })

  test('of a change that is rolled back', async () => {
    const email = someone()
    await expect(
      t.db.batch([t.db.execute(`insert into subscribers (email) values ('${email}')`), t.db.execute('select 1 / 0')]),
    ).rejects.toThrow()
    expect(await told()).toEqual([])
  })

  test('for an endpoint that is being deleted, and the change holds', async () => {
    const { id } = await insertEndpoint(t)
    const [deleting, changing] = [new Client({ connectionString: t.url }), new Client({ connectionString: t.url })]
    try {
      await Promise.all([deleting.connect(), changing.connect()])
      await deleting.query('begin')
      await deleting.query('delete from webhook_endpoints where id = $1', [id])
      const changed = changing.query('insert into subscribers (email) values ($1)', [someone()])
      const waits = () =>
        t.sql(`select from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into subscribers%'`)
      await expect.poll(waits).toHaveLength(1)
      await deleting.query('commit')
      expect((await changed).rowCount).toBe(1)
    } finally {
      await Promise.all([deleting.end(), changing.end()])
    }
    expect((await told()).map(([type]) => type)).toEqual(['subscriber.created'])
  })
})

test('a statement of many rows does not compare each with each, whatever was planned before', async () => {
  const rows = async (from: number, to: number) => {
    await t.sql(
      `insert into recipient_stats (campaign_id, subscriber_id) select 999, i from generate_series($1::int, $2::int) i`,
      [from, to],
    )
    await t.sql(
      `update recipient_stats set opens = 1, human_opens = (subscriber_id % 1000 = 1)::int
       where campaign_id = 999 and subscriber_id between $1 and $2`,
      [from, to],
    )
  }
  for (let i = 1; i <= 6; i++) await rows(i, i)
  // Each with each would be 1.6 billion: far longer than a statement may take.
  await rows(101, 40_100)
  expect(await told(deliveries)).toHaveLength(41)
})
