import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
  await worker.sql(`insert into mailing_lists (name) values ('Letter'), ('Other')`)
  await worker.sql(`insert into subscribers (email, first_name, attributes, tags, status)
    select 'person' || i || '@example.com', case when i % 2 = 0 then 'Ada' end,
      jsonb_build_object('plan', case when i % 3 = 0 then 'Pro' else 'free' end, 'seats', i),
      case when i % 5 = 0 then '{vip}' else '{}' end::text[], case when i % 10 = 0 then 'bounced' else 'active' end
    from generate_series(1, 100) i`)
  await worker.sql(`insert into list_members (list_id, subscriber_id) select 1, i from generate_series(1, 50) i`)
  await worker.sql(`insert into attribute_definitions (name, type) values ('seats', 'number')`)
})
afterAll(() => worker.close())

interface Segment {
  id: number
  name: string
  description: string | null
  filter: unknown
  created_at: string
  updated_at: string
}
interface People {
  data: { id: number; email: string }[]
  next_cursor: string | null
}

const PRO = { attribute: 'plan', op: 'eq', value: 'pro' }

test('a segment is created, read, counted, listed, changed and deleted', async () => {
  const created = await api.post<Segment>('/segments', {
    name: 'Pro',
    filter: { and: [PRO, { list: 1, op: 'subscribed' }] },
  })
  expect(created.status).toBe(201)
  expect(created.body).toMatchObject({
    name: 'Pro',
    description: null,
    filter: { and: [PRO, { list: 1, op: 'subscribed' }] },
  })
  const path = `/segments/${created.body.id}`
  expect((await api.get<Segment>(path)).body).toEqual(created.body)
  expect((await api.get(`${path}/count`)).body).toEqual({ count: 16, active: 15 })

  const first = await api.get<People>(`${path}/subscribers?limit=10`)
  expect(first.body.data.map(({ id }) => id)).toEqual([3, 6, 9, 12, 15, 18, 21, 24, 27, 30])
  expect(first.body.data[0]?.email).toBe('person3@example.com')
  const next = await api.get<People>(`${path}/subscribers?limit=10&cursor=${first.body.next_cursor}`)
  expect(next.body).toMatchObject({ data: [33, 36, 39, 42, 45, 48].map((id) => ({ id })), next_cursor: null })

  const changed = await api.patch<Segment>(path, { filter: PRO })
  expect(changed.body).toEqual({ ...created.body, filter: PRO, updated_at: changed.body.updated_at })
  expect((await api.get(`${path}/count`)).body).toEqual({ count: 33, active: 30 })
  const stale = await api.get(`${path}/subscribers?limit=10&cursor=${first.body.next_cursor}`)
  expect([stale.status, stale.body.code]).toEqual([400, 'bad_cursor'])

  expect((await api.get<{ data: Segment[] }>('/segments?name=pro')).body.data).toEqual([changed.body])
  expect((await api.get<{ data: Segment[] }>('/segments?name=other')).body.data).toEqual([])
  expect((await api.delete(path)).status).toBe(204)
  for (const gone of [path, `${path}/count`, `${path}/subscribers`]) expect((await api.get(gone)).status).toBe(404)
  expect((await api.delete(path)).status).toBe(404)
  expect((await api.patch(path, { name: 'Gone' })).status).toBe(404)
})

test('a filter is tried without being saved', async () => {
  const filter = { and: [PRO, { not: { tags: ['VIP'], op: 'any' } }] }
  expect((await api.post('/segments/count', { filter })).body).toEqual({ count: 27, active: 27 })
  const first = await api.post<People>('/segments/preview', { filter, limit: 20 })
  expect(first.body.data).toHaveLength(20)
  const next = await api.post<People>('/segments/preview', { filter, limit: 20, cursor: first.body.next_cursor })
  expect(next.body.data).toHaveLength(7)
  const other = await api.post('/segments/preview', { filter: PRO, cursor: first.body.next_cursor })
  expect([other.status, other.body.code]).toEqual([400, 'bad_cursor'])
  expect(await worker.sql('select 1 from segments')).toEqual([])
})

test('names are unique, whatever their case', async () => {
  const { body } = await api.post<Segment>('/segments', { name: 'Regulars', filter: PRO })
  const again = await api.post('/segments', { name: 'regulars', filter: PRO })
  expect([again.status, again.body.code, again.body.errors[0]?.field]).toEqual([409, 'name_taken', 'name'])
  const other = await api.post<Segment>('/segments', { name: 'Others', filter: PRO })
  expect((await api.patch(`/segments/${other.body.id}`, { name: 'REGULARS' })).status).toBe(409)
  expect((await api.patch(`/segments/${body.id}`, { name: 'REGULARS' })).status).toBe(200)
  expect((await api.patch(`/segments/${body.id}`, {})).status).toBe(422)
})

