import { neonConfig } from '@neondatabase/serverless'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { sesBounce, sesComplaint, sesDelay, sesDelivery, sesEvent, type Told } from '../support/ses-events.ts'
import { type SnsFields, type SnsSigner, snsSigner } from '../support/sns.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { consequences, endless, post, sentMails, watchedWorld } from './webhooks.ts'

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:ses-events'
const FOREIGN = 'arn:aws:sns:eu-west-1:210987654321:ses-events'
const CERTIFICATE = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem'
const DAY = 86_400_000

let worker: TestWorker
let world: ReturnType<typeof watchedWorld>
let amazon: SnsSigner
let forger: SnsSigner
let mails: Told[]
let next = 0
beforeAll(async () => {
  worker = await openTestWorker({ SNS_TOPICS: `${TOPIC}, arn:aws-cn:sns:cn-north-1:123456789012:other` })
  await worker.sql('update settings set pause_complaint_share = 1, pause_bounce_share = 1, pause_block_share = 1')
  mails = await sentMails(worker, 20)
  amazon = await snsSigner(CERTIFICATE)
  forger = await snsSigner(CERTIFICATE)
  world = watchedWorld()
  world.answers.set(CERTIFICATE, () => new Response(amazon.certificate))
})
afterAll(async () => {
  world.close()
  await worker.close()
})
beforeEach(() => {
  world.asked.length = 0
})

/** A mail that no other test is about. */
function mail(): Told {
  const told = mails[next++]
  if (!told) throw new Error('too few mails')
  return told
}

const notification = (event: unknown, more: object = {}): SnsFields => ({
  Type: 'Notification',
  MessageId: crypto.randomUUID(),
  TopicArn: TOPIC,
  Subject: 'Amazon SES Email Event Notification',
  Message: typeof event === 'string' ? event : JSON.stringify(event),
  Timestamp: new Date().toISOString(),
  UnsubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe',
  ...more,
})

const TOKEN = '2336412f37fb687f5d51e6e2425c464de257eb'
const SUBSCRIBE = `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=${TOKEN}`

const confirmation = (more: object = {}): SnsFields => ({
  Type: 'SubscriptionConfirmation',
  MessageId: crypto.randomUUID(),
  Token: TOKEN,
  TopicArn: TOPIC,
  Message: `You have chosen to subscribe to the topic ${TOPIC}.\nTo confirm the subscription, visit the SubscribeURL.`,
  SubscribeURL: SUBSCRIBE,
  Timestamp: new Date().toISOString(),
  ...more,
})

