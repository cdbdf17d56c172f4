import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { summarise } from '../../../src/providers/account.ts'
import { AccountsError, parseAccounts } from '../../../src/providers/accounts.ts'
import { keyPair } from '../../support/dkim.ts'

const smtp = { name: 'relay', kind: 'smtp', host: 'smtp.example.com', port: 587, username: 'u', password: 's3cret' }
const ses = { name: 'aws', kind: 'ses', region: 'eu-central-1', access_key_id: 'AKID', secret_access_key: 's3cret' }
const sendgrid = { name: 'sg', kind: 'sendgrid', api_key: 'SG.s3cret' }

const refusal = (value: unknown) => {
  try {
    parseAccounts(typeof value === 'string' ? value : JSON.stringify(value))
  } catch (error) {
    if (error instanceof AccountsError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

test('accounts of each kind, with their defaults', () => {
  expect(parseAccounts(JSON.stringify([smtp, ses, { ...sendgrid, endpoint: 'http://127.0.0.1:8030/' }]))).toEqual([
    { ...smtp, tls: 'starttls', max_connections: 4 },
    { ...ses, max_connections: 40 },
    { ...sendgrid, endpoint: 'http://127.0.0.1:8030', max_connections: 40 },
  ])
})

test('pool, domains and limits, domains in lower case', () => {
  const limits = {
    pool: 'main',
    from_domains: ['Sender.Example'],
    per_day: 50_000,
    rate_per_second: 14,
    max_connections: 2,
  }
  const [account] = parseAccounts(JSON.stringify([{ ...ses, ...limits }]))
  expect(account).toEqual({ ...ses, ...limits, from_domains: ['sender.example'] })
})

test('keys, a return path and a warm-up, names in lower case', () => {
  const { key } = keyPair('Sender.Example', 'S1')
  const given = { ...smtp, bounce_domain: 'Bounces.Sender.Example', dkim: [key] }
  const warm_up = { from: '2026-11-24', per_day: [50, 100, 20] }
  expect(
    parseAccounts(
      JSON.stringify([
        { ...given, warm_up },
        { ...ses, warm_up: { from: '2026-11-24' } },
      ]),
    ),
  ).toEqual([
    {
      ...smtp,
      tls: 'starttls',
      max_connections: 4,
      bounce_domain: 'bounces.sender.example',
      dkim: [{ ...key, domain: 'sender.example' }],
      warm_up,
    },
    { ...ses, max_connections: 40, warm_up: { from: '2026-11-24' } },
  ])
})

test('a summary shows no secret', () => {
  const summaries = parseAccounts(JSON.stringify([smtp, ses, sendgrid])).map((account) =>
    summarise(account, new Date()),
  )
  const nothing = { rate_per_second: null, per_day: null, warm_up: null, from_domains: null, pool: null }
  const open = { ...nothing, bounce_domain: null, dkim: [] }
  expect(summaries).toEqual([
    { ...open, name: 'relay', kind: 'smtp', where: 'smtp.example.com:587', max_connections: 4 },
    { ...open, name: 'aws', kind: 'ses', where: 'eu-central-1', max_connections: 40 },
    { ...open, name: 'sg', kind: 'sendgrid', where: 'api.sendgrid.com', max_connections: 40 },
  ])
  expect(JSON.stringify(summaries)).not.toContain('s3cret')
})

describe('what is refused, by account and field', () => {
  const { key } = keyPair('sender.example', 's1')
  const weak = keyPair('sender.example', 's1', 768).key
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
  const encrypted = createPrivateKey(key.private_key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 's3cret' })
    .toString()
  const cases: [string, unknown, string][] = [
    ['not JSON', '[{', 'ACCOUNTS is not JSON'],
    ['no array', {}, 'ACCOUNTS must be an array'],
    ['an empty array', [], 'at least one account'],
    ['no object', ['relay'], 'ACCOUNTS[0] must be an object'],
    [
      'an unknown kind',
      [{ ...smtp, kind: 'mailgun' }],
      'ACCOUNTS[0] ("relay").kind must be "smtp", "ses" or "sendgrid"',
    ],
    ['port 25', [{ ...smtp, port: 25 }], 'ACCOUNTS[0] ("relay").port must be a number from 1 to 65535 and not 25'],
    ['a host with a scheme', [{ ...smtp, host: 'smtp://smtp.example.com' }], '.host must be a host name'],
    [
      'a second account at fault',
      [smtp, { ...ses, region: 'Frankfurt' }],
      'ACCOUNTS[1] ("aws").region must be an AWS region',
    ],
    [
      'a username without password',
      [{ ...smtp, password: undefined }],
      '.password must be text, together with username',
    ],
    ['an unknown field', [{ ...smtp, secure: true }], 'ACCOUNTS[0] ("relay"): unknown field secure'],
    ['an EHLO name with a command', [{ ...smtp, ehlo_name: 'a\r\nRSET' }], '.ehlo_name must be a host name'],
    ['two of one name', [smtp, smtp], 'two accounts are named "relay"'],
    ['an endpoint that is no URL', [{ ...sendgrid, endpoint: 'localhost' }], '.endpoint must be an http(s) URL'],
    ['a pool without its domains', [{ ...smtp, pool: 'main' }], '.from_domains must be a list of the domains'],
    ['a domain that is none', [{ ...smtp, from_domains: ['a@b.example'] }], '.from_domains must be a list of'],
    ['no mail a day', [{ ...ses, per_day: 0 }], '.per_day must be a whole number from 1'],
    ['no connection', [{ ...sendgrid, max_connections: 0 }], '.max_connections must be a whole number from 1'],
    [
      'a second DKIM key that is none',
      [{ ...smtp, dkim: [key, { ...key, private_key: 's3cret' }] }],
      'ACCOUNTS[0] ("relay").dkim[1].private_key must be an RSA key of at least 1024 bits',
    ],
    ['a DKIM key of 768 bits', [{ ...smtp, dkim: [weak] }], '.dkim[0].private_key must be an RSA key of at least'],
    [
      'an elliptic DKIM key',
      [{ ...smtp, dkim: [{ ...key, private_key: elliptic }] }],
      '.dkim[0].private_key must be an RSA key',
    ],
    [
      'an encrypted DKIM key',
      [{ ...smtp, dkim: [{ ...key, private_key: encrypted }] }],
      '.dkim[0].private_key must be an RSA key',
    ],
    [
      'a DKIM key whose line ends are gone',
      [{ ...smtp, dkim: [{ ...key, private_key: key.private_key.replaceAll('\n', ' ') }] }],
      '.dkim[0].private_key must be an RSA key',
    ],
    ['a DKIM selector with a blank', [{ ...smtp, dkim: [{ ...key, selector: 's3cret !' }] }], '.dkim[0].selector must'],
    ['a DKIM domain that is none', [{ ...smtp, dkim: [{ ...key, domain: 's3cret' }] }], '.dkim[0].domain must be a'],
    ['a DKIM key without its domain', [{ ...smtp, dkim: ['s3cret'] }], '.dkim must be a list of 1 to 20 keys'],
    ['no DKIM key', [{ ...smtp, dkim: [] }], '.dkim must be a list of 1 to 20 keys'],
    ['a DKIM key with more', [{ ...smtp, dkim: [{ ...key, key: 's3cret' }] }], '.dkim[0]: unknown field key; remove'],
    [
      'DKIM at Amazon SES',
      [{ ...smtp, host: 'email-smtp.eu-west-1.amazonaws.com', dkim: [key] }],
      '.dkim must be left out: Amazon SES',
    ],
    ['DKIM at a service that signs', [{ ...sendgrid, dkim: [key] }], '("sg"): unknown field dkim; remove it'],
    ['a return path that is no domain', [{ ...smtp, bounce_domain: 'a@b.example' }], '.bounce_domain must be a domain'],
    ['a return path at a host without a dot', [{ ...smtp, bounce_domain: 'bounces' }], '.bounce_domain must be a'],
    ['a warm-up from no day', [{ ...ses, warm_up: { from: '2026-02-30' } }], '.warm_up.from must be a date'],
    [
      'a warm-up of half a mail',
      [{ ...ses, warm_up: { from: '2026-11-24', per_day: [1, 0.5] } }],
      '.warm_up.per_day must be a list of 1 to 60 whole numbers',
    ],
    ['a missing key', [{ ...sendgrid, api_key: undefined }], '.api_key must be text'],
  ]
  for (const [name, value, message] of cases) {
    test(name, () => {
      expect(refusal(value)).toContain(message)
      expect(refusal(value)).not.toContain('s3cret')
    })
  }

  test('a secret of the wrong type is not quoted', () => {
    expect(refusal([{ ...ses, secret_access_key: ['s3cret'] }])).not.toContain('s3cret')
    expect(refusal(`[{"name": "a", "password": "s3cret",}]`)).not.toContain('s3cret')
  })
})