const deep = (levels: number): unknown => (levels === 0 ? PRO : { not: deep(levels - 1) })

test.each([
  [undefined, 'filter', 'is required'],
  ['everyone', 'filter', 'must be an object'],
  [{}, 'filter', 'must have exactly one of and, or, not, field'],
  [{ and: [] }, 'filter.and', 'must have at least one filter'],
  [
    { or: [PRO, { attribute: 'seats', op: 'contains', value: '3' }] },
    'filter.or.1.op',
    'must be one of eq, ne, in, not_in, gt',
  ],
  [{ attribute: 'seats', op: 'eq', value: '3' }, 'filter.value', 'must be a number'],
  [{ and: [PRO, { list: 99, op: 'ever' }] }, 'filter.and.1.list', 'names no mailing list: there is no list 99'],
  [{ not: { campaign: 99, op: 'opened' } }, 'filter.not.campaign', 'names no campaign: there is no campaign 99'],
  [{ ...PRO, sql: '1=1' }, 'filter.sql', 'is not known here'],
  [deep(10), 'filter.not.not.not.not.not.not.not.not.not', 'is nested too deep'],
  [{ or: Array.from({ length: 101 }, () => PRO) }, 'filter.or', 'must have at most 100'],
])('a filter of %j is refused: nothing is saved, counted or listed', async (filter, field, detail) => {
  for (const call of [
    () => api.post('/segments', { name: 'Bad', filter }),
    () => api.post('/segments/count', { filter }),
    () => api.post('/segments/preview', { filter }),
  ]) {
    const answer = await call()
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    expect(answer.body.errors[0]?.field).toBe(field)
    expect(answer.body.errors[0]?.detail).toContain(detail)
  }
  expect(await worker.sql(`select 1 from segments where name = 'Bad'`)).toEqual([])
})

test('a campaign names segments; one that it names is kept', async () => {
  const { body: segment } = await api.post<Segment>('/segments', { name: 'For a campaign', filter: PRO })
  await api.post('/senders', { name: 'S', from_name: 'A', from_email: 'a@example.com', postal_address: 'Street 1' })
  await api.post('/templates', { name: 'T', format: 'html', source: '<p>{{first_name}}</p>' })
  const content = { name: 'C', subject: 's', template_id: 1, sender_id: 1 }
  const audience = { include: [1], include_segments: [segment.id], exclude_segments: [segment.id, 999] }
  const refused = await api.post('/campaigns', { ...content, audience })
  expect([refused.status, refused.body.errors]).toEqual([
    422,
    [{ field: 'audience.exclude_segments.1', detail: 'names no segment: there is no segment 999' }],
  ])
  const created = await api.post<{ id: number; audience: unknown }>('/campaigns', {
    ...content,
    audience: { include: [1], include_segments: [segment.id] },
  })
  expect(created.status).toBe(201)
  const stored = { include: [1], exclude: [], where: {}, sample: null, include_segments: [segment.id] }
  expect((await api.get<{ audience: unknown }>(`/campaigns/${created.body.id}`)).body.audience).toEqual(stored)
  const check = await api.post<{ audience: { count: number } }>(`/campaigns/${created.body.id}/check`)
  expect(check.body.audience.count).toBe(15)

  const kept = await api.delete(`/segments/${segment.id}`)
  expect([kept.status]).toEqual([409])
  expect((await api.delete('/lists/2')).status).toBe(204)
  const asking = await api.post<Segment>('/segments', { name: 'Of a list', filter: { not: { list: 1, op: 'ever' } } })
  expect(asking.status).toBe(201)
  await api.delete(`/campaigns/${created.body.id}`)
  expect((await api.delete(`/segments/${segment.id}`)).status).toBe(204)
  expect((await api.delete('/lists/1')).status).toBe(409)
  expect((await api.delete(`/segments/${asking.body.id}`)).status).toBe(204)
  expect((await api.delete('/lists/1')).status).toBe(204)
})

test('a body of 50,000 levels is refused before anything walks it', async () => {
  const text = `{"filter":${'{"not":'.repeat(50_000)}{}${'}'.repeat(50_000)}}`
  const raw = await request<{ code: string }>('/api/v1/segments/count', {
    method: 'POST',
    headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/json' },
    body: text,
  })
  expect([raw.status, raw.body.code]).toEqual([400, 'malformed_json'])
})
