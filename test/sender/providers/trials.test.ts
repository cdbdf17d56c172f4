// Accounts that are tried without a mail, each kind against a real server.
import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { SenderRpc } from '../../../src/http/services.ts'
import type { SendGridAccount, SesAccount } from '../../../src/providers/account.ts'
import { testAccounts } from '../../../src/providers/account-test.ts'
import { sendGridProvider } from '../../../src/providers/sendgrid.ts'
import type { SendingDomain } from '../../../src/providers/sending-domain.ts'
import { sesProvider } from '../../../src/providers/ses.ts'
import { openSlots } from '../../../src/providers/slots.ts'
import { openTestWorker, type TestWorker } from '../../support/worker.ts'
import { type Faults, IMPATIENT, provider, startFaults } from '../smtp/faults.ts'

const LOGIN = { username: 'mailer', password: 's3cret' }
const aws = (endpoint: string, changes: Partial<SesAccount> = {}): SesAccount => ({
  name: 'aws',
  kind: 'ses',
  region: 'eu-central-1',
  access_key_id: 'AKIDEXAMPLE',
  secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  max_connections: 4,
  endpoint: `${inject('ses')}${endpoint}`,
  ...changes,
})
const sendgrid = (api_key: string): SendGridAccount => ({
  name: 'sg',
  kind: 'sendgrid',
  api_key,
  max_connections: 4,
  endpoint: inject('sendgrid'),
})

let smtp: Faults
let t: TestWorker
/** Both halves of its key, as the account and as DNS have them. */
let pair: { private_key: string; public_key: string }
beforeAll(async () => {
  pair = await newPair()
  smtp = await startFaults({ tls: 'starttls', auth: ['PLAIN'], ...LOGIN })
  t = await openTestWorker({
    ACCOUNTS: JSON.stringify([
      {
        name: 'relay',
        kind: 'smtp',
        host: 'localhost',
        port: smtp.port,
        ...LOGIN,
        dkim: [{ domain: 'sender.example', selector: 's1', private_key: pair.private_key }],
        bounce_domain: 'b.sender.example',
      },
      { name: 'wrong', kind: 'smtp', host: 'localhost', port: smtp.port, username: 'mailer', password: 'gu3ss' },
      aws('/sandbox'),
      sendgrid('SG.test.key'),
    ]),
  })
})
afterAll(() => t.close())

/** What Amazon SES holds of sender.example. */
const SES_DOMAIN: SendingDomain = {
  known: true,
  keys: [
    {
      domain: 'sender.example',
      selector: 'token1',
      record: { type: 'CNAME', name: 'token1._domainkey.sender.example', value: 'token1.dkim.amazonses.com' },
    },
  ],
  return_path: { domain: 'ses.sender.example', record: null },
}

/** As emk-api calls it, by service binding. */
const rpc = (exports as unknown as { SenderRpc: SenderRpc }).SenderRpc

async function newPair() {
  const how = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
  }
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(how, true, ['sign', 'verify'])) as CryptoKeyPair
  const [pkcs8, spki] = await Promise.all([
    crypto.subtle.exportKey('pkcs8', privateKey) as Promise<ArrayBuffer>,
    crypto.subtle.exportKey('spki', publicKey) as Promise<ArrayBuffer>,
  ])
  const base64 = (der: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(der)))
  return {
    private_key: `-----BEGIN PRIVATE KEY-----\n${base64(pkcs8)}\n-----END PRIVATE KEY-----\n`,
    public_key: base64(spki),
  }
}

const tried = async (account: Parameters<typeof testAccounts>[0][number]['provider'], patience?: number) => {
  const [result] = await testAccounts([{ name: 'it', provider: account }], patience)
  if (!result) throw new Error('nothing was tried')
  return result
}

test('all accounts of the Worker, by RPC: what each answers, and no secret', async () => {
  const results = await rpc.testAccounts()
  expect(results).toEqual([
    { name: 'relay', ok: true, answer: `localhost:${smtp.port} is ready, with STARTTLS, logged in` },
    { name: 'wrong', ok: false, answer: expect.stringContaining('535') },
    { name: 'aws', ok: true, answer: expect.any(String), warning: expect.stringContaining('sandbox') },
    { name: 'sg', ok: true, answer: 'SendGrid takes the key, and it may send mail' },
  ])
  expect(JSON.stringify(results)).not.toMatch(/s3cret|gu3ss|EXAMPLEKEY|SG\.test/)
  const sessions = await smtp.sessions()
  const session = sessions.find(({ commands }) => commands[0] === 'EHLO b.sender.example')
  expect(session?.commands.at(-1)).toBe('QUIT')
  expect(session?.commands).not.toContainEqual(expect.stringMatching(/^MAIL/))
})

