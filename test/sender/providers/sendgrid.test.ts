import { describe, expect, inject, test } from 'vitest'
import type { SendGridAccount } from '../../../src/providers/account.ts'
import { UnsendableMail } from '../../../src/providers/provider.ts'
import { sendGridProvider } from '../../../src/providers/sendgrid.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { mail } from '../../support/mail.ts'
import { written } from '../../support/outcome.ts'
import { mark, requestsOf, sendGroup } from './faults.ts'

const endpoint = inject('sendgrid')
const provider = (changes: Partial<SendGridAccount> = {}) =>
  sendGridProvider({ name: 'sg', kind: 'sendgrid', api_key: 'SG.test.key', endpoint, max_connections: 4, ...changes })

test('a mail is accepted as it was rendered: no tracking, no substitution, our ids in custom_args', async () => {
  const under = mark()
  const html = '<p>{{not_ours}} -name- %name% Žluť</p>'
  const outcomes = await sendGroup(provider(), under, ['ok'], undefined, {
    from: { email: 'news@sender.example', name: 'Doe, "The" News' },
    reply_to: 'answers@sender.example',
    html,
    headers: [['List-Unsubscribe', '<https://t.example.com/u/x>']],
  })
  expect(outcomes).toEqual([{ kind: 'sent', answer: '202', provider_message_id: 'sg-1' }])
  expect(await requestsOf(endpoint, under)).toEqual([
    {
      from: { email: 'news@sender.example', name: 'Doe, "The" News' },
      reply_to: { email: 'answers@sender.example' },
      subject: 'Hello',
      personalizations: [{ to: [{ email: `ok+${under}@example.com` }] }],
      custom_args: { campaign_id: '7', subscriber_id: '1' },
      content: [
        { type: 'text/plain', value: 'Hello' },
        { type: 'text/html', value: html },
      ],
      headers: { 'Message-ID': '<c7.s42@sender.example>', 'List-Unsubscribe': '<https://t.example.com/u/x>' },
      tracking_settings: {
        click_tracking: { enable: false, enable_text: false },
        open_tracking: { enable: false },
        subscription_tracking: { enable: false },
      },
    },
  ])
})

test('two accounts in one isolate keep their keys apart', async () => {
  const [good, bad] = [provider(), provider({ api_key: 'SG.other.key' })]
  const [first, second] = await Promise.all([sendGroup(good, mark(), ['ok']), sendGroup(bad, mark(), ['ok'])])
  expect([first[0]?.kind, second[0]?.kind]).toEqual(['sent', 'stop'])
  expect((await sendGroup(good, mark(), ['ok']))[0]?.kind).toBe('sent')
})

const faults: [string, string][] = [
  ['fail503', 'later, 120 s'],
  ['forbidden', 'stop'],
  ['bad', 'never'],
  ['large', 'never'],
  ['fail500', 'unknown'],
  ['fail502', 'unknown'],
  ['fail504', 'unknown'],
  ['drop', 'unknown'],
]
for (const [fault, expected] of faults) {
  test(`${fault}: ${expected}, after one request only, without the address in the answer`, async () => {
    const under = mark()
    const [outcome] = await sendGroup(provider(), under, [fault])
    expect(outcome && written(outcome)).toBe(expected)
    expect(outcome?.answer).not.toContain(under)
    expect((await requestsOf(endpoint, under)).length).toBe(1)
  })
}

test('the wait that SendGrid asks for is handed on', async () => {
  const [throttled, busy] = await sendGroup(provider(), mark(), ['throttle', 'fail503'])
  expect(throttled).toMatchObject({ kind: 'later', throttled: true, delay_seconds: expect.any(Number) })
  const { delay_seconds } = throttled as { delay_seconds: number }
  expect(delay_seconds).toBeGreaterThan(60)
  expect(delay_seconds).toBeLessThanOrEqual(90)
  expect(busy).toMatchObject({ kind: 'later', delay_seconds: 120 })
})

test('no answer at the deadline is unknown', async () => {
  const [outcome] = await sendGroup(provider(), mark(), ['hang'], Date.now() + 300)
  expect(outcome).toEqual({ kind: 'unknown', answer: 'no answer in time' })
})

test('line breaks and second addresses are refused before anything is sent', () => {
  for (const changes of [
    { subject: 'a\r\nBcc: evil@example.org' },
    { headers: [['X-Note', 'a\nBcc: evil@example.org']] as [string, string][] },
    { to: { email: 'b@example.com, evil@example.org', name: null } },
    { to: { email: 'x <b@example.com>', name: null } },
    { to: { email: 'žofie@example.com', name: null } },
    { from: { email: 'news@sender.example', name: 'a\nb' } },
  ]) {
    expect(() => provider().prepare(mail(changes))).toThrow(UnsendableMail)
  }
})

