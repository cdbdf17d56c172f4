import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Taken } from '../support/receiver.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Endpoint {
  id: number
  url: string
  description: string | null
  events: string[]
  enabled: boolean
  disabled_reason: string | null
  secret?: string
}

interface Message {
  id: number
  webhook_id: string
  type: string
  status: string
  attempts: number
  data: Record<string, unknown>
  next_attempt_at: string | null
  tries: { response_status: number | null; response: string; duration_ms: number }[]
}

interface Page<Row> {
  data: Row[]
  next_cursor: string | null
}

const name = () => crypto.randomUUID()
const addressOf = (of: string, how: string | number = 200) => `${inject('receiver')}/${of}/${how}`
const taken = async (of: string): Promise<Taken[]> => (await fetch(`${inject('receiver')}/${of}`)).json()
const create = async (body: Record<string, unknown>) => {
  const made = await api.post<Endpoint>('/webhooks', body)
  expect(made.status).toBe(201)
  return { ...made.body, secret: made.body.secret ?? '' }
}
const problem = async (path: string, body?: unknown) => {
  const { status, body: said } = await api.post<ProblemBody>(path, body)
  return [status, said.code, said.errors?.[0]?.field]
}

test('a webhook is made, read, changed and deleted; its secret is shown once', async () => {
  const url = addressOf(name())
  const { id, secret, ...made } = await create({ url, events: ['subscriber.created', 'subscriber.created'] })
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(made).toMatchObject({
    url,
    description: null,
    events: ['subscriber.created'],
    enabled: true,
    disabled_reason: null,
  })
  for (const answer of [
    await api.get<Endpoint>(`/webhooks/${id}`),
    await api.get<Page<Endpoint>>('/webhooks'),
    await api.patch<Endpoint>(`/webhooks/${id}`, { description: 'Our shop' }),
  ]) {
    expect(answer.status).toBe(200)
    expect(JSON.stringify(answer.body)).not.toContain(secret)
  }
  const off = await api.patch<Endpoint>(`/webhooks/${id}`, { enabled: false })
  expect(off.body).toMatchObject({
    enabled: false,
    disabled_reason: 'It was disabled by hand.',
    description: 'Our shop',
  })
  const on = await api.patch<Endpoint>(`/webhooks/${id}`, { enabled: true, events: [] })
  expect(on.body).toMatchObject({ enabled: true, disabled_reason: null, events: [] })

  const rotated = await api.post<{ secret: string }>(`/webhooks/${id}/rotate-secret`)
  expect(rotated.body.secret).toMatch(/^whsec_/)
  expect(rotated.body.secret).not.toBe(secret)
  expect((await api.delete(`/webhooks/${id}`)).status).toBe(204)
  for (const path of [`/webhooks/${id}`, `/webhooks/${id}/messages`]) expect((await api.get(path)).status).toBe(404)
  expect((await api.delete(`/webhooks/${id}`)).status).toBe(404)
  expect(await problem(`/webhooks/${id}/test`)).toEqual([404, 'not_found', undefined])
})

test('addresses that lead inside are refused, with the reason, also when one is changed', async () => {
  const fault = [422, 'validation_failed', 'url']
  expect(await problem('/webhooks', { url: 'https://169.254.169.254/' })).toEqual(fault)
  expect(await problem('/webhooks', { url: 'https://mail.test/hook' })).toEqual(fault)
  expect(await problem('/webhooks', { url: 'http://hooks.shop.com/' })).toEqual(fault)
  expect(await problem('/webhooks', { url: addressOf('x'), events: ['subscriber.exploded'] })).toEqual([
    ...[422, 'validation_failed', 'events.0'],
  ])
  const { id } = await create({ url: addressOf(name()) })
  expect((await api.patch<ProblemBody>(`/webhooks/${id}`, { url: 'https://10.0.0.1/' })).body.errors[0]?.field).toBe(
    'url',
  )
  await api.delete(`/webhooks/${id}`)
})

