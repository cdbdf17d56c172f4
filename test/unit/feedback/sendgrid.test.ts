import { expect, test } from 'vitest'
import { sendGridEvent } from '../../../src/feedback/sendgrid.ts'

const AT = Date.parse('2026-11-20T10:00:00Z') / 1_000

const told = (event: string, more: object = {}) => ({
  email: 'Ada@Example.com',
  timestamp: AT,
  'smtp-id': '<14c5d75ce93.dfd.64b469@ismtpd-555>',
  event,
  category: ['cat facts'],
  sg_event_id: 'sg-event-id',
  sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
  campaign_id: '12',
  subscriber_id: '34',
  ...more,
})

test('a bounce: our ids, the address, the moment and the words of the far server, without the address', async () => {
  const bounce = told('bounce', {
    reason: '550 5.1.1 <ada@example.com>: no such user',
    status: '5.1.1',
    type: 'bounce',
    bounce_classification: 'Invalid Address',
  })
  expect(await sendGridEvent(bounce)).toEqual({
    event_id: 'sendgrid:sg-event-id',
    source: 'sendgrid',
    kind: 'hard_bounce',
    campaign_id: 12,
    subscriber_id: 34,
    recipient: 'ada@example.com',
    occurred_at: '2026-11-20T10:00:00.000Z',
    diagnostic: '550 5.1.1 <recipient>: no such user',
    raw: JSON.stringify(bounce),
  })
})

test.each([
  ['bounce', { type: 'bounce', reason: '550 5.1.1 user unknown', status: '5.1.1' }, 'hard_bounce'],
  ['bounce', { type: 'bounce', reason: '500 unknown recipient', status: '5.0.0' }, 'soft_bounce'],
  [
    'bounce',
    { type: 'bounce', reason: '550 Requested action not taken', bounce_classification: 'Invalid Address' },
    'hard_bounce',
  ],
  ['bounce', { type: 'bounce', reason: '550 5.7.515 Access denied', status: '5.7.515' }, 'blocked'],
  ['bounce', { type: 'bounce', reason: '550 refused', bounce_classification: 'Reputation' }, 'blocked'],
  ['bounce', { type: 'bounce', reason: '550 refused', bounce_classification: 'toString' }, 'soft_bounce'],
  ['bounce', { type: 'bounce', reason: '552 5.2.2 mailbox full', status: '5.2.2' }, 'soft_bounce'],
  ['bounce', { type: 'bounce' }, 'soft_bounce'],
  ['bounce', { type: 'blocked', reason: '554 5.7.1 blocked using Spamhaus', status: '5.7.1' }, 'blocked'],
  ['bounce', { type: 'blocked', reason: '450 greylisted' }, 'soft_bounce'],
  ['bounce', { type: 'blocked', reason: 'unable to get mx info', bounce_classification: 'Technical' }, 'blocked'],
  ['bounce', { type: 'blocked', reason: '550 5.1.1 user unknown', status: '5.1.1' }, 'soft_bounce'],
  ['dropped', { reason: 'Bounced Address' }, 'hard_bounce'],
  ['dropped', { reason: 'Spam Reporting Address' }, 'soft_bounce'],
  ['dropped', { reason: 'Unsubscribed Address' }, 'soft_bounce'],
  ['dropped', { reason: 'Recipient List over Package Quota' }, 'blocked'],
  ['dropped', { reason: 'Spam Content' }, 'blocked'],
  ['dropped', {}, 'blocked'],
  ['deferred', { response: '400 try again later', attempt: '5' }, 'deferred'],
  ['delivered', { response: '250 OK' }, 'delivered'],
  ['spamreport', {}, 'complaint'],
])('%s %j is %s', async (event, more, kind) => {
  expect(await sendGridEvent(told(event, more))).toMatchObject({ kind, campaign_id: 12, subscriber_id: 34 })
})

test.each(['processed', 'open', 'click'])('%s is left to others', async (event) => {
  expect(await sendGridEvent(told(event, { url: 'https://x.example', useragent: 'Mozilla' }))).toBe('ignored')
})

test.each([
  ...['unsubscribe', 'group_unsubscribe', 'group_resubscribe', 'account_status_change', 'constructor'].map((e) =>
    told(e),
  ),
  null,
  7,
  'delivered',
  [],
  {},
  { event: 1 },
  { event: null },
  [told('delivered')],
])('%j is no event that we know', async (value) => {
  expect(await sendGridEvent(value)).toBe('unknown')
})

test('without an id of its own an event has the one of its words', async () => {
  const id = async (more: object) => {
    const event = await sendGridEvent(told('delivered', { sg_event_id: undefined, ...more }))
    return typeof event === 'string' ? event : event.event_id
  }
  expect(await id({})).toMatch(/^sendgrid:[0-9a-f]{64}$/)
  expect(await id({})).toBe(await id({}))
  expect(await id({ timestamp: AT + 1 })).not.toBe(await id({}))
  expect(await id({ sg_event_id: 'x'.repeat(10_000) })).toMatch(/^sendgrid:[0-9a-f]{64}$/)
  expect(await id({ sg_event_id: { a: 1 } })).toMatch(/^sendgrid:[0-9a-f]{64}$/)
})

test('wrong types make an event of nobody at no time', async () => {
  for (const wrong of [null, true, 1.5, -1, 1e300, [], {}, '', 'x', '0', '01', '1e3', ' 12']) {
    const event = await sendGridEvent(
      told('bounce', {
        campaign_id: wrong,
        subscriber_id: wrong,
        email: wrong,
        timestamp: wrong,
        reason: wrong,
        status: wrong,
      }),
    )
    expect(event).toMatchObject({ kind: 'soft_bounce', campaign_id: 0, subscriber_id: 0, recipient: null })
  }
})
