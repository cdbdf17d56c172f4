import { parse } from 'csv-parse/browser/esm/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let list_id: number
let ids: number[]
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
  list_id = (await api.post<{ id: number }>('/lists', { name: 'News' })).body.id
  await api.post('/attributes', { name: 'seats', type: 'number' })
  const consent = {
    consented_at: '2026-01-02T03:04:05.000Z',
    consent_source: 'form',
    consent_wording: 'I agree, "truly"',
  }
  const made = await api.post<{ data: { id: number }[] }>('/subscribers/bulk', {
    subscribers: [
      {
        email: 'Ada@example.com',
        first_name: '=1+1',
        tags: ['vip'],
        attributes: { seats: 3, city: 'Paris' },
        list_ids: [list_id],
        ...consent,
      },
      { email: 'bob@example.com', status: 'unsubscribed' },
      { email: 'cy@example.com', list_ids: [list_id], ...consent, consent_country: 'FR' },
    ],
  })
  ids = made.body.data.map(({ id }) => id)
})
afterAll(() => worker.close())

const download = (path: string) =>
  request<string>(`/api/v1${path}`, { headers: { authorization: `Bearer ${api.key}` } })
const records = async (path: string) =>
  parse((await download(path)).body, { columns: true }) as Record<string, string>[]

describe('subscribers', () => {
  test('all of them, as CSV that is a file', async () => {
    const { status, headers, body } = await download('/subscribers/export')
    expect([status, headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8; header=present'])
    expect(headers.get('content-disposition')).toBe('attachment; filename="subscribers.csv"')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body.split('\r\n')).toHaveLength(5)
    expect(await records('/subscribers/export')).toMatchObject([
      {
        email: 'Ada@example.com',
        first_name: "'=1+1",
        tags: 'vip',
        'attributes.seats': '3',
        attributes: '{"city":"Paris"}',
      },
      { email: 'bob@example.com', status: 'unsubscribed' },
      { email: 'cy@example.com' },
    ])
    expect((await records('/subscribers/export?formula_safe=false'))[0]?.first_name).toBe('=1+1')
  })

  test('as lines of JSON, of a list and of a segment', async () => {
    const { headers, body } = await download(`/subscribers/export?format=ndjson&list_id=${list_id}`)
    expect(headers.get('content-disposition')).toBe(`attachment; filename="subscribers-list-${list_id}.ndjson"`)
    const people = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(people).toMatchObject([
      { email: 'Ada@example.com', list_status: 'subscribed', consent_source: 'form', attributes: { seats: 3 } },
      { email: 'cy@example.com' },
    ])
    const segment = await api.post<{ id: number }>('/segments', { name: 'vips', filter: { tags: ['vip'], op: 'any' } })
    const found = await records(`/subscribers/export?segment_id=${segment.body.id}`)
    expect(found.map(({ email }) => email)).toEqual(['Ada@example.com'])
    expect(await records(`/subscribers/export?list_id=${list_id}&standing=unsubscribed`)).toEqual([])
    expect(await records('/subscribers/export?status=unsubscribed&tag=VIP')).toEqual([])
  })

  test('what does not exist or does not fit is refused before a file begins', async () => {
    for (const [query, status] of [
      ['list_id=999999', 404],
      ['segment_id=999999', 404],
      ['standing=any', 422],
      ['format=xlsx', 422],
      ['formula_safe=1', 422],
      ['tag=%00', 422],
      ['created_after=yesterday', 422],
      ['x=1', 422],
    ] as const) {
      expect(
        (await request(`/api/v1/subscribers/export?${query}`, { headers: { authorization: `Bearer ${api.key}` } }))
          .status,
        query,
      ).toBe(status)
    }
    const sender = await openApi(worker, ['send'])
    expect((await sender.get('/subscribers/export')).status).toBe(403)
  })
})

test("one person's consents, as pages and as a file", async () => {
  const [ada, bob] = ids
  const page = await api.get<{ data: Record<string, unknown>[]; next_cursor: string | null }>(
    `/subscribers/${ada}/consents?limit=1`,
  )
  expect(page.body).toMatchObject({
    data: [
      {
        action: 'subscribed',
        list_id,
        list_name: 'News',
        source: 'form',
        wording: 'I agree, "truly"',
        occurred_at: '2026-01-02T03:04:05.000Z',
      },
    ],
    next_cursor: null,
  })
  expect(await records(`/subscribers/${ada}/consents.csv`)).toMatchObject([
    {
      subscriber_id: String(ada),
      email: 'Ada@example.com',
      action: 'subscribed',
      wording: 'I agree, "truly"',
      country: '',
    },
  ])
  expect((await api.get<{ data: unknown[] }>(`/subscribers/${bob}/consents`)).body.data).toMatchObject([
    { action: 'unsubscribed', list_id: null },
  ])
  await api.delete(`/lists/${list_id}/subscribers/${ada}`)
  const first = await api.get<{ data: { action: string }[]; next_cursor: string }>(
    `/subscribers/${ada}/consents?limit=1`,
  )
  const second = await api.get<{ data: { action: string }[] }>(
    `/subscribers/${ada}/consents?limit=1&cursor=${first.body.next_cursor}`,
  )
  expect([first, second].map(({ body }) => body.data[0]?.action)).toEqual(['subscribed', 'unsubscribed'])
  const foreign = await api.get<ProblemBody>(`/subscribers/${bob}/consents?cursor=${first.body.next_cursor}`)
  expect(foreign.body.code).toBe('bad_cursor')
  for (const path of ['consents', 'consents.csv', 'data']) {
    expect((await api.get(`/subscribers/999999/${path}`)).status, path).toBe(404)
  }
})

test('everything of one person, and nothing once they are deleted', async () => {
  const id = ids[2]
  const { status, body } = await api.get<Record<string, unknown>>(`/subscribers/${id}/data`)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    profile: { id, email: 'cy@example.com' },
    lists: [{ list_id }],
    consents: [{ country: 'FR' }],
    mails: [],
  })
  expect((await api.delete(`/subscribers/${id}`)).status).toBe(204)
  expect((await api.get(`/subscribers/${id}/data`)).status).toBe(404)
})