test('what a call changes is delivered at once, signed, and the log says so', async () => {
  const of = name()
  const { id, secret } = await create({ url: addressOf(of), events: ['subscriber.created', 'subscriber.deleted'] })
  const email = `${name()}@example.com`
  const subscriber = await api.post<{ id: number }>('/subscribers', { email })
  await expect.poll(() => taken(of), { timeout: 20_000 }).toHaveLength(1)
  const [arrived] = await taken(of)
  expect(new Webhook(secret).verify(arrived?.body ?? '', arrived?.headers as Record<string, string>)).toMatchObject({
    type: 'subscriber.created',
    data: { subscriber_id: subscriber.body.id, email },
  })
  const log = () => api.get<Page<Message>>(`/webhooks/${id}/messages?status=delivered&type=subscriber.created`)
  await expect.poll(async () => (await log()).body.data, { timeout: 20_000 }).toHaveLength(1)
  const [message] = (await log()).body.data
  const one = await api.get<Message>(`/webhooks/${id}/messages/${message?.id}`)
  expect(one.body).toMatchObject({ webhook_id: arrived?.headers['webhook-id'], status: 'delivered', attempts: 1 })
  expect(one.body.tries).toMatchObject([{ response_status: 200, response: 'answered 200' }])
  expect((await api.get<Page<Message>>(`/webhooks/${id}/messages?status=failed`)).body.data).toEqual([])
  expect((await api.get(`/webhooks/${id + 1}/messages/${message?.id}`)).status).toBe(404)

  const again = await api.post<Message>(`/webhooks/${id}/messages/${message?.id}/replay`)
  expect(again.body).toMatchObject({ status: 'pending', attempts: 0 })
  await expect.poll(() => taken(of), { timeout: 20_000 }).toHaveLength(2)

  await api.delete(`/subscribers/${subscriber.body.id}`)
  await expect.poll(() => taken(of), { timeout: 20_000 }).toHaveLength(3)
  expect(JSON.parse((await taken(of))[2]?.body ?? '').data).toEqual({ subscriber_id: subscriber.body.id })
  const left = await api.get<Page<Message>>(`/webhooks/${id}/messages`)
  expect(left.body.data.map(({ type }) => type)).toEqual(['subscriber.deleted'])
  await api.delete(`/webhooks/${id}`)
})

test('a test event says what happened, and failed ones are not tried again', async () => {
  const of = name()
  const { id } = await create({ url: addressOf(of, 500), events: ['campaign.sent'], enabled: false })
  const tried = async (how: string | number) => {
    await api.patch(`/webhooks/${id}`, { url: addressOf(of, how) })
    return (await api.post<Record<string, unknown>>(`/webhooks/${id}/test`)).body
  }
  const message_id = expect.any(Number)
  expect(await tried(204)).toMatchObject({ message_id, delivered: true, response_status: 204, response: '' })
  expect(await tried(503)).toMatchObject({
    message_id,
    delivered: false,
    response_status: 503,
    response: 'answered 503',
  })
  expect(await tried(302)).toMatchObject({ delivered: false, response_status: 302 })
  expect(await tried('open')).toMatchObject({ delivered: true, response_status: 200, response: 'x'.repeat(2048) })
  expect((await taken(of)).map(({ path }) => path.split('/')[2])).toEqual(['204', '503', '302', 'open'])
  const log = await api.get<Page<Message>>(`/webhooks/${id}/messages?type=webhook.test`)
  expect(log.body.data.map(({ status }) => status)).toEqual(['delivered', 'failed', 'failed', 'delivered'])

  // A disabled one takes no replay; one that is enabled again begins anew.
  expect(await problem(`/webhooks/${id}/replay`, { since: '2026-01-01T00:00:00Z' })).toEqual([
    409,
    'wrong_status',
    undefined,
  ])
  await api.patch(`/webhooks/${id}`, { enabled: true, url: addressOf(of) })
  const replayed = await api.post<{ replayed: number; complete: boolean }>(`/webhooks/${id}/replay`, {
    since: '2026-01-01T00:00:00Z',
  })
  expect(replayed.body).toEqual({ replayed: 2, complete: true })
  await expect.poll(() => taken(of), { timeout: 20_000 }).toHaveLength(6)
  await api.delete(`/webhooks/${id}`)
})

test('there are 20 at the most, and a page of the log leads to the next', async () => {
  const made = await Promise.all(
    Array.from({ length: 22 }, () =>
      api.post<Endpoint & ProblemBody>('/webhooks', { url: addressOf('none'), events: ['campaign.sent'] }),
    ),
  )
  expect(made.map(({ status }) => status).sort()).toEqual([...Array(20).fill(201), 409, 409])
  const id = made.find(({ status }) => status === 201)?.body.id
  for (let i = 0; i < 3; i++) await api.post(`/webhooks/${id}/test`)
  const first = await api.get<Page<Message>>(`/webhooks/${id}/messages?limit=2`)
  const second = await api.get<Page<Message>>(`/webhooks/${id}/messages?limit=2&cursor=${first.body.next_cursor}`)
  const ids = [...first.body.data, ...second.body.data].map((row) => row.id)
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => b - a))
  expect([ids.length, second.body.next_cursor]).toEqual([3, null])
})
