import { expect, inject, test } from 'vitest'
import type { SendGridAccount } from '../../../src/providers/account.ts'
import { UnsendableMail } from '../../../src/providers/provider.ts'
import { sendGridProvider } from '../../../src/providers/sendgrid.ts'
import { mail } from '../../support/mail.ts'
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
  ['throttle', 'later'],
  ['fail503', 'later'],
  ['forbidden', 'stop'],
  ['bad', 'never'],
  ['large', 'never'],
  ['fail500', 'unknown'],
  ['fail502', 'unknown'],
  ['fail504', 'unknown'],
  ['drop', 'unknown'],
]
for (const [fault, kind] of faults) {
  test(`${fault}: ${kind}, after one request only, without the address in the answer`, async () => {
    const under = mark()
    const [outcome] = await sendGroup(provider(), under, [fault])
    expect(outcome?.kind).toBe(kind)
    expect(outcome?.answer).not.toContain(under)
    expect((await requestsOf(endpoint, under)).length).toBe(1)
  })
}

test('the wait that SendGrid asks for is handed on', async () => {
  const [throttled, busy] = await sendGroup(provider(), mark(), ['throttle', 'fail503'])
  expect(throttled).toMatchObject({ kind: 'later', delay_seconds: expect.any(Number) })
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
