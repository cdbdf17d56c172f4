import { AwsClient } from 'aws4fetch'
import { describe, expect, inject, test } from 'vitest'
import type { SesAccount } from '../../../src/providers/account.ts'
import { UnsendableMail } from '../../../src/providers/provider.ts'
import { sesProvider } from '../../../src/providers/ses.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { mail } from '../../support/mail.ts'
import { written } from '../../support/outcome.ts'
import { mark, requestsOf, sendGroup } from './faults.ts'

interface Taken {
  to: string
  configuration_set: string | null
  tags: { Name: string; Value: string }[]
  subject: string
  x_emk: string
  at_once: number
}

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const ses = inject('ses')
const provider = (changes: Partial<SesAccount> = {}) =>
  sesProvider({
    name: 'aws',
    kind: 'ses',
    region: 'eu-central-1',
    access_key_id: 'AKIDEXAMPLE',
    secret_access_key: SECRET,
    endpoint: ses,
    max_connections: 4,
    ...changes,
  })

describe('against an endpoint that computes the signature again', () => {
  test("mails are accepted with tags, configuration set and our ids in X-EMK; SES's id comes back", async () => {
    const under = mark()
    const outcomes = await sendGroup(provider({ configuration_set: 'marketing' }), under, ['ok', 'ok'], undefined, {
      subject: 'Žluť',
    })
    expect(outcomes).toEqual([
      { kind: 'sent', answer: '200', provider_message_id: 'ses-1' },
      { kind: 'sent', answer: '200', provider_message_id: 'ses-2' },
    ])
    const [first] = await requestsOf<Taken>(ses, under)
    expect(first).toMatchObject({
      to: `ok+${under}@example.com`,
      configuration_set: 'marketing',
      tags: [
        { Name: 'campaign_id', Value: '7' },
        { Name: 'subscriber_id', Value: '1' },
      ],
      subject: 'Žluť',
      x_emk: '7.1',
    })
  })

  test('a wrong secret is stop, and no mail of the group after it is tried', async () => {
    const outcomes = await sendGroup(provider({ secret_access_key: 'wrong' }), mark(), Array(12).fill('ok'))
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['stop']))
    expect(outcomes[0]?.answer).toContain('403 SignatureDoesNotMatch')
  })

  const faults: [string, string][] = [
    ['throttle', 'later, throttled'],
    ['daily', 'later, throttled, 3600 s'],
    ['quota', 'later, throttled, 3600 s'],
    ['fail503', 'later'],
    ['paused', 'stop'],
    ['suspended', 'stop'],
    ['mailfrom', 'stop'],
    ['noset', 'stop'],
    ['unverified', 'stop'],
    ['rejected', 'never, policy'],
    ['bad', 'never'],
    ['fail500', 'unknown'],
    ['fail502', 'unknown'],
    ['fail504', 'unknown'],
    ['drop', 'unknown'],
  ]
  for (const [fault, expected] of faults) {
    test(`${fault}: ${expected}, after one request only`, async () => {
      const under = mark()
      const [outcome] = await sendGroup(provider(), under, [fault])
      expect(outcome && written(outcome)).toBe(expected)
      expect(outcome?.answer).not.toContain(under)
      expect((await requestsOf(ses, under)).length).toBe(1)
    })
  }

  test('no answer at the deadline is unknown, what was never started is untried, answers before it count', async () => {
    const faults = ['ok', 'hang', 'hang', 'hang', 'hang', 'ok', 'ok']
    const outcomes = await sendGroup(provider(), mark(), faults, Date.now() + 600)
    expect(outcomes.map(written)).toEqual([
      'sent',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'later, untried',
      'later, untried',
    ])
  })

  test('the endpoint tells a changed body, another path and a stale date from a good signature', async () => {
    const aws = new AwsClient({
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: SECRET,
      region: 'eu-central-1',
      service: 'ses',
    })
    const url = `${ses}/v2/email/outbound-emails`
    const body = '{"Content":{}}'
    const signed = async (aws_options = {}) => (await aws.sign(url, { method: 'POST', body, aws: aws_options })).headers
    const typeOf = async (address: string, text: string, headers: Headers) => {
      const response = await fetch(address, { method: 'POST', body: text, headers })
      await response.body?.cancel()
      return `${response.status} ${response.headers.get('x-amzn-errortype')?.split(':')[0]}`
    }
    expect(await typeOf(url, '{"Content":{ }}', await signed())).toBe('403 SignatureDoesNotMatch')
    expect(await typeOf(`${url}/x`, body, await signed())).toBe('403 SignatureDoesNotMatch')
    expect(await typeOf(url, body, await signed({ datetime: '20260101T000000Z' }))).toBe(
      '403 InvalidSignatureException',
    )
    const good = await aws.fetch(`${ses}/v2/email/account`)
    expect(good.status).toBe(200)
    await good.body?.cancel()
  })

  test('several requests are in flight, never more than four of one connection', async () => {
    const under = mark()
    await sendGroup(provider(), under, Array(12).fill('ok'))
    const most = Math.max(...(await requestsOf<Taken>(ses, under)).map(({ at_once }) => at_once))
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(4)
  })

  test('four batches of one invocation have four requests in flight together, and all are sent', async () => {
    const under = mark()
    const slots = openSlots()
    const groups = [provider(), provider(), provider(), provider({ configuration_set: 'other' })].map((of) =>
      sendGroup(of, under, Array(10).fill('ok'), undefined, {}, slots),
    )
    expect((await Promise.all(groups)).flat().every(({ kind }) => kind === 'sent')).toBe(true)
    const at_once = (await requestsOf<Taken>(ses, under)).map((request) => request.at_once)
    expect(at_once).toHaveLength(40)
    expect(Math.max(...at_once)).toBe(4)
  })

  test('a subject of 2,000 characters and an empty body go', async () => {
    const odd = { subject: '山'.repeat(2_000), html: '', text: '' }
    expect(await sendGroup(provider(), mark(), ['ok'], undefined, odd)).toMatchObject([{ kind: 'sent' }])
  })

  test('a local part outside ASCII is refused before anything is sent', () => {
    expect(() => provider().prepare(mail({ to: { email: 'žofie@example.com', name: null } }))).toThrow(UnsendableMail)
  })
})

