import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { senders } from '../../src/senders/table.ts'
import { encodeBase64url } from '../../src/tokens/base64url.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
  const values = Array.from({ length: 7 }, (_, i) => ({
    name: `S${i}`,
    from_name: 'A',
    from_email: 'a@example.com',
    postal_address: 'Street',
  }))
  await worker.db.insert(senders).values(values)
})
afterAll(() => worker.close())

interface SenderPage {
  data: { id: number; name: string }[]
  next_cursor: string | null
}

const encode = (value: unknown) => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)))

test('a list is walked by cursor, each row once, also while rows come and go', async () => {
  const names: string[] = []
  let cursor: string | null = null
  let pages = 0
  do {
    const { body }: { body: SenderPage } = await api.get(`/senders?limit=3${cursor ? `&cursor=${cursor}` : ''}`)
    names.push(...body.data.map(({ name }) => name))
    cursor = body.next_cursor
    if (++pages === 1) await worker.sql("delete from senders where name = 'S1'")
  } while (cursor)
  expect(names).toEqual(['S0', 'S1', 'S2', 'S3', 'S4', 'S5', 'S6'])
  expect(pages).toBe(3)
})

test('the last page has no cursor, also when it is exactly full', async () => {
  expect((await api.get<SenderPage>('/senders?limit=6')).body).toMatchObject({ next_cursor: null })
  expect((await api.get<SenderPage>('/senders')).body.data).toHaveLength(6)
})

test('a page may be asked for in another size than the one before', async () => {
  const { body } = await api.get<SenderPage>('/senders?limit=2')
  const next = await api.get<SenderPage>(`/senders?limit=1&cursor=${body.next_cursor}`)
  expect(next.body.data.map(({ name }) => name)).toEqual(['S3'])
})

describe('a bad cursor is 400 with a code of its own:', () => {
  test.each([
    ['no base64url', 'not a cursor!'],
    ['no JSON', 'aaaa'],
    ['JSON of another kind', encode({ id: 1 })],
    ['a made-up one', encode([1, 5])],
    ['empty', ''],
  ])('%s', async (_, cursor) => {
    const answer = await api.get(`/senders?cursor=${encodeURIComponent(cursor)}`)
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([400, 'bad_cursor', 'cursor'])
  })

  test('one whose key is of another type', async () => {
    const { body } = await api.get<SenderPage>('/senders?limit=1')
    const bytes = atob((body.next_cursor ?? '').replaceAll('-', '+').replaceAll('_', '/'))
    const [mark] = JSON.parse(bytes) as [number]
    const answer = await api.get(`/senders?cursor=${encode([mark, '1; drop table senders'])}`)
    expect([answer.status, answer.body.code]).toEqual([400, 'bad_cursor'])
  })
})

test('a cursor of another list is 400', async () => {
  const { body } = await api.get<SenderPage>('/senders?limit=1')
  for (const list of ['/lists', '/subscribers', '/templates', '/campaigns', '/suppressions', '/api-keys']) {
    const answer = await api.get(`${list}?cursor=${body.next_cursor}`)
    expect([list, answer.status, answer.body.code]).toEqual([list, 400, 'bad_cursor'])
  }
})

test.each([
  ['limit=0', 'limit'],
  ['limit=201', 'limit'],
  ['limit=ten', 'limit'],
  ['limit=', 'limit'],
  ['limt=5', 'limt'],
])('?%s is refused by name', async (query, field) => {
  const answer = await api.get(`/senders?${query}`)
  expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([422, 'validation_failed', field])
})
