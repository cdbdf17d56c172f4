import { neonConfig } from '@neondatabase/serverless'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Told } from '../support/ses-events.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { consequences, endless, post, sentMails, watchedWorld } from './webhooks.ts'

const SECONDS_A_DAY = 86_400

interface Signer {
  /** As SendGrid shows it. */
  key: string
  headers(body: BodyInit, timestamp?: string): Promise<Record<string, string>>
}

/** SendGrid's side: ECDSA over timestamp and body, in DER. */
async function signer(): Promise<Signer> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
  const spki = (await crypto.subtle.exportKey('spki', pair.publicKey)) as ArrayBuffer
  return {
    key: base64(new Uint8Array(spki)),
    async headers(body, timestamp = seconds()) {
      const bytes = await new Blob([timestamp, body as string]).arrayBuffer()
      const pairs = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, bytes))
      const der = [...number(pairs.slice(0, 32)), ...number(pairs.slice(32))]
      return signed(base64(Uint8Array.from([0x30, der.length, ...der])), timestamp)
    },
  }
}

/** A number in DER: no zeros before it, but one where it would look negative. */
function number(bytes: Uint8Array): number[] {
  const digits = [...bytes.slice(bytes.findIndex((byte) => byte !== 0))]
  if ((digits[0] ?? 0) > 127) digits.unshift(0)
  return [0x02, digits.length, ...digits]
}

const base64 = (bytes: Uint8Array) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
const seconds = (offset = 0) => String(Math.floor(Date.now() / 1_000) + offset)
const signed = (signature: string, timestamp: string) => ({
  'content-type': 'application/json;charset=utf-8',
  'x-twilio-email-event-webhook-signature': signature,
  'x-twilio-email-event-webhook-timestamp': timestamp,
})

