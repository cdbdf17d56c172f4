import { describe, expect, test } from 'vitest'
import { sesNews } from '../../../src/feedback/ses.ts'
import { sesBounce, sesComplaint, sesDelay, sesDelivery, sesEvent } from '../../support/ses-events.ts'

const TOLD = { campaign_id: 12, subscriber_id: 34, email: 'Ada@Example.com' }
const read = (event: unknown) => sesNews(JSON.stringify(event), 'sns-1')
const kinds = (event: unknown) => read(event).events.map(({ kind }) => kind)

test('a bounce: our ids, the address, the moment and the words of the far server, without the address', () => {
  const bounce = sesBounce(TOLD, { feedbackId: 'feedback-1' })
  expect(read(bounce)).toEqual({
    type: 'Bounce',
    events: [
      {
        event_id: 'ses:hard_bounce:feedback-1:0',
        source: 'ses',
        kind: 'hard_bounce',
        campaign_id: 12,
        subscriber_id: 34,
        recipient: 'ada@example.com',
        occurred_at: '2026-11-20T10:05:00.123Z',
        diagnostic: 'smtp; 550 5.1.1 <recipient>... user unknown',
        raw: JSON.stringify(bounce),
      },
    ],
  })
})

describe('what a bounce is', () => {
  test.each([
    ['Permanent', 'General', '5.1.1', 'smtp; 550 5.1.1 user unknown', 'hard_bounce'],
    ['Permanent', 'NoEmail', '5.1.1', undefined, 'hard_bounce'],
    ['Permanent', 'General', undefined, undefined, 'hard_bounce'],
    ['Permanent', 'General', '5.0.0', 'smtp; 550 mailbox unavailable', 'hard_bounce'],
    ['Permanent', 'Suppressed', '5.1.1', 'Amazon SES has suppressed sending to this address', 'hard_bounce'],
    ['Permanent', 'OnAccountSuppressionList', '5.7.1', 'on the suppression list for your account', 'hard_bounce'],
    ['Permanent', 'General', '5.7.515', 'smtp; 550 5.7.515 Access denied', 'blocked'],
    ['Permanent', 'General', undefined, 'smtp; 554 rejected due to spam content', 'blocked'],
    ['Permanent', 'General', '5.2.2', 'smtp; 552 5.2.2 mailbox full', 'soft_bounce'],
    ['Transient', 'General', undefined, undefined, 'soft_bounce'],
    ['Transient', 'MailboxFull', '4.2.2', 'smtp; 452 4.2.2 full', 'soft_bounce'],
    ['Transient', 'MessageTooLarge', '5.3.4', 'smtp; 552 5.3.4 too large', 'soft_bounce'],
    ['Transient', 'CustomTimeoutExceeded', '4.4.7', 'smtp; 550 4.4.7 Message expired', 'soft_bounce'],
    ['Transient', 'General', '4.7.0', 'smtp; 421 4.7.0 rate limited', 'blocked'],
    ['Transient', 'General', '5.1.1', 'smtp; 550 5.1.1 user unknown', 'soft_bounce'],
    ['Transient', 'ContentRejected', undefined, undefined, 'blocked'],
    ['Transient', 'AttachmentRejected', undefined, undefined, 'blocked'],
    ['Undetermined', 'Undetermined', undefined, undefined, 'soft_bounce'],
    ['Brandnew', 'Thing', '5.1.1', undefined, 'soft_bounce'],
  ])('%s, %s, %s %s: %5$s', (bounceType, bounceSubType, status, diagnosticCode, kind) => {
    expect(kinds(sesBounce(TOLD, { bounceType, bounceSubType }, { status, diagnosticCode }))).toEqual([kind])
  })
})

test('without words of a server, those of SES', () => {
  const bounce = sesBounce(
    TOLD,
    { bounceType: 'Transient', bounceSubType: 'MailboxFull' },
    { diagnosticCode: undefined },
  )
  expect(read(bounce).events[0]?.diagnostic).toBe('Transient MailboxFull')
})

test.each([
  ['a report of abuse', sesComplaint(TOLD), 'complaint'],
  ['one of no kind', sesComplaint(TOLD, { complaintFeedbackType: undefined }), 'complaint'],
  ['somebody who says that it is no spam', sesComplaint(TOLD, { complaintFeedbackType: 'not-spam' }), undefined],
  ['a report of authentication', sesComplaint(TOLD, { complaintFeedbackType: 'auth-failure' }), undefined],
  ['a complaint of another day', sesComplaint(TOLD, { complaintSubType: 'OnAccountSuppressionList' }), 'soft_bounce'],
  ['a delivery', sesDelivery(TOLD), 'delivered'],
  ['a delay', sesDelay(TOLD), 'deferred'],
  ['a virus', sesEvent('Reject', TOLD, { reject: { reason: 'Bad content' } }), 'blocked'],
  ['sent', sesEvent('Send', TOLD, { send: {} }), undefined],
  ['opened', sesEvent('Open', TOLD, { open: { ipAddress: '192.0.2.1' } }), undefined],
  ['clicked', sesEvent('Click', TOLD, { click: { link: 'https://x.example' } }), undefined],
  ['not rendered', sesEvent('Rendering Failure', TOLD, { failure: { templateName: 'x' } }), undefined],
  ['subscribed', sesEvent('Subscription', TOLD, { subscription: {} }), undefined],
])('%s', (_, event, kind) => {
  expect(kinds(event)).toEqual(kind ? [kind] : [])
  expect(read(event).type).toBe(event.eventType)
})

