import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import type { Report } from '../../src/doctor/report.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker, ['read'])
})
afterAll(() => worker.close())

const loopback = globalThis.fetch
afterEach(() => {
  globalThis.fetch = loopback
})

/** The public resolvers are this computer's zone. */
function withZone() {
  globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    return loopback(url.host === 'cloudflare-dns.com' ? `${inject('dns')}${url.search}` : input, init)
  }
}

type Body = Report & { links: { tracking_url: string; unsubscribe_url: string } }

const told = ({ findings }: Body) =>
  findings.map(({ severity, check, code, about }) => `${severity} ${check}.${code} ${about}`)

test('a domain is looked at for the accounts that may send from it, and every account is tried', async () => {
  withZone()
  const { status, body } = await api.get<Body>('/doctor?domain=Doctor.Example&selector=s1')
  const accounts = await api.get<{ data: { name: string }[] }>('/accounts')
  expect(status).toBe(200)
  expect(body).toMatchObject({ domain: 'doctor.example', ok: false })
  expect(told(body)).toEqual([
    'ok domain.sound doctor.example',
    'ok spf.sound doctor.example',
    'ok dkim.sound s1._domainkey.doctor.example',
    'warning dmarc.policy_none _dmarc.doctor.example',
    'ok alignment.aligned inbox',
    ...accounts.body.data.map(({ name }) => `error accounts.refused ${name}`),
  ])
  expect(body.findings[3]?.fix).toEqual({
    type: 'TXT',
    name: '_dmarc.doctor.example',
    value: 'v=DMARC1; p=quarantine; rua=mailto:dmarc@doctor.example',
  })
  // As a reader who gets it: the page, and nobody is unsubscribed.
  expect(body.links.tracking_url).toBe('https://mail.test')
  const page = await request<string>(new URL(body.links.unsubscribe_url).pathname)
  expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
})

test('without a resolver nothing is known, and nothing is well', async () => {
  const { status, body } = await api.get<Body>('/doctor?domain=doctor.example')
  expect([status, body.ok, told(body)[0]]).toEqual([200, false, 'error domain.not_looked_up doctor.example'])
})

test.each([
  ['', 'domain', 'is required'],
  ['?domain=localhost', 'domain', 'must be a domain such as example.com'],
  ['?domain=192.0.2.1', 'domain', 'must be a domain such as example.com'],
  ['?domain=a.example&selector=s1,%0a', 'selector', 'must be DKIM selectors, comma separated'],
  ['?domain=a.example&selector=a,b,c,d,e,f,g,h,i,j,k', 'selector', 'must be at most 10'],
  ['?domain=a.example&deep=true', 'deep', 'is not known here: remove it'],
])('/doctor%s is refused', async (query, field, detail) => {
  const answer = await api.get(`/doctor${query}`)
  expect([answer.status, answer.body.errors]).toEqual([422, [{ field, detail }]])
})
