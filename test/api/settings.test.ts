import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker({ SENDING: 'off' })
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Settings {
  sending: boolean
  deployed_sending: boolean
  pause_complaint_share: number
  pause_bounce_share: number
  pause_block_share: number
  track_opens: string
  track_clicks: string
  sender_id: number | null
  brand_name: string | null
  brand_logo_url: string | null
  brand_color: string | null
  home_url: string | null
  privacy_url: string | null
  updated_at: string
}

const HTTPS = 'must be an https address with a plain host name'
const NO_HOUSE = {
  sender_id: null,
  brand_name: null,
  brand_logo_url: null,
  brand_color: null,
  home_url: null,
  privacy_url: null,
}
const SHARES = { pause_complaint_share: 0.001, pause_bounce_share: 0.05, pause_block_share: 0.05 }

test('sending is on until someone stops it, and the deployed switch is told apart', async () => {
  const before = await api.get<Settings>('/settings')
  const modes = { track_opens: 'individual', track_clicks: 'individual' }
  const rest = { deployed_sending: false, ...SHARES, ...modes, ...NO_HOUSE, updated_at: expect.any(String) }
  expect(before.body).toEqual({ sending: true, ...rest })
  const stopped = await api.put<Settings>('/settings', { sending: false })
  expect(stopped.body).toEqual({ sending: false, ...rest })
  expect((await api.get<Settings>('/settings')).body).toEqual(stopped.body)
  expect(await worker.sql('select sending from settings')).toEqual([{ sending: false }])
  expect((await api.put<Settings>('/settings', { sending: true })).body.sending).toBe(true)
  expect(await worker.sql('select count(*)::int as n from settings')).toEqual([{ n: 1 }])
})

test('the shares at which campaigns pause are changed one by one', async () => {
  const changed = await api.put<Settings>('/settings', { pause_complaint_share: 0.003 })
  expect(changed.body).toMatchObject({ ...SHARES, sending: true, pause_complaint_share: 0.003 })
  const rest = await api.put<Settings>('/settings', { pause_bounce_share: 1, pause_block_share: 0 })
  expect(rest.body).toMatchObject({ pause_complaint_share: 0.003, pause_bounce_share: 1, pause_block_share: 0 })
  expect((await api.get<Settings>('/settings')).body).toEqual(rest.body)
  await api.put('/settings', SHARES)
})

test('the house is set and emptied field by field', async () => {
  const sender = await api.post<{ id: number }>('/senders', {
    name: 'House',
    from_name: 'Acme',
    from_email: 'hello@acme.example',
    postal_address: 'Acme, 1 Main Street',
  })
  const house = {
    sender_id: sender.body.id,
    brand_name: 'Acme & Co',
    brand_logo_url: 'https://cdn.acme.example/logo.png',
    brand_color: '#AABBCC',
    home_url: 'https://acme.example',
    privacy_url: 'https://acme.example/privacy?of="us"',
  }
  const kept = {
    ...house,
    brand_color: '#aabbcc',
    home_url: 'https://acme.example/',
    privacy_url: 'https://acme.example/privacy?of=%22us%22',
  }
  const set = await api.put<Settings>('/settings', house)
  expect(set.body).toMatchObject(kept)
  expect((await api.put<Settings>('/settings', { brand_name: null })).body).toMatchObject({ ...kept, brand_name: null })
  expect((await api.put<Settings>('/settings', NO_HOUSE)).body).toMatchObject(NO_HOUSE)
})

test.each([
  [{}, 'body', 'must change at least one field'],
  [{ pause_bounce_share: 1.1 }, 'pause_bounce_share', 'must be at most 1'],
  [{ pause_block_share: -0.1 }, 'pause_block_share', 'must be at least 0'],
  [{ pause_complaint_share: '5%' }, 'pause_complaint_share', 'must be a number'],
  [{ sending: 'off' }, 'sending', 'must be true or false'],
  [{ sender_id: 4711 }, 'sender_id', 'names a sender that does not exist'],
  [{ brand_name: ' ' }, 'brand_name', 'must not be empty'],
  [{ brand_name: 'a\nb' }, 'brand_name', 'must be one line, without control characters'],
  [{ brand_color: 'red' }, 'brand_color', 'must be a colour such as #1d4ed8'],
  [{ brand_color: '#1d4ed8;}' }, 'brand_color', 'must be a colour such as #1d4ed8'],
  [{ brand_logo_url: 'http://acme.example/l.png' }, 'brand_logo_url', HTTPS],
  [{ brand_logo_url: 'https://a;sandbox/l.png' }, 'brand_logo_url', HTTPS],
  [{ home_url: 'javascript:alert(1)' }, 'home_url', HTTPS],
  [{ privacy_url: 'https://me:pw@acme.example' }, 'privacy_url', HTTPS],
  [{ sending: true, speed: 9 }, 'speed', 'is not known here: remove it'],
])('settings %j are refused', async (body, field, detail) => {
  const answer = await api.put('/settings', body)
  expect([answer.status, answer.body.errors]).toEqual([422, [{ field, detail }]])
})

test('the accounts of the sending Worker are listed with how they stand, without their secrets', async () => {
  const { status, body } = await api.get<{ data: object[]; next_cursor: null }>('/accounts')
  expect(status).toBe(200)
  const shown = [
    ...['bounce_domain', 'dkim', 'from_domains', 'kind', 'max_connections', 'name', 'per_day', 'pool'],
    ...['rate_per_second', 'standing', 'warm_up', 'where'],
  ]
  expect(body.data.map((account) => Object.keys(account).sort())).toEqual(body.data.map(() => shown))
  expect(body.data[0]).toMatchObject({
    name: 'inbox',
    kind: 'smtp',
    standing: { connections: 0, sent_last_day: 0, limited_by: null, down: null },
  })
})