let worker: TestWorker
let world: ReturnType<typeof watchedWorld>
let sendgrid: Signer
let second: Signer
let mails: Told[]
let next = 0
beforeAll(async () => {
  sendgrid = await signer()
  second = await signer()
  worker = await openTestWorker({ SENDGRID_WEBHOOK_KEYS: `${sendgrid.key}, ${second.key}` })
  await worker.sql('update settings set pause_complaint_share = 1, pause_bounce_share = 1, pause_block_share = 1')
  mails = await sentMails(worker, 20)
  world = watchedWorld()
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

const event = (name: string, told: Told, more: object = {}) => ({
  email: told.email,
  timestamp: Math.floor(Date.now() / 1_000) - 60,
  'smtp-id': '<14c5d75ce93.dfd.64b469@ismtpd-555>',
  event: name,
  sg_event_id: crypto.randomUUID(),
  sg_message_id: '14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0',
  campaign_id: String(told.campaign_id),
  subscriber_id: String(told.subscriber_id),
  ...more,
})

async function tell(events: unknown, by: Signer = sendgrid) {
  const body = typeof events === 'string' ? events : JSON.stringify(events)
  return post('/webhooks/sendgrid', body, await by.headers(body))
}

describe('news', () => {
  test.each([
    [
      'a bounce',
      'bounce',
      { type: 'bounce', reason: '550 5.1.1 user unknown', status: '5.1.1' },
      { status: 'bounced', suppressed: 'bounce', kinds: ['hard_bounce'] },
    ],
    [
      'a block',
      'bounce',
      { type: 'blocked', reason: '550 5.7.515 Access denied', status: '5.7.515' },
      { status: 'active', suppressed: null, kinds: ['blocked'] },
    ],
    ['a report of spam', 'spamreport', {}, { status: 'complained', suppressed: 'complaint', kinds: ['complaint'] }],
    ['a delivery', 'delivered', { response: '250 OK' }, { status: 'active', suppressed: null, kinds: ['delivered'] }],
    [
      'a drop',
      'dropped',
      { reason: 'Bounced Address' },
      { status: 'bounced', suppressed: 'bounce', kinds: ['hard_bounce'] },
    ],
  ])('%s, from the wire to the address', async (_, name, more, expected) => {
    const told = mail()
    const answer = await tell([event(name, told, more)])
    expect([answer.status, answer.body]).toEqual([200, { recorded: 1 }])
    expect(await consequences(worker, told)).toEqual(expected)
  })

  test('by any of the keys', async () => {
    expect((await tell([event('delivered', mail())], second)).body).toEqual({ recorded: 1 })
  })

  test('what comes again changes nothing, in the same post or another', async () => {
    const told = mail()
    const events = [event('delivered', told), event('deferred', told)]
    expect((await tell([...events, events[0]])).body).toEqual({ recorded: 2 })
    expect((await tell(events)).body).toEqual({ recorded: 0 })
    const body = JSON.stringify(events)
    const headers = await sendgrid.headers(body, seconds(-SECONDS_A_DAY))
    const late = await post('/webhooks/sendgrid', body, headers)
    expect([late.status, late.body]).toEqual([200, { recorded: 0 }])
    expect(await consequences(worker, told)).toMatchObject({ kinds: ['deferred', 'delivered'] })
  })

  test('of a list, what is an event; of the rest the log has the count and no address', async () => {
    const told = mail()
    const log = vi.spyOn(console, 'log')
    const answer = await tell([
      null,
      7,
      event('levitation', told),
      event('group_unsubscribe', told),
      event('open', told),
      event('processed', told),
      event('delivered', told),
      { event: ['delivered'] },
    ])
    const logged = log.mock.calls.flat().join('\n')
    log.mockRestore()
    expect([answer.status, answer.body]).toEqual([200, { recorded: 1 }])
    expect(logged).toContain('"events":8,"unknown":5')
    expect(logged).not.toContain(told.email)
    expect(await consequences(worker, told)).toMatchObject({ kinds: ['delivered'] })
  })

  test('text that Postgres does not keep does not keep the rest away', async () => {
    const told = mail()
    const bad = event('delivered', told, { response: '250 \u0000 \ud800 OK', extra: '\udfff' })
    const answer = await tell(`[${JSON.stringify(bad).replace('�', '\\ud800')}]`)
    expect([answer.status, answer.body]).toEqual([200, { recorded: 1 }])
  })

  test('ten thousand events in a post', async () => {
    const told = mail()
    const events = Array.from({ length: 10_000 }, () => event('deferred', told, { response: '451 later' }))
    const answer = await tell(events)
    expect([answer.status, answer.body]).toEqual([200, { recorded: 10_000 }])
  })

  test('without the database it is to be sent again', async () => {
    const body = JSON.stringify([event('delivered', mail())])
    const headers = await sendgrid.headers(body)
    const reachable = neonConfig.fetchEndpoint
    neonConfig.fetchEndpoint = 'http://127.0.0.1:1/sql'
    const answer = await post('/webhooks/sendgrid', body, headers)
    neonConfig.fetchEndpoint = reachable
    expect([answer.status, answer.body.code]).toEqual([503, 'database_unavailable'])
    expect((await post('/webhooks/sendgrid', body, headers)).body).toEqual({ recorded: 1 })
  })
})

describe('what SendGrid did not sign', () => {
  let told: Told
  let body: string
  let headers: Record<string, string>
  beforeAll(async () => {
    told = mail()
    body = JSON.stringify([event('spamreport', told)])
    headers = await sendgrid.headers(body)
  })

  const refused = async (sent: BodyInit, given: Record<string, string>) => {
    const answer = await post('/webhooks/sendgrid', sent, given)
    expect([answer.status, answer.body.code]).toEqual([403, 'webhook_refused'])
    expect(world.asked).toEqual([])
    expect(await consequences(worker, told)).toMatchObject({ status: 'active', kinds: [] })
    world.asked.length = 0
  }

  test('another key', async () => refused(body, await (await signer()).headers(body)))

  test('a changed, a cut and a longer body', async () => {
    await refused(body.replace('spamreport', 'delivered'), headers)
    await refused(body.slice(0, -1), headers)
    await refused(`${body}\n`, headers)
    await refused('', headers)
  })

  test('a digit moved from the timestamp to the body', async () => {
    const timestamp = headers['x-twilio-email-event-webhook-timestamp'] ?? ''
    await refused(
      timestamp.slice(-1) + body,
      signed(headers['x-twilio-email-event-webhook-signature'] ?? '', timestamp.slice(0, -1)),
    )
  })

  test.each([
    ['two days ago', seconds(-2 * SECONDS_A_DAY)],
    ['in an hour', seconds(3_600)],
    ['in milliseconds', `${seconds()}000`],
    ['no number', 'now'],
    ['empty', ''],
    ['negative', `-${seconds()}`],
    ['broken', `${seconds()}.5`],
  ])('a timestamp of %s, well signed', async (_, timestamp) => refused(body, await sendgrid.headers(body, timestamp)))

  test.each(['', 'x', '====', 'A'.repeat(96), 'A'.repeat(100_000), 'MEUCIQ'.padEnd(96, '*'), '%%%'])(
    'a signature of %s',
    async (signature) => refused(body, signed(signature, seconds())),
  )

  test('no headers at all', async () => {
    await refused(body, { 'content-type': 'application/json' })
    const { 'x-twilio-email-event-webhook-timestamp': _, ...rest } = headers
    await refused(body, rest)
  })

  test('hundreds of posts ask nothing of anybody', async () => {
    const forged = await (await signer()).headers(body)
    const stale = { ...headers, 'x-twilio-email-event-webhook-timestamp': seconds(-2 * SECONDS_A_DAY) }
    const bad = [forged, stale, { 'content-type': 'application/json' }]
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) => post('/webhooks/sendgrid', body, bad[i % bad.length] ?? {})),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]))
    expect(world.asked).toEqual([])
  })
})

describe('bodies that are signed and wrong', () => {
  test.each([
    ['no JSON', '[{"event":', 400],
    ['no list', '{"event":"delivered"}', 403],
    ['null', 'null', 403],
    ['nested without end', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400],
    ['an event nested too deep', `[{"event":"delivered","x":${'['.repeat(1_000)}${']'.repeat(1_000)}}]`, 400],
    ['no events', '[]', 200],
  ])('%s', async (_, body, status) => {
    expect((await tell(body)).status).toBe(status)
    expect(world.asked).toEqual([])
  })

  test('no UTF-8', async () => {
    const body = new Uint8Array([0x5b, 0x22, 0xff, 0x22, 0x5d])
    expect((await post('/webhooks/sendgrid', body, await sendgrid.headers(body))).status).toBe(400)
  })

  test('10 MB, with and without a length', async () => {
    const headers = await sendgrid.headers('x')
    expect((await post('/webhooks/sendgrid', 'x'.repeat(10_000_000), headers)).status).toBe(413)
    const { body, count } = endless()
    expect((await post('/webhooks/sendgrid', body, headers)).status).toBe(413)
    expect(count.pulled).toBeLessThan(120)
  })
})

test('a webhook that is not expected says what to set', async () => {
  const answer = await post('/webhooks/ses', '{}', {})
  expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
  expect(answer.body.detail).toContain('SNS_TOPICS is not set')
})
