// The commands as a person runs them: `npm run keys -- dkim`, its record put into DNS, `npm run doctor`.
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDkimKey } from '../../../scripts/keys/dkim.ts'
import type { DkimKey } from '../../../src/providers/account.ts'
import { publicHalf } from '../../../src/providers/public-key.ts'
import { startZone, type Zone } from '../../support/dns-zone.ts'
import { type Endpoint, startEndpoint } from '../../support/http-endpoint.ts'
import { BOUNCES, DOMAIN, examine, faultsIn, healthy, RELAY } from './healthy.ts'

let zone: Zone
let api: Endpoint
let answer: object = {}
beforeAll(async () => {
  zone = await startZone(healthy())
  api = await startEndpoint((request, _body, response) => {
    if (request.url?.startsWith('/t/o/')) return void response.writeHead(200, { 'content-type': 'image/gif' }).end()
    if (request.url?.startsWith('/u/')) return void response.writeHead(200, { 'content-type': 'text/html' }).end()
    const known =
      request.headers.authorization === 'Bearer emk_key' &&
      request.url === '/api/v1/doctor?domain=example.com&selector=s1%2Cs2'
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
})
afterAll(() => Promise.all([zone.stop(), api.stop()]))

function doctor(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, EMK_API_URL: '', EMK_API_KEY: '' }
    execFile(process.execPath, ['scripts/doctor.ts', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

const OPTIONS = ['--domain', DOMAIN, '--return-path', BOUNCES, '--selector', 'emk', '--resolver']

test('a domain in order: exit code 0', async () => {
  const { code, stdout } = await doctor(...OPTIONS, zone.url)
  expect(stdout).toContain('example.com: 0 errors, 0 warnings, 7 in order')
  expect(code).toBe(0)
})

test('errors: exit code 1, the record on lines of its own, and one object for programs', async () => {
  const sick = await startZone(healthy().filter(({ name }) => name !== '_dmarc.example.com'))
  try {
    const [read, json] = await Promise.all([doctor(...OPTIONS, sick.url), doctor(...OPTIONS, sick.url, '--json')])
    expect([read.code, json.code]).toEqual([1, 1])
    expect(read.stdout.split('\n')).toEqual(
      expect.arrayContaining(['_dmarc.example.com', 'v=DMARC1; p=none; rua=mailto:dmarc@example.com']),
    )
    const { ok, findings } = JSON.parse(json.stdout)
    expect([ok, faultsIn(findings)]).toEqual([false, ['error dmarc.missing _dmarc.example.com']])
  } finally {
    await sick.stop()
  }
})

test('of an installation, with the tracking links looked at from here', async () => {
  const sound = { check: 'dkim', code: 'sound', about: 'x', severity: 'ok', what: 'a key', fix: null, source: null }
  const links = { tracking_url: api.url, unsubscribe_url: `${api.url}/u/token` }
  answer = { domain: DOMAIN, ok: true, findings: [sound], links }
  const { code, stdout } = await doctor(
    '--domain',
    DOMAIN,
    '--selector',
    's1',
    '--selector',
    's2',
    '--api',
    api.url,
    '--key',
    'emk_key',
  )
  expect([code, stdout]).toEqual([
    0,
    'ok       a key\nok       Pixel and unsubscribe page answer.\n\nexample.com: 0 errors, 0 warnings, 2 in order\n',
  ])
})

test('what cannot be asked: exit code 2, and why', async () => {
  const [none, half, service] = await Promise.all([
    doctor('--domain', 'localhost'),
    doctor('--domain', DOMAIN, '--api', api.url),
    doctor('--domain', DOMAIN, '--service', 'carrier-pigeon'),
  ])
  expect([none.code, half.code, service.code]).toEqual([2, 2, 2])
  expect(none.stderr).toContain('--domain must be a domain')
  expect(half.stderr).toContain('--api and --key go together')
  expect(service.stderr).toContain('--service must be ses or sendgrid')
})

test('the record that `npm run keys -- dkim` prints is the one an account with that key wants', async () => {
  const made = await newDkimKey({ domain: DOMAIN, selector: 'fresh', bits: 2048 })
  const { dkim }: { dkim: [DkimKey] } = JSON.parse(`{${made.fragment}}`)
  const key = publicHalf(dkim[0])
  zone.records.push({ type: 'TXT', name: made.name, value: made.value })
  try {
    expect(faultsIn(await examine(zone, { accounts: [{ ...RELAY, dkim: [key] }] }))).toEqual([])
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const other = publicHalf({ ...key, private_key })
    expect(faultsIn(await examine(zone, { accounts: [{ ...RELAY, dkim: [other] }] }))).toEqual([
      `error dkim.wrong_key ${made.name}`,
    ])
  } finally {
    zone.records.pop()
  }
})