test('the public half of each key is listed, as DNS must have it', async () => {
  const [relay, wrong] = await rpc.listAccounts()
  expect(relay).toMatchObject({ bounce_domain: 'b.sender.example' })
  expect(relay?.dkim).toEqual([{ domain: 'sender.example', selector: 's1', public_key: pair.public_key }])
  expect(wrong).toMatchObject({ bounce_domain: null, dkim: [] })
  expect(JSON.stringify(relay)).not.toContain('PRIVATE')
})

test('what each service holds of a domain, by RPC; SMTP relays hold nothing', async () => {
  const sendgrid_path = { type: 'CNAME', name: 'em1.sender.example', value: 'u1.wl.sendgrid.net' }
  const sendgrid_key = {
    type: 'CNAME',
    name: 's1._domainkey.sender.example',
    value: 's1.domainkey.u1.wl.sendgrid.net',
  }
  // Below a domain that they know: Amazon SES is asked for each name in turn.
  expect(await rpc.sendingDomains('news.sender.example')).toEqual([
    { name: 'relay', held: null },
    { name: 'wrong', held: null },
    { name: 'aws', held: SES_DOMAIN },
    {
      name: 'sg',
      held: {
        known: true,
        keys: [{ domain: 'sender.example', selector: 's1', record: sendgrid_key }],
        return_path: { domain: 'em1.sender.example', record: sendgrid_path },
      },
    },
  ])
})

test('what Amazon SES holds of a domain, or of the one above it', async () => {
  const held = (domain: string, changes: Partial<SesAccount> = {}) =>
    sesProvider(aws('', changes)).sendingDomain?.(domain, openSlots())
  expect(await held('sender.example')).toEqual(SES_DOMAIN)
  expect(await held('news.sender.example')).toEqual(SES_DOMAIN)
  expect(await held('stranger.example')).toEqual({ known: false, keys: [], return_path: null })
  expect(await held('denied.example')).toBeNull()
  expect(await held('sender.example', { secret_access_key: 'other' })).toBeNull()
  expect(await held('sender.example', { endpoint: 'http://127.0.0.1:1' })).toBeNull()
  expect(await sendGridProvider(sendgrid('SG.other.key')).sendingDomain?.('sender.example', openSlots())).toBeNull()
})

test.each([
  ['greets with 554', { greeting: 554 }],
  ['hangs up', { greeting: 'fin' }],
  ['offers no TLS', { tls: 'none' }],
] as const)('a relay that %s cannot send', async (_name, options) => {
  const faults = await startFaults(options)
  const result = await tried(provider(faults.port, { tls: 'starttls' }))
  expect(result.ok).toBe(false)
  expect(result.answer).not.toBe('')
})

test('a relay that stays silent is given up, by its own clock or the whole one', async () => {
  const faults = await startFaults({ greeting: 'none' })
  expect(await tried(provider(faults.port, {}, IMPATIENT))).toMatchObject({ ok: false })
  expect(await tried(provider(faults.port), 100)).toEqual({ name: 'it', ok: false, answer: 'no answer in time' })
})

test('a relay that nobody runs cannot send', async () => {
  expect(await tried(provider(1))).toMatchObject({ ok: false })
})

test('Amazon SES says what it allows', async () => {
  expect(await tried(sesProvider(aws('')))).toEqual({
    name: 'it',
    ok: true,
    answer: 'Amazon SES allows 50000 mails a day and 14 a second, 1234 were sent in the last 24 hours',
  })
  expect(await tried(sesProvider(aws('/unlimited')))).toMatchObject({
    ok: true,
    answer: expect.stringContaining('any number'),
  })
  expect(await tried(sesProvider(aws('/probation')))).toMatchObject({
    ok: true,
    warning: expect.stringContaining('review'),
  })
})

test.each([
  ['has stopped sending', aws('/stopped'), 'has stopped sending'],
  ['does not let us ask', aws('/denied'), '403 AccessDeniedException'],
  ['refuses the secret', aws('', { secret_access_key: 'other' }), '403 SignatureDoesNotMatch'],
  ['answers with a page', aws('/html'), 'not that of Amazon SES'],
  ['fails', aws('/down'), '500'],
])('Amazon SES that %s', async (_name, account, words) => {
  const result = await tried(sesProvider(account))
  expect([result.ok, result.answer]).toEqual([false, expect.stringContaining(words)])
})

test.each([
  ['SG.other.key', '401 The provided authorization grant is invalid'],
  ['SG.stats.key', 'may not send mail'],
])('SendGrid with the key %s cannot send', async (api_key, words) => {
  const result = await tried(sendGridProvider(sendgrid(api_key)))
  expect([result.ok, result.answer]).toEqual([false, expect.stringContaining(words)])
})