describe('read back by an import', () => {
  const send = (path: string, body: string) =>
    request<{ status: string; rows: number; refused: number; created: number }>(`/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${api.key}`, 'content-type': 'text/csv' },
      body,
    })
  const everyone = async (query = '') => {
    const { body } = await download(`/subscribers/export?format=ndjson${query}`)
    return body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .sort((a, b) => (String(a.email) < String(b.email) ? -1 : 1))
  }

  // Without the guard, an apostrophe before a formula is taken for one.
  test.each([
    ['true', "'=1+1"],
    ['false', '=1+1'],
  ])('subscribers are what they were (formula_safe=%s)', async (formula_safe, first_name) => {
    await worker.sql('truncate subscribers cascade')
    for (const [name, type] of Object.entries({ born: 'date', interests: 'list', paid: 'boolean', plan: 'string' })) {
      await api.post('/attributes', { name, type })
    }
    const consent = { consented_at: '2026-01-02T03:04:05.000Z', consent_source: '+form, "a"' }
    const key = crypto.randomUUID()
    const answer = await api.post<{ data: { outcome: string }[] }>('/subscribers/bulk', {
      subscribers: [
        {
          ...{
            email: `+A=${key}@example.com`,
            first_name,
            last_name: '@ "x", y',
            timezone: 'Europe/Berlin',
            locale: 'pt-BR',
          },
          ...{ tags: ['a, b', "-'t'", '[x]'], list_ids: [list_id], ...consent },
          attributes: {
            ...{
              plan: '=cmd\n"line", two',
              seats: -1.5e-7,
              paid: false,
              born: '2026-02-03',
              interests: ['x;y', '=z', ''],
            },
            ...{
              text: '007',
              number: 7,
              truth: 'true',
              empty: '',
              deep: { list: [1, null, { a: "'" }] },
              blank: ' x ',
            },
          },
        },
        {
          email: `bounced-${key}@example.com`,
          status: 'bounced',
          attributes: { plan: ' blanks ', born: '2026-02-03T04:05:06Z' },
        },
        { email: `left-${key}@example.com`, status: 'unsubscribed', tags: ['one', 'two'] },
      ],
    })
    expect(answer.body.data.map(({ outcome }) => outcome)).toEqual(['created', 'created', 'created'])
    const before = await everyone()
    const file = (await download(`/subscribers/export?formula_safe=${formula_safe}`)).body
    await worker.sql('truncate subscribers cascade')
    const { body } = await send('/imports?file_name=subscribers.csv', file)
    expect(body).toMatchObject({ status: 'finished', rows: before.length, refused: 0, created: before.length })
    const same = ({ id, created_at, updated_at, lists, ...rest }: Record<string, unknown>) => rest
    expect((await everyone()).map(same)).toEqual(before.map(same))
  })

  test('suppressions are what they were, and hashes work again', async () => {
    const { email, id } = (
      await api.post<{ email: string; id: number }>('/subscribers', { email: `=x-${crypto.randomUUID()}@example.com` })
    ).body
    await api.delete(`/subscribers/${id}`)
    await api.post('/suppressions', {
      suppressions: [
        { kind: 'domain', value: 'bücher.example', reason: 'complaint', source: '=1' },
        { kind: 'address', value: `+${crypto.randomUUID()}@example.com`, created_at: '2020-02-03T04:05:06.000Z' },
      ],
    })
    const file = async () => (await download('/suppressions/export')).body
    const before = await file()
    await worker.sql('delete from suppressions')
    expect((await send('/imports?kind=suppressions', before)).body).toMatchObject({ status: 'finished', refused: 0 })
    expect((await file()).split('\r\n').sort()).toEqual(before.split('\r\n').sort())
    expect((await api.post<ProblemBody>('/subscribers', { email })).body.code).toBe('deleted_before')
  })
})