test("a mail's own headers stay the mail's: none becomes one of the request, and what is not ASCII is encoded", async () => {
  const under = mark()
  const long = `<https://t.example.com/u/${'x'.repeat(400)}>`
  const headers: [string, string][] = [
    ['Authorization', 'Bearer of-the-mail'],
    ['List-Id', 'Ústí <list-1.sender.example>'],
    ['List-Unsubscribe', long],
  ]
  expect(await sendGroup(provider(), under, ['ok'], undefined, { headers })).toMatchObject([{ kind: 'sent' }])
  const [request] = await requestsOf<{ headers: Record<string, string> }>(endpoint, under)
  expect(request?.headers).toMatchObject({
    Authorization: 'Bearer of-the-mail',
    'List-Id': '=?utf-8?B?w5pzdMOt?= <list-1.sender.example>',
    'List-Unsubscribe': long,
  })
})

test('what looks like an API key in a body is not held back as a secret', async () => {
  const outcomes = await sendGroup(provider(), mark(), ['ok'], undefined, { html: '<p>SG.abc.def</p>' })
  expect(outcomes[0]?.kind).toBe('sent')
})

test('a mail with only one of text and HTML goes; one with neither, or without a subject, is refused before', async () => {
  expect(await sendGroup(provider(), mark(), ['ok'], undefined, { text: '' })).toMatchObject([{ kind: 'sent' }])
  expect(await sendGroup(provider(), mark(), ['ok'], undefined, { html: '' })).toMatchObject([{ kind: 'sent' }])
  expect(await sendGroup(provider(), mark(), ['ok'], undefined, { subject: '山'.repeat(2_000) })).toMatchObject([
    { kind: 'sent' },
  ])
  expect(() => provider().prepare(mail({ html: '', text: '' }))).toThrow(UnsendableMail)
  expect(() => provider().prepare(mail({ subject: '' }))).toThrow(UnsendableMail)
})

test('a request that is given up is broken off: its slot comes back', async () => {
  const slots = openSlots(1)
  const outcomes = await sendGroup(provider(), mark(), ['hang', 'ok'], Date.now() + 300, {}, slots)
  expect(outcomes.map(written)).toEqual(['unknown', 'later, untried'])
  expect((await sendGroup(provider(), mark(), ['ok'], Date.now() + 10_000, {}, slots))[0]?.kind).toBe('sent')
})

describe('the endpoint enforces what SendGrid documents', () => {
  const to = (n: number) => ({ to: [{ email: `ok${n}@example.com` }] })
  const good = {
    personalizations: [to(1)],
    from: { email: 'news@sender.example' },
    subject: 'Hello',
    content: [{ type: 'text/plain', value: 'Hello' }],
  }
  const statusOf = async (changes: object) => {
    const response = await fetch(`${endpoint}/v3/mail/send`, {
      method: 'POST',
      headers: { authorization: 'Bearer SG.test.key' },
      body: JSON.stringify({ ...good, ...changes }),
    })
    await response.body?.cancel()
    return response.status
  }
  const cases: [string, number, object][] = [
    ['a good mail', 202, {}],
    ['1,000 personalizations', 202, { personalizations: Array.from({ length: 1_000 }, (_, i) => to(i)) }],
    ['1,001 personalizations', 400, { personalizations: Array.from({ length: 1_001 }, (_, i) => to(i)) }],
    ['no personalization', 400, { personalizations: [] }],
    ['the same address twice', 400, { personalizations: [to(1), { to: [{ email: 'OK1@example.com' }] }] }],
    ['two addresses in one', 400, { personalizations: [{ to: [{ email: 'a@example.com, b@example.com' }] }] }],
    ['no content', 400, { content: [] }],
    ['empty content', 400, { content: [{ type: 'text/plain', value: '' }] }],
    [
      'HTML before text',
      400,
      {
        content: [
          { type: 'text/html', value: 'x' },
          { type: 'text/plain', value: 'x' },
        ],
      },
    ],
    ['no subject', 400, { subject: '' }],
    ['a reserved header', 400, { headers: { 'DKIM-Signature': 'x' } }],
    ['a line break in a header', 400, { headers: { 'X-Note': 'a\r\nBcc: b@example.com' } }],
    ['a header outside ASCII', 400, { headers: { 'X-Note': 'ž' } }],
    ['custom_args of 10,000 bytes', 400, { custom_args: { a: 'x'.repeat(10_000) } }],
    ['more than 30 MB', 413, { content: [{ type: 'text/plain', value: 'x'.repeat(31 * 1024 * 1024) }] }],
  ]
  test.each(cases)('%s: %i', async (_name, status, changes) => {
    expect(await statusOf(changes)).toBe(status)
  })
})