const HEADERS = { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': 'Notification' }
const send = (message: unknown) => post('/webhooks/ses', JSON.stringify(message), HEADERS)
const tell = async (event: unknown, more: object = {}) => send(await amazon.sign(notification(event, more)))

/** Neither Amazon nor the database was asked for anything. */
const untouched = () => expect(world.asked).toEqual([])

describe('news', () => {
  test.each([
    ['a hard bounce', sesBounce, { status: 'bounced', suppressed: 'bounce', kinds: ['hard_bounce'] }],
    ['a complaint', sesComplaint, { status: 'complained', suppressed: 'complaint', kinds: ['complaint'] }],
    ['a delivery', sesDelivery, { status: 'active', suppressed: null, kinds: ['delivered'] }],
    ['a delay', sesDelay, { status: 'active', suppressed: null, kinds: ['deferred'] }],
  ] as const)('%s, from the wire to the address', async (_, event, expected) => {
    const told = mail()
    const answer = await tell(event(told))
    expect([answer.status, answer.body]).toEqual([200, { recorded: 1 }])
    expect(await consequences(worker, told)).toEqual(expected)
  })

  test('a refusal by policy under the name of a permanent bounce suppresses nobody', async () => {
    const told = mail()
    const words = { status: '5.7.515', diagnosticCode: 'smtp; 550 5.7.515 Access denied, sending domain' }
    expect((await tell(sesBounce(told, {}, words))).status).toBe(200)
    expect(await consequences(worker, told)).toEqual({ status: 'active', suppressed: null, kinds: ['blocked'] })
  })

  test('a message without a subject, and one whose text has lines', async () => {
    const told = mail()
    const { Subject: _, ...message } = notification(sesDelivery(told))
    expect((await send(await amazon.sign(message as SnsFields))).body).toEqual({ recorded: 1 })
    const { Subject: __, ...lines } = notification(JSON.stringify(sesDelay(told), null, 2))
    expect((await send(await amazon.sign({ ...lines, Subject: 'a\nb' } as SnsFields))).body).toEqual({ recorded: 1 })
    expect(await consequences(worker, told)).toMatchObject({ kinds: ['deferred', 'delivered'] })
  })

  test('what comes again, be it days later, changes nothing', async () => {
    const told = mail()
    const message = await amazon.sign(
      notification(sesDelivery(told), { Timestamp: new Date(Date.now() - 10 * DAY).toISOString() }),
    )
    expect((await send(message)).body).toEqual({ recorded: 1 })
    const answers = await Promise.all([send(message), send(message), send(message)])
    expect(answers.map(({ status, body }) => [status, body])).toEqual(Array(3).fill([200, { recorded: 0 }]))
    expect(await consequences(worker, told)).toMatchObject({ kinds: ['delivered'] })
  })

  test('news of no mail of ours is kept and has no consequence', async () => {
    const email = 'stranger@example.net'
    const answer = await tell(sesBounce({ campaign_id: 999, subscriber_id: 999, email }))
    expect([answer.status, answer.body]).toEqual([200, { recorded: 1 }])
    expect(await worker.sql('select matched from feedback_events where recipient = $1', [email])).toEqual([
      { matched: false },
    ])
    expect(await worker.sql('select 1 from suppressions where value = $1', [email])).toEqual([])
  })

  test.each([
    [
      'an event of a kind to come',
      sesEvent('Levitation', { campaign_id: 1, subscriber_id: 1, email: 'a@example.com' }),
    ],
    ['plain words', 'Successfully validated SNS topic for Amazon SES event publishing.'],
    ['null', 'null'],
  ])('%s is told to the log and done with', async (_, event) => {
    const log = vi.spyOn(console, 'log')
    const answer = await tell(event)
    const logged = log.mock.calls.flat().join('\n')
    log.mockRestore()
    expect([answer.status, answer.body]).toEqual([200, { recorded: 0 }])
    expect(logged).toContain('ses_event_unknown')
    expect(logged).not.toContain('a@example.com')
  })

  test('without the database it is to be sent again', async () => {
    const message = await amazon.sign(notification(sesDelivery(mail())))
    const reachable = neonConfig.fetchEndpoint
    neonConfig.fetchEndpoint = 'http://127.0.0.1:1/sql'
    const answer = await send(message)
    neonConfig.fetchEndpoint = reachable
    expect([answer.status, answer.body.code]).toEqual([503, 'database_unavailable'])
    expect((await send(message)).body).toEqual({ recorded: 1 })
  })
})

describe('what SNS did not sign for a topic of ours', () => {
  let told: Told
  beforeAll(() => {
    told = mail()
  })

  const refused = async (message: unknown, detail: RegExp) => {
    const answer = await send(message)
    expect([answer.status, answer.body.code]).toEqual([403, 'webhook_refused'])
    expect(answer.body.detail).toMatch(detail)
    expect(await consequences(worker, told)).toMatchObject({ status: 'active', suppressed: null, kinds: [] })
  }

  test('another key', async () => {
    await refused(await forger.sign(notification(sesBounce(told))), /signature is not right/)
  })

  test.each([
    ['Message', (value: string) => value.replace('Permanent', 'Transient')],
    ['MessageId', () => crypto.randomUUID()],
    ['Subject', () => 'Another'],
    ['Subject', () => undefined],
    ['Timestamp', () => new Date(Date.now() + 1_000).toISOString()],
    ['TopicArn', () => 'arn:aws-cn:sns:cn-north-1:123456789012:other'],
    ['Type', () => 'UnsubscribeConfirmation'],
    ['Signature', (value: string) => `${value.slice(0, 40)}AAAA${value.slice(44)}`],
  ])('a changed %s', async (field, change) => {
    const message = await amazon.sign(notification(sesBounce(told)))
    await refused({ ...message, [field]: change(String(message[field])) }, /not right|not at the address|right form/)
  })

  test("a topic of somebody else's account, with Amazon's true signature", async () => {
    await refused(await amazon.sign(notification(sesBounce(told), { TopicArn: FOREIGN })), /not among SNS_TOPICS/)
    // Nor does it help to have the names of fields in what is signed.
    const within = `x\nMessageId\nb\nTimestamp\n2026-11-20T10:00:00.000Z\nTopicArn\n${TOPIC}\nType\nNotification`
    const signed = await amazon.sign(notification(within, { TopicArn: FOREIGN, Subject: undefined }))
    await refused({ ...signed, Message: 'x', MessageId: `b\nTimestamp\n${TOPIC}`, TopicArn: TOPIC }, /right form/)
  })

  test('signature version 1 is told how to become 2', async () => {
    const message = await amazon.sign(notification(sesBounce(told)))
    await refused({ ...message, SignatureVersion: '1' }, /set-topic-attributes .* SignatureVersion --attribute-value 2/)
    for (const SignatureVersion of [2, '3', null, undefined]) await refused({ ...message, SignatureVersion }, /version/)
    expect(world.amazon()).toEqual([])
  })

  test('a message that is too old for anybody to remember', async () => {
    const Timestamp = new Date(Date.now() - 16 * DAY).toISOString()
    await refused(await amazon.sign(notification(sesBounce(told), { Timestamp })), /too old/)
  })

  test.each([
    'http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem',
    'https://evil.example/SimpleNotificationService-a.pem',
    'https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-a.pem',
    'https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-a.pem',
    'https://user:pass@sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem',
    'https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-a.pem',
    'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-a.pem',
    'https://sns.s3-eu-west-1.amazonaws.com/SimpleNotificationService-a.pem',
    'https://evilsns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem',
    'https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-a.pem',
    'https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-a.pem',
    'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem?x=.pem',
    'https://sns.eu-west-1.amazonaws.com/?x=SimpleNotificationService-a.pem',
    'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem#.pem',
    'https://sns.eu-west-1.amazonaws.com\\@evil.example/SimpleNotificationService-a.pem',
    'https://SNS.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem',
    ' https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem',
    'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem\n',
    'file:///etc/SimpleNotificationService-a.pem',
    '',
    7,
    ['https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a.pem'],
  ])('a certificate at %j', async (SigningCertURL) => {
    // The address is no part of what is signed.
    const message = await forger.sign(notification(sesBounce(told)))
    await refused({ ...message, SigningCertURL }, /certificate is not at the address/)
    expect(world.amazon()).toEqual([])
  })

  test.each([
    ['gone', () => new Response('', { status: 404 }), 403],
    ['moved', () => Response.redirect('https://evil.example/x.pem'), 503],
    ['no certificate', () => new Response('<html>'), 403],
    ['endless', () => new Response(endless().body), 403],
    ['failing', () => new Response('', { status: 500 }), 503],
    ['unreachable', () => Promise.reject(new Error('no route')), 503],
  ])('a certificate that is %s', async (name, answer, status) => {
    const url = `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${name.replaceAll(' ', '')}.pem`
    world.answers.set(url, answer)
    const message = await forger.sign(notification(sesBounce(told)))
    const got = await send({ ...message, SigningCertURL: url })
    expect([got.status, got.body.code]).toEqual([status, status === 403 ? 'webhook_refused' : 'webhook_unverifiable'])
    expect(world.amazon()).toEqual([url])
  })

  test.each([
    ['over', -400 * DAY, -DAY],
    ['to come', DAY, 400 * DAY],
  ])('a certificate whose time is %s', async (name, from, to) => {
    const url = `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${name.replaceAll(' ', '')}.pem`
    const signer = await snsSigner(url, { from: Date.now() + from, to: Date.now() + to })
    world.answers.set(url, () => new Response(signer.certificate))
    await refused(await signer.sign(notification(sesBounce(told))), /certificate is not valid/)
  })

  test('wrong types everywhere', async () => {
    const message = await amazon.sign(notification(sesBounce(told)))
    for (const field of ['Type', 'MessageId', 'TopicArn', 'Message', 'Timestamp', 'Signature', 'SigningCertURL']) {
      for (const wrong of [undefined, null, 7, true, '', 'x\ny', {}, ['x'], 'x'.repeat(5_000)]) {
        const answer = await send({ ...message, [field]: wrong })
        expect([answer.status, answer.body.code], `${field} ${wrong}`).toEqual([403, 'webhook_refused'])
      }
    }
    for (const wrong of [null, 7, 'text', [], [message], {}]) expect((await send(wrong)).status).toBe(403)
    expect(await consequences(worker, told)).toMatchObject({ kinds: [] })
  })

  test('what SNS sends raw has no signature', async () => {
    await refused(sesBounce(told), /Raw message delivery must be off/)
  })

  test('the answer repeats nothing of what came', async () => {
    const secret = 'ada.private@example.com<script>'
    for (const field of ['Type', 'TopicArn', 'SignatureVersion', 'SigningCertURL', 'Message', 'MessageId']) {
      const answer = await send({ ...(await amazon.sign(notification('x'))), [field]: secret })
      expect(JSON.stringify(answer.body)).not.toContain('private')
    }
  })
})

describe('subscribing', () => {
  test('is confirmed once the message is known as SNS’s own', async () => {
    world.answers.set(SUBSCRIBE, () => new Response('<ConfirmSubscriptionResponse/>'))
    expect((await send(await forger.sign(confirmation()))).status).toBe(403)
    expect((await send(await amazon.sign(confirmation({ TopicArn: FOREIGN })))).status).toBe(403)
    expect(world.amazon().filter((url) => url !== CERTIFICATE)).toEqual([])
    const answer = await send(await amazon.sign(confirmation()))
    expect([answer.status, answer.body]).toEqual([200, { recorded: 0 }])
    expect(world.amazon().filter((url) => url !== CERTIFICATE)).toEqual([SUBSCRIBE])
  })

  test.each([
    SUBSCRIBE.replace('https:', 'http:'),
    SUBSCRIBE.replace('eu-west-1.amazonaws.com', 'eu-west-1.amazonaws.com.evil.example'),
    SUBSCRIBE.replace('eu-west-1.amazonaws.com', 'eu-west-1.amazonaws.com@evil.example'),
    SUBSCRIBE.replace('amazonaws.com/', 'amazonaws.com:444/'),
    SUBSCRIBE.replace('sns.eu-west-1', 'sns.us-east-1'),
    SUBSCRIBE.replace('/?', '/path?'),
    SUBSCRIBE.replace('ConfirmSubscription', 'DeleteTopic'),
    SUBSCRIBE.replace(TOPIC, FOREIGN),
    `${SUBSCRIBE}&Action=DeleteTopic`,
    `${SUBSCRIBE}#x`,
  ])('not at %s, whoever signed it', async (SubscribeURL) => {
    const answer = await send(await amazon.sign(confirmation({ SubscribeURL })))
    expect([answer.status, answer.body.code]).toEqual([403, 'webhook_refused'])
    expect(world.amazon().filter((url) => url !== CERTIFICATE)).toEqual([])
  })

  test.each([
    [500, 503],
    [429, 503],
    [400, 403],
    [302, 403],
  ])('when SNS answers %i', async (status, expected) => {
    world.answers.set(SUBSCRIBE, () => new Response(null, { status, headers: { location: 'https://evil.example/' } }))
    expect((await send(await amazon.sign(confirmation()))).status).toBe(expected)
    expect(world.asked.filter((url) => url.includes('evil'))).toEqual([])
  })

  test('its end is noted and not undone', async () => {
    const answer = await send(await amazon.sign(confirmation({ Type: 'UnsubscribeConfirmation' })))
    expect([answer.status, answer.body]).toEqual([200, { recorded: 0 }])
    expect(world.amazon().filter((url) => url !== CERTIFICATE)).toEqual([])
  })
})

describe('bodies', () => {
  test.each([
    ['nothing', '', 400],
    ['no JSON', '{"Type":', 400],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400],
    ['10 MB', 'x'.repeat(10_000_000), 413],
    ['nested without end', '['.repeat(200_000), 400],
    ['nested to the end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 403],
  ])('%s', async (_, body, status) => {
    expect((await post('/webhooks/ses', body, HEADERS)).status).toBe(status)
    untouched()
  })

  test('an endless one is left where it is too much', async () => {
    const { body, count } = endless()
    const answer = await post('/webhooks/ses', body, HEADERS)
    expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large'])
    expect(count.pulled).toBeLessThan(30)
  })

  test('a truncated message', async () => {
    const text = JSON.stringify(await amazon.sign(notification(sesDelivery(mail()))))
    for (const length of [1, 100, text.length - 1]) {
      expect((await post('/webhooks/ses', text.slice(0, length), HEADERS)).status).toBe(400)
    }
  })

  test('hundreds that are wrong ask nothing of anybody', async () => {
    const good = await amazon.sign(notification('x'))
    const bad = [
      {},
      { ...good, TopicArn: FOREIGN },
      { ...good, SignatureVersion: '1' },
      { ...good, SigningCertURL: 'https://evil.example/SimpleNotificationService.pem' },
    ]
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => send(bad[i % bad.length])))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]))
    untouched()
  })

  test('hundreds of names of certificates are not all asked for', async () => {
    const message = await amazon.sign(notification('x'))
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        send({ ...message, SigningCertURL: `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-f${i}.pem` }),
      ),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    expect(world.amazon().length).toBeLessThanOrEqual(40)
    // Those that are known go on.
    expect((await tell(sesDelivery(mail()))).status).toBe(200)
  })
})

test('other methods have no answer here', async () => {
  const { exports } = await import('cloudflare:workers')
  const response = await exports.default.fetch('https://mail.test/webhooks/ses')
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
})
