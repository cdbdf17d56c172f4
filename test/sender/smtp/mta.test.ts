import { connect } from 'cloudflare:sockets'
import { beforeAll, beforeEach, expect, inject, test } from 'vitest'
import type { SmtpAccount } from '../../../src/providers/account.ts'
import type { Mail } from '../../../src/providers/provider.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { smtpProvider } from '../../../src/providers/smtp/provider.ts'
import type { SmtpMail } from '../../../src/providers/smtp/transaction.ts'
import { mark } from '../providers/faults.ts'
import { account, kinds, mailTo, refusal } from './faults.ts'

// A real Postfix over TLS, with a login.

const mta = inject('mta')
const LOGIN = { username: 'relay', password: 'pässwörd€ 山' }
let ports: { implicit: number; starttls: number; missing?: string }

beforeAll(async () => {
  ports = await (await fetch(`${mta}/start`)).json()
})
beforeEach(({ skip }) => skip(ports.missing !== undefined, ports.missing))

const provider = (tls: 'implicit' | 'starttls', changes: Partial<SmtpAccount> = {}) =>
  smtpProvider(account(ports[tls], { tls, ...LOGIN, ...changes }), connect)

async function send(tls: 'implicit' | 'starttls', mails: Partial<Mail>[]) {
  const smtp = provider(tls)
  const connection = await smtp.connect(openSlots(), 'bounces@sender.example')
  const prepared = mails.map((changes) => smtp.prepare(mailTo('reader@example.com', changes)))
  const outcomes = await connection.send(prepared, Date.now() + 20_000)
  const { usable } = connection
  await connection.close()
  return { prepared, outcomes, usable }
}

/** The mails that hold this text, as Postfix put them into the mailbox, without the fields it put in front. */
async function delivered(text: string, count: number): Promise<string[]> {
  const found = async () => (await fetch(`${mta}/mail/${encodeURIComponent(text)}`)).json<string[]>()
  await expect.poll(async () => (await found()).length, { timeout: 10_000 }).toBe(count)
  return (await found()).map((mail) => {
    const whole = new TextDecoder().decode(Uint8Array.from(atob(mail), (c) => c.charCodeAt(0)))
    return whole.slice(whole.indexOf('\nDate: ') + 1)
  })
}

/** As a mailbox keeps it: without dot-stuffing and the final dot, lines ended by LF. */
const stored = ({ data }: SmtpMail) =>
  new TextDecoder()
    .decode(data)
    .replace(/\r\n\.\r\n$/, '\r\n')
    .replaceAll('\r\n.', '\r\n')
    .replaceAll('\r\n', '\n')

for (const [tls, mechanism] of [
  ['implicit', 'LOGIN'],
  ['starttls', 'PLAIN'],
] as const) {
  test(`${tls} TLS and AUTH ${mechanism}: a pipelined group arrives, each mail once, byte for byte`, async () => {
    const under = mark()
    const mails = [
      { text: '.\n..two dots\n.\nplain\n\n.end', html: '<p>plain</p>' },
      { text: `Žluťoučký kůň 山 ${'x'.repeat(5_000)} \t \nFrom here\n`, html: `<p>${'<b>é</b>'.repeat(3_000)}</p>` },
      {
        subject: `${'Dlouhý předmět '.repeat(30)}=?utf-8?Q?fake?=`,
        to: { email: 'reader+a@example.com', name: 'Ž "Q" <b>' },
      },
      { subject: 's'.repeat(2_000) },
      { subject: '', text: '', html: '' },
      ...Array.from({ length: 15 }, (_, i) => ({ text: `mail ${i}` })),
    ].map((mail, i) => ({ ...mail, message_id: `${under}.${i}@sender.example` }))
    const { prepared, outcomes } = await send(tls, mails)
    expect(kinds(outcomes)).toEqual(mails.map(() => 'sent'))
    expect((await delivered(under, mails.length)).sort()).toEqual(prepared.map(stored).sort())
  })

  test(`${tls}: a wrong password is stop, and so is a login it does not know`, async () => {
    for (const wrong of [{ password: 'wrong' }, { username: 'nobody' }]) {
      const outcome = await refusal(provider(tls, wrong).connect(openSlots()))
      expect(outcome.kind).toBe('stop')
      expect(outcome.answer).toContain('535 5.7.8')
    }
  })
}

test('a refused recipient, one of another domain and a mail over SIZE do not touch the others; the session lives on', async () => {
  const under = mark()
  const { outcomes, usable } = await send('starttls', [
    { text: under },
    { to: { email: 'nobody@example.com', name: null } },
    { text: under },
    { to: { email: 'reader@elsewhere.example', name: null } },
    { text: 'x'.repeat(250_000) },
    { text: under },
  ])
  expect(outcomes).toEqual([
    expect.objectContaining({ kind: 'sent' }),
    { kind: 'never', dead: true, answer: expect.stringContaining('550 5.1.1 <recipient>: Recipient address rejected') },
    expect.objectContaining({ kind: 'sent' }),
    { kind: 'never', dead: false, policy: true, answer: '554 5.7.1 <recipient>: Relay access denied' },
    { kind: 'never', dead: false, answer: expect.stringContaining('the server takes 200000') },
    expect.objectContaining({ kind: 'sent' }),
  ])
  expect(usable).toBe(true)
  await delivered(under, 3)
})

test('a sender that the login does not own is stop', async () => {
  const { outcomes } = await send('implicit', [{ envelope_from: 'someone@else.example' }])
  expect(outcomes).toEqual([{ kind: 'stop', answer: expect.stringContaining('not owned by user relay') }])
})

test('an address outside ASCII arrives by SMTPUTF8', async () => {
  const under = mark()
  const to = { email: 'žofie@example.com', name: null }
  const { outcomes } = await send('starttls', [{ to, text: under }])
  expect(kinds(outcomes)).toEqual(['sent'])
  expect((await delivered(under, 1))[0]).toContain('To: žofie@example.com\n')
})
