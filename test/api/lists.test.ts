import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface List {
  id: number
  name: string
  description: string | null
}
interface Page<Row> {
  data: Row[]
  next_cursor: string | null
}
interface Member {
  list_id: number
  status: string
  subscriber: { id: number }
}

const newList = async () => (await api.post<List>('/lists', { name: crypto.randomUUID() })).body
const subscribe = async (fields: object = {}) =>
  (await api.post<{ id: number }>('/subscribers', { email: `${crypto.randomUUID()}@example.com`, ...fields })).body.id
const later = () => new Date(Date.now() + 60_000).toISOString()

test('a list is created, read with its counts, renamed, found and deleted', async () => {
  const name = `Größte Liste ${crypto.randomUUID()}`
  const created = await api.post<List>('/lists', { name: ` ${name} `, description: '' })
  expect(created).toMatchObject({ status: 201, body: { name, description: null } })
  const { id } = created.body
  await subscribe({ list_ids: [id] })
  await subscribe({ list_ids: [id], status: 'unsubscribed' })
  expect((await api.get(`/lists/${id}`)).body).toMatchObject({ id, name, subscribed: 1, unsubscribed: 1 })
  expect((await api.patch(`/lists/${id}`, { description: 'All of it' })).body).toMatchObject({
    name,
    description: 'All of it',
  })
  const found = await api.get<Page<List>>(`/lists?name=${encodeURIComponent(name.replace('Gr', 'gR'))}`)
  expect(found.body.data.map((row) => row.id)).toEqual([id])
  expect((await api.delete(`/lists/${id}`)).status).toBe(204)
  for (const path of [`/lists/${id}`, `/lists/${id}/subscribers`]) expect((await api.get(path)).status).toBe(404)
  expect((await api.patch(`/lists/${id}`, { name: 'x' })).status).toBe(404)
  expect((await api.delete(`/lists/${id}`)).status).toBe(404)
})

test('names are unique whatever their case', async () => {
  const { name } = await newList()
  const { id } = await newList()
  const taken = { status: 409, body: { code: 'name_taken', errors: [{ field: 'name' }] } }
  expect(await api.post('/lists', { name: name.toUpperCase() })).toMatchObject(taken)
  expect(await api.patch(`/lists/${id}`, { name: name.toUpperCase() })).toMatchObject(taken)
})

test.each([[{}], [{ name: ' ' }], [{ name: 'x'.repeat(201) }], [{ name: 'a\nb' }], [{ name: 'a', owner: 1 }], [[]]])(
  'refuses %j',
  async (body) => {
    expect((await api.post('/lists', body)).status).toBe(422)
  },
)

test('members join with consent, leave, and do not come back unasked', async () => {
  const { id } = await newList()
  const subscriber_id = await subscribe()
  const path = `/lists/${id}/subscribers/${subscriber_id}`
  const consent = { consented_at: '2025-05-01T10:00:00Z', consent_source: 'shop' }
  expect((await api.delete(path)).status).toBe(404)
  expect((await api.put(path, consent)).body).toMatchObject({
    list_id: id,
    status: 'subscribed',
    ...{ kept_lists: [] },
  })
  expect((await api.delete(path)).status).toBe(204)
  expect((await api.delete(path)).status).toBe(204)
  expect((await api.put(path, consent)).body).toMatchObject({ status: 'unsubscribed', kept_lists: [id] })
  expect((await api.put(path, { ...consent, resubscribe: true })).status).toBe(422)
  expect(
    (await api.put(path, { resubscribe: true, consented_at: later(), consent_source: 'form' })).body,
  ).toMatchObject({
    status: 'subscribed',
    unsubscribed_at: null,
    kept_lists: [],
  })
  const proof = await worker.sql<{ action: string; source: string }>(
    `select action, source from consents where subscriber_id = $1 and list_id = $2 order by id`,
    [subscriber_id, id],
  )
  expect(proof).toEqual([
    { action: 'subscribed', source: 'shop' },
    { action: 'unsubscribed', source: 'api' },
    { action: 'unsubscribed', source: 'api' },
    { action: 'resubscribed', source: 'form' },
  ])
})

