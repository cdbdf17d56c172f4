import { describe, expect, inject, test } from 'vitest'
import type { SesAccount } from '../../../src/providers/account.ts'
import { UnsendableMail } from '../../../src/providers/provider.ts'
import { sesProvider } from '../../../src/providers/ses.ts'
import { mail } from '../../support/mail.ts'
import { mark, requestsOf, sendGroup } from './faults.ts'

interface Taken {
  to: string
  configuration_set: string | null
  tags: { Name: string; Value: string }[]
  subject: string
  x_emk: string
  at_once: number
}

const ses = inject('ses')
const provider = (changes: Partial<SesAccount> = {}) =>
  sesProvider({
    name: 'aws',
    kind: 'ses',
    region: 'eu-central-1',
    access_key_id: 'AKIDEXAMPLE',
    secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
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
    ['throttle', 'later'],
    ['daily', 'later'],
    ['quota', 'later'],
    ['fail503', 'later'],
    ['paused', 'stop'],
    ['suspended', 'stop'],
    ['mailfrom', 'stop'],
    ['noset', 'stop'],
    ['unverified', 'stop'],
    ['rejected', 'never'],
    ['bad', 'never'],
    ['fail500', 'unknown'],
    ['fail502', 'unknown'],
    ['fail504', 'unknown'],
    ['drop', 'unknown'],
  ]
  for (const [fault, kind] of faults) {
    test(`${fault}: ${kind}, after one request only`, async () => {
      const under = mark()
      const [outcome] = await sendGroup(provider(), under, [fault])
      expect(outcome?.kind).toBe(kind)
      expect(outcome?.answer).not.toContain(under)
      expect((await requestsOf(ses, under)).length).toBe(1)
    })
  }

  test('no answer at the deadline is unknown, what was never started is later, answers before it count', async () => {
    const faults = ['ok', 'hang', 'hang', 'hang', 'hang', 'ok', 'ok']
    const outcomes = await sendGroup(provider(), mark(), faults, Date.now() + 600)
    expect(outcomes.map(({ kind }) => kind)).toEqual([
      'sent',
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'later',
      'later',
    ])
  })

  test('several requests are in flight, never more than four of one connection', async () => {
    const under = mark()
    await sendGroup(provider(), under, Array(12).fill('ok'))
    const most = Math.max(...(await requestsOf<Taken>(ses, under)).map(({ at_once }) => at_once))
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(4)
  })

  test('a local part outside ASCII is refused before anything is sent', () => {
    expect(() => provider().prepare(mail({ to: { email: 'žofie@example.com', name: null } }))).toThrow(UnsendableMail)
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
