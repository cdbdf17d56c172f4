import { parse } from 'csv-parse/browser/esm/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Answers {
  data: { index: number; outcome: string; id: number | null; errors: { field: string; detail: string }[] }[]
}
interface Suppression {
  id: number
  kind: string
  value: string
  reason: string
}
interface Page {
  data: Suppression[]
  next_cursor: string | null
}

const address = () => `${crypto.randomUUID()}@example.com`
const add = (suppressions: unknown[]) => api.post<Answers>('/suppressions', { suppressions })

test('addresses and domains, one answer each, the same again unchanged', async () => {
  const [value, domain] = [address(), `${crypto.randomUUID()}.example`]
  const rows = [
    { kind: 'address', value: value.toUpperCase(), reason: 'complaint', source: 'old system' },
    { kind: 'domain', value: `@${domain.toUpperCase()}` },
    { kind: 'domain', value: 'bücher.example' },
    { kind: 'address', value },
    { kind: 'address', value: 'nobody' },
    { kind: 'domain', value: 'no dot' },
    { kind: 'hash', value: 'ab' },
    { kind: 'address', value: address(), reason: 'deleted' },
    null,
  ]
  const first = await add(rows)
  expect(first.status).toBe(200)
  expect(first.body.data.map((row) => row.outcome)).toEqual([
    ...['created', 'created', 'created', 'unchanged'],
    ...['refused', 'refused', 'refused', 'refused', 'refused'],
  ])
  expect(first.body.data.slice(4).map((row) => row.errors[0]?.field)).toEqual([
    'value',
    'value',
    'value',
    'reason',
    'row',
  ])
  expect(first.body.data[3]?.id).toBe(first.body.data[0]?.id)
  const second = await add(rows.slice(0, 4))
  expect(second.body.data.map((row) => row.outcome)).toEqual(Array(4).fill('unchanged'))
  const stored = await api.get<Suppression>(`/suppressions/${first.body.data[0]?.id}`)
  expect(stored.body).toMatchObject({ kind: 'address', value, reason: 'complaint', source: 'old system' })
  expect((await api.get<Page>(`/suppressions?value=${value.toUpperCase()}`)).body.data).toHaveLength(1)
  expect((await api.get<Page>('/suppressions?value=xn--bcher-kva.example')).body.data).toHaveLength(1)
})

test('a thousand in parallel calls: each is created once', async () => {
  const rows = Array.from({ length: 1_000 }, () => ({ kind: 'address', value: address() }))
  const calls = await Promise.all([add(rows), add([...rows].reverse()), add(rows)])
  const outcomes = calls.flatMap((call) => call.body.data.map((row) => row.outcome))
  expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1_000)
  expect(outcomes.filter((outcome) => outcome === 'unchanged')).toHaveLength(2_000)
})

test('leaves the status of a subscriber as it is', async () => {
  const value = address()
  const { id } = (await api.post<{ id: number }>('/subscribers', { email: value })).body
  await add([{ kind: 'address', value }])
  expect((await api.get(`/subscribers/${id}`)).body).toMatchObject({ status: 'active' })
})

test('only an admin lifts one', async () => {
  const { body } = await add([{ kind: 'address', value: address() }])
  const id = body.data[0]?.id
  const writer = await openApi(worker, ['read', 'write', 'send'])
  expect((await writer.delete(`/suppressions/${id}`)).status).toBe(403)
  expect((await api.delete(`/suppressions/${id}`)).status).toBe(204)
  expect((await api.delete(`/suppressions/${id}`)).status).toBe(404)
  expect((await api.get(`/suppressions/${id}`)).status).toBe(404)
})

test('bodies and filters it does not know are refused', async () => {
  for (const body of [{}, { suppressions: [] }, { suppressions: {} }, { suppressions: Array(1_001).fill({}) }]) {
    expect((await api.post('/suppressions', body)).status).toBe(422)
  }
  for (const query of ['kind=phone', 'reason=x', 'cursor=zz', 'x=1']) {
    expect((await api.get(`/suppressions?${query}`)).status, query).toBeGreaterThanOrEqual(400)
  }
})

describe('export', () => {
  const download = (query = '') =>
    request<string>(`/api/v1/suppressions/export${query}`, { headers: { authorization: `Bearer ${api.key}` } })
  const records = async (query = '') => {
    const { body } = await download(query)
    return parse(body, { columns: true }) as { kind: string; value: string; source: string }[]
  }

  test('holds every row across pages, hashes whole, which the list does not show', async () => {
    await worker.sql(
      `insert into suppressions (kind, value) select 'address', 'n' || n || '@export.example' from generate_series(1, 6000) n`,
    )
    await worker.sql(`insert into suppressions (kind, value, reason) values ('hash', repeat('ab', 32), 'deleted')`)
    const [count] = await worker.sql<{ n: number }>(`select count(*)::int as n from suppressions`)
    const { headers, body } = await download()
    expect(headers.get('content-type')).toMatch(/^text\/csv/)
    expect(body.endsWith('\r\n')).toBe(true)
    const rows = await records()
    expect(rows).toHaveLength(count?.n ?? 0)
    expect(new Set(rows.map((row) => row.kind + row.value)).size).toBe(rows.length)
    expect((await records('?kind=hash')).map((row) => row.value)).toEqual(['ab'.repeat(32)])
    expect(JSON.stringify((await api.get<Page>('/suppressions?kind=hash')).body)).not.toContain('ab'.repeat(8))
  })

  test('neutralises formulas, unless asked for exact values, and quotes what needs it', async () => {
    const id = crypto.randomUUID()
    const value = `=cmd|${id}@example.com`
    const source = `@sum("1,2") ${id}`
    await add([{ kind: 'address', value, source }])
    const find = (rows: { value: string; source: string }[]) => rows.find((row) => row.value.includes(id))
    expect(find(await records())).toMatchObject({ value: `'${value}`, source: `'${source}` })
    expect(find(await records('?formula_safe=false'))).toMatchObject({ value, source })
  })

  test('as lines of JSON', async () => {
    const { headers, body } = await download('?format=ndjson&kind=hash')
    expect(headers.get('content-type')).toBe('application/x-ndjson')
    expect(JSON.parse(body.split('\n')[0] ?? '')).toEqual({
      ...{ kind: 'hash', value: 'ab'.repeat(32), reason: 'deleted', source: null, created_at: expect.any(String) },
    })
  })

  test('of nothing is a header line', async () => {
    expect((await download('?reason=bounce')).body).toBe('kind,value,reason,source,created_at\r\n')
  })
})

test('whoever was deleted is found by address, and by the whole hash', async () => {
  const email = address()
  const { id } = (await api.post<{ id: number }>('/subscribers', { email })).body
  expect((await api.delete(`/subscribers/${id}`)).status).toBe(204)
  const { data } = (await api.get<Page>(`/suppressions?value=${email.toUpperCase()}`)).body
  expect(data).toMatchObject([{ kind: 'hash', reason: 'deleted' }])
  const [row] = await worker.sql<{ value: string }>('select value from suppressions where id = $1', [data[0]?.id])
  expect((await api.get<Page>(`/suppressions?value=${row?.value.toUpperCase()}`)).body.data).toEqual(data)
  expect((await api.get<Page>(`/suppressions?value=${row?.value.slice(0, 8)}`)).body.data).toEqual([])
})