test('unknown lists and people are 404', async () => {
  const { id } = await newList()
  const subscriber_id = await subscribe()
  expect((await api.put(`/lists/99999999/subscribers/${subscriber_id}`, {})).status).toBe(404)
  expect((await api.put(`/lists/${id}/subscribers/99999999`, {})).status).toBe(404)
  expect((await api.delete(`/lists/99999999/subscribers/${subscriber_id}`)).status).toBe(404)
  expect((await api.post('/lists/99999999/subscribers', { subscriber_ids: [subscriber_id] })).status).toBe(404)
})

test('many join at once, one answer each, and are paged', async () => {
  const { id } = await newList()
  const ids = await Promise.all(Array.from({ length: 7 }, () => subscribe()))
  const left = ids[0]
  await api.put(`/lists/${id}/subscribers/${left}`, {})
  await api.delete(`/lists/${id}/subscribers/${left}`)
  const { body } = await api.post<{
    data: { outcome: string; id: number | null; code: string | null; kept_lists: number[] }[]
  }>(`/lists/${id}/subscribers`, { subscriber_ids: [...ids, 99_999_999, ids[1]] })
  expect(body.data.map((row) => row.outcome)).toEqual([
    'unchanged',
    ...Array(6).fill('updated'),
    'refused',
    'unchanged',
  ])
  expect(body.data[0]?.kept_lists).toEqual([id])
  expect(body.data[7]).toMatchObject({ code: 'unknown_subscriber', id: null })
  const seen: number[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page<Member> = (
      await api.get<Page<Member>>(`/lists/${id}/subscribers?status=subscribed&limit=2${cursor && `&cursor=${cursor}`}`)
    ).body
    seen.push(...page.data.map((row) => row.subscriber.id))
    cursor = page.next_cursor
  }
  expect(seen).toEqual(ids.slice(1).sort((a, b) => a - b))
  expect((await api.get<Page<Member>>(`/lists/${id}/subscribers?status=unsubscribed`)).body.data).toMatchObject([
    { status: 'unsubscribed', subscriber: { id: left } },
  ])
  const other = await newList()
  const { next_cursor } = (await api.get<Page<Member>>(`/lists/${id}/subscribers?limit=2`)).body
  expect((await api.get(`/lists/${other.id}/subscribers?limit=2&cursor=${next_cursor}`)).body.code).toBe('bad_cursor')
})

test('a list that a coming campaign names cannot be deleted; one that only a draft names can', async () => {
  const [included, excluded] = [await newList(), await newList()]
  const [sender] = await worker.sql<{ id: string }>(
    `insert into senders (name, from_name, from_email, postal_address) values ('s', 's', 's@example.com', 'x') returning id`,
  )
  const [template] = await worker.sql<{ id: string }>(`insert into templates (name) values ('t') returning id`)
  const [campaign] = await worker.sql<{ id: string }>(
    `insert into campaigns (name, subject, template_id, sender_id, audience, status, scheduled_at)
     values ('c', 's', $1, $2, $3, 'scheduled', now()) returning id`,
    [
      template?.id,
      sender?.id,
      JSON.stringify({ include: [included.id], exclude: [excluded.id], where: {}, sample: null }),
    ],
  )
  for (const { id } of [included, excluded]) {
    expect(await api.delete(`/lists/${id}`)).toMatchObject({ status: 409, body: { code: 'in_use' } })
  }
  await worker.sql(`update campaigns set status = 'draft' where id = $1`, [campaign?.id])
  for (const { id } of [included, excluded]) expect((await api.delete(`/lists/${id}`)).status).toBe(204)
})