describe('the sending limits', () => {
  test('are those of GetAccount', async () => {
    expect(await provider().quota?.()).toEqual({ rate_per_second: 14, per_day: 50_000, sent_last_day: 1_234 })
    expect(await provider({ endpoint: `${ses}/sandbox` }).quota?.()).toEqual({
      rate_per_second: 1,
      per_day: 200,
      sent_last_day: 0,
    })
  })

  test('without a limit a day: a number all the same, in JSON too', async () => {
    const quota = await provider({ endpoint: `${ses}/unlimited` }).quota?.()
    expect(JSON.parse(JSON.stringify(quota))).toEqual({
      rate_per_second: 500,
      per_day: Number.MAX_SAFE_INTEGER,
      sent_last_day: 2_000_000,
    })
  })

  for (const folder of ['none', 'odd', 'zero', 'html', 'denied', 'down', 'missing']) {
    test(`are not known when the answer is ${folder}`, async () => {
      expect(await provider({ endpoint: `${ses}/${folder}` }).quota?.()).toBeNull()
    })
  }

  test('are not known with a wrong secret, or when nobody listens', async () => {
    expect(await provider({ secret_access_key: 'wrong' }).quota?.()).toBeNull()
    expect(await provider({ endpoint: 'http://127.0.0.1:1' }).quota?.()).toBeNull()
  })

  test('are those that aws-ses-v2-local states', async () => {
    expect(await provider({ endpoint: inject('ses_local') }).quota?.()).toEqual({
      rate_per_second: 20,
      per_day: 100_000,
      sent_last_day: 7,
    })
  })
})

test('aws-ses-v2-local parses the message: text, HTML and recipient', async () => {
  const local = inject('ses_local')
  const under = mark()
  const [outcome] = await sendGroup(provider({ endpoint: local }), under, ['ok'], undefined, { text: `text ${under}` })
  expect(outcome?.kind).toBe('sent')
  const store = await (await fetch(`${local}/store`)).json<{
    emails: { body: { text?: string; html?: string }; destination: { to: string[] } }[]
  }>()
  const stored = store.emails.find(({ body }) => body.text?.includes(under))
  expect(stored?.body.html).toContain('<p>Hello</p>')
  expect(stored?.destination.to).toEqual([`ok+${under}@example.com`])
})