test('the notification of an identity: another name for the type, and ids in our header alone', () => {
  const { eventType, mail, ...rest } = sesBounce(TOLD)
  const { tags: _, ...untagged } = mail as Record<string, unknown>
  const old = { notificationType: eventType, mail: untagged, ...rest }
  expect(read(old).events).toMatchObject([{ kind: 'hard_bounce', campaign_id: 12, subscriber_id: 34 }])
})

test('several recipients are several events, each with an id and an address of its own', () => {
  const delivery = sesEvent('Delivery', TOLD, {
    delivery: { timestamp: '2026-11-20T10:00:02.000Z', recipients: ['a@example.com', 'B <b@example.com>'] },
  })
  const { events } = read(delivery)
  expect(events.map(({ recipient }) => recipient)).toEqual(['a@example.com', 'b@example.com'])
  expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(2)
})

test('the same news by two ways has one id; other news of the same mail has another', () => {
  const once = sesDelivery(TOLD)
  const id = (event: unknown, sns_id: string) => sesNews(JSON.stringify(event), sns_id).events[0]?.event_id
  expect(id(once, 'sns-1')).toBe(id({ ...once, unknown_field: 1 }, 'sns-2'))
  expect(id(once, 'sns-1')).not.toBe(id(sesDelivery(TOLD), 'sns-1'))
  const delay = sesDelay(TOLD)
  const next = {
    ...delay,
    deliveryDelay: { ...(delay.deliveryDelay as object), timestamp: '2026-11-20T10:31:00.000Z' },
  }
  expect(id(delay, 'sns-1')).not.toBe(id(next, 'sns-1'))
})

test.each([
  ['no tags, no header', { tags: {}, headers: [] }],
  ['tags of somebody else', { tags: { campaign_id: ['spring'], subscriber_id: ['-1'] }, headers: [] }],
  ['tags that are no lists', { tags: { campaign_id: '12', subscriber_id: '34' }, headers: [] }],
  ['half of the ids', { tags: { campaign_id: ['12'] }, headers: [] }],
  ['ids beyond all numbers', { tags: { campaign_id: ['99999999999999999999'], subscriber_id: ['34'] }, headers: [] }],
  ['a header of another form', { tags: null, headers: [{ name: 'X-EMK', value: '12.34.56' }] }],
  ['headers that are none', { tags: 7, headers: [null, 'X-EMK', { name: 'x-emk', value: 5 }] }],
])('a mail that is not known as ours: %s', (_, mail) => {
  expect(read(sesEvent('Delivery', TOLD, { delivery: { recipients: ['a@example.com'] } }, mail)).events).toMatchObject([
    { campaign_id: 0, subscriber_id: 0 },
  ])
})

test.each([
  ['no JSON', 'Successfully validated SNS topic for Amazon SES event publishing.'],
  ['no object', '[1, 2]'],
  ['null', 'null'],
  ['nothing of a mail', '{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have enabled"}'],
  ['a type that is no text', '{"eventType":{"toString":1}}'],
  ['a name of every object', '{"eventType":"constructor"}'],
])('%s is no event', (_, text) => {
  expect(sesNews(text, 'sns-1')).toEqual({ events: [], type: 'other' })
})

test('wrong types everywhere make no failure, and nothing that is not text gets through', () => {
  const wrong = [null, true, 7, 'text', [], {}, [[]], [null], [{}], { emailAddress: {} }]
  for (const type of ['Bounce', 'Complaint', 'Delivery', 'DeliveryDelay', 'Reject']) {
    for (const a of wrong) {
      for (const b of wrong) {
        const { events } = read({
          eventType: type,
          mail: { tags: a, headers: b, messageId: a, timestamp: b, destination: a },
          bounce: { bouncedRecipients: [a, { emailAddress: b, diagnosticCode: a, status: b }], bounceType: b },
          complaint: { complainedRecipients: a, timestamp: b, complaintFeedbackType: a },
          delivery: { recipients: [a, b], smtpResponse: a },
          deliveryDelay: a,
          reject: b,
        })
        for (const event of events) {
          expect(typeof event.event_id).toBe('string')
          expect(typeof event.occurred_at).toBe('string')
          expect([event.campaign_id, event.subscriber_id]).toEqual([0, 0])
          for (const text of [event.recipient, event.diagnostic])
            expect(text === null || typeof text === 'string').toBe(true)
        }
      }
    }
  }
})

test('nested without end, or recipients without number', () => {
  const deep = `{"eventType":"Bounce","bounce":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  expect(sesNews(deep, 'sns-1').events).toEqual([])
  const many = sesEvent('Delivery', TOLD, { delivery: { recipients: Array(10_000).fill('a@example.com') } })
  expect(read(many).events).toHaveLength(50)
})