test('a public list has a wording to agree to and, with double opt-in, a sender', async () => {
  const name = crypto.randomUUID()
  const fieldsOf = (answer: { body: ProblemBody }) => answer.body.errors?.map(({ field }) => field)
  const plain = await api.post('/lists', { name })
  expect(plain).toMatchObject({
    status: 201,
    body: { opt_in: 'double', visibility: 'private', consent_wording: null, sender_id: null, success_url: null },
  })
  const open = { name: crypto.randomUUID(), visibility: 'public' }
  expect(fieldsOf(await api.post('/lists', open))).toEqual(['consent_wording', 'sender_id'])
  expect(fieldsOf(await api.post('/lists', { ...open, consent_wording: ' ' }))).toEqual([
    'consent_wording',
    'sender_id',
  ])
  expect(fieldsOf(await api.post('/lists', { ...open, opt_in: 'single' }))).toEqual(['consent_wording'])
  expect(fieldsOf(await api.post('/lists', { ...open, consent_wording: 'Yes', sender_id: 987654 }))).toEqual([
    'sender_id',
  ])

  const sender = await api.post<{ id: number }>('/senders', {
    name,
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme, 1 Main Street',
  })
  const made = await api.post<List>('/lists', {
    ...open,
    consent_wording: ' Yes,\r\nplease ',
    sender_id: sender.body.id,
    success_url: 'https://ACME.example/thanks?a=1',
  })
  expect(made).toMatchObject({
    status: 201,
    body: { consent_wording: 'Yes,\nplease', success_url: 'https://acme.example/thanks?a=1' },
  })
  const { id } = made.body
  const deleted = () => api.delete(`/senders/${sender.body.id}`)
  expect(await deleted()).toMatchObject({ status: 409, body: { code: 'in_use' } })
  expect(fieldsOf(await api.patch(`/lists/${id}`, { sender_id: null }))).toEqual(['sender_id'])
  expect(fieldsOf(await api.patch(`/lists/${id}`, { consent_wording: null }))).toEqual(['consent_wording'])
  expect((await api.patch(`/lists/${id}`, { sender_id: null, opt_in: 'single' })).status).toBe(200)
  await worker.sql('update settings set sender_id = $1', [sender.body.id])
  expect((await api.patch(`/lists/${id}`, { opt_in: 'double' })).status).toBe(200)
  expect((await deleted()).status).toBe(409)
  // Without a sender any more, it can still be renamed and closed.
  await worker.sql('update settings set sender_id = null')
  expect((await api.patch(`/lists/${id}`, { description: 'x' })).status).toBe(200)
  expect((await api.patch(`/lists/${id}`, { visibility: 'private' })).status).toBe(200)
  expect(fieldsOf(await api.patch(`/lists/${id}`, { visibility: 'public' }))).toEqual(['sender_id'])
  expect((await api.patch(`/lists/${id}`, { visibility: 'private', consent_wording: null })).status).toBe(200)
  expect((await deleted()).status).toBe(204)
})

test.each([
  ['http://acme.example'],
  ['javascript:alert(1)'],
  ['/thanks'],
  ['https://ada:secret@acme.example/'],
  [`https://acme.example/${'x'.repeat(2000)}`],
  [''],
])('refuses to lead people to %s', async (success_url) => {
  expect(await api.post('/lists', { name: crypto.randomUUID(), success_url })).toMatchObject({
    status: 422,
    body: { errors: [{ field: 'success_url' }] },
  })
})

test('of two changes at once that would together leave a list open without a wording, one is refused', async () => {
  const list = { opt_in: 'single', consent_wording: 'Yes' }
  for (let round = 0; round < 5; round++) {
    const { id } = (await api.post<List>('/lists', { name: crypto.randomUUID(), ...list })).body
    const answers = await Promise.all([
      api.patch(`/lists/${id}`, { visibility: 'public' }),
      api.patch(`/lists/${id}`, { consent_wording: null }),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422])
  }
})
