// Tags, typed attributes, search and history by API, with what must not pass.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Subscriber {
  id: number
  email: string
  tags: string[]
  attributes: Record<string, unknown>
  paused_until: string | null
}
interface Page<Row> {
  data: Row[]
  next_cursor: string | null
}
interface Answers {
  data: { outcome: string; code: string | null; errors: { field: string; detail: string }[] }[]
}

const someone = () => `${crypto.randomUUID()}@example.com`
const create = async (fields: object = {}) =>
  (await api.post<Subscriber>('/subscribers', { email: someone(), ...fields })).body
const query = (fields: Record<string, string>) => `/subscribers?${new URLSearchParams(fields)}`
const find = async (fields: Record<string, string>) => (await api.get<Page<Subscriber>>(query(fields))).body

describe('tags', () => {
  test('are normalised, kept in order, changed by every call, and found', async () => {
    const own = crypto.randomUUID()
    const { id, tags, paused_until } = await create({ tags: [` ${own}  VIP `, 'Zoe\u0308', 'zoë', 'b  A'] })
    expect(tags).toEqual([`${own} vip`, 'b a', 'zoë'].sort())
    expect(paused_until).toBeNull()
    const changed = await api.patch<Subscriber>(`/subscribers/${id}`, { add_tags: ['New'], remove_tags: ['ZOË'] })
    expect(changed.body.tags).toEqual([`${own} vip`, 'b a', 'new'].sort())
    const other = await create({ tags: ['mine'] })
    const { body } = await api.post<Answers>('/subscribers/tags', {
      subscriber_ids: [id, other.id, 99_999_999],
      add_tags: [`${own} both`],
      remove_tags: ['new'],
    })
    expect(body.data.map(({ outcome, code }) => [outcome, code])).toEqual([
      ['updated', null],
      ['updated', null],
      ['refused', 'unknown_subscriber'],
    ])
    const found = await find({ tag: ` ${own.toUpperCase()} Both` })
    expect(found).toMatchObject({ data: [{ id, tags: expect.not.arrayContaining(['new']) }, { id: other.id }] })
    expect(found.next_cursor).toBeNull()
    expect((await find({ tag: `${own} both`, search: other.email })).data.map((row) => row.id)).toEqual([other.id])
    const pages: number[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Page<Subscriber> = await find({ tag: `${own} both`, limit: '1', ...(cursor ? { cursor } : {}) })
      pages.push(...page.data.map((row) => row.id))
      cursor = page.next_cursor
    }
    expect(pages).toEqual([id, other.id])
  })

  test.each<[string, object]>([
    ['tags', { tags: 'one' }],
    ['tags', { tags: null }],
    ['tags', { tags: Array.from({ length: 101 }, (_, i) => `t${i}`) }],
    ['tags.1', { tags: ['fine', 'x'.repeat(10_000)] }],
    ['tags.0', { tags: ['x'.repeat(51)] }],
    ['tags.0', { tags: ['  '] }],
    ['tags.0', { tags: ['a\u0007b'] }],
    ['tags.0', { tags: ['a\0b'] }],
    ['tags.0', { tags: ['\ud800'] }],
    ['tags.0', { tags: ['a\u2028b'] }],
    ['tags.0', { tags: [7] }],
    ['add_tags.0', { add_tags: [{}] }],
    ['consent_country', { consent_country: 'Germany' }],
    ['consent_wording', { consent_wording: 'bell \u0007' }],
    ['consent_wording', { consent_wording: 'x'.repeat(5_001) }],
    ['attributes', { attributes: 'text' }],
    ['attributes', { attributes: null }],
    ['attributes.__proto__', { attributes: JSON.parse('{"__proto__": {"admin": true}}') }],
    ['attributes.a', { attributes: { a: '\0' } }],
    ['attributes.a', { attributes: { a: 'x\udc00' } }],
  ])('or other fields are refused at %s (%#)', async (field, fields) => {
    const email = someone()
    const answer = await api.post('/subscribers', { email, ...fields })
    expect(answer.status).toBe(422)
    expect(answer.body.errors.map((error) => error.field)).toContain(field)
    expect((await find({ email })).data).toEqual([])
  })

  test('in bulk refuse what they refuse alone, and too many together with what is stored', async () => {
    const many = Array.from({ length: 100 }, (_, i) => `t${i}`)
    const { id, email } = await create({ tags: many })
    expect((await api.patch(`/subscribers/${id}`, { add_tags: ['more'] })).body).toMatchObject({
      status: 422,
      errors: [{ field: 'tags' }],
    })
    const { body } = await api.post<Answers>('/subscribers/bulk', {
      subscribers: [
        { email, add_tags: ['more'] },
        { email, tags: [''] },
        { email, remove_tags: many },
      ],
    })
    expect(body.data.map((row) => [row.outcome, row.code])).toEqual([
      ['refused', 'too_many_tags'],
      ['refused', 'validation_failed'],
      ['updated', null],
    ])
    for (const wrong of [{}, { subscriber_ids: [id] }, { subscriber_ids: [], add_tags: ['a'] }]) {
      expect((await api.post('/subscribers/tags', wrong)).status).toBe(422)
    }
  })
})

test('bulk calls by policy say who was skipped', async () => {
  const { email } = await create({ first_name: 'Old' })
  const call = (policy: string) =>
    api.post<Answers & ProblemBody>('/subscribers/bulk', { policy, subscribers: [{ email, first_name: 'New' }] })
  expect((await call('skip')).body.data[0]?.outcome).toBe('skipped')
  expect((await call('fill')).body.data[0]?.outcome).toBe('unchanged')
  expect((await call('overwrite')).body.data[0]?.outcome).toBe('updated')
  expect((await call('replace')).body).toMatchObject({ status: 422, errors: [{ field: 'policy' }] })
})

describe('attributes', () => {
  test('with a type hold every write to it, and are refused where stored values do not fit', async () => {
    const { id } = await create({ attributes: { seats_7: 'three' } })
    const define = (body: object) => api.post('/attributes', body)
    const refused = await define({ name: 'seats_7', type: 'number' })
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ field: 'type' }] } })
    expect(refused.body.detail).toContain(`what 1 subscriber holds (namely: ${id}): each value must be a number`)
    expect((await api.patch(`/subscribers/${id}`, { attributes: { seats_7: 3 } })).status).toBe(200)
    expect(await define({ name: 'seats_7', type: 'number', description: 'Seats' })).toMatchObject({
      status: 201,
      body: { name: 'seats_7', type: 'number', description: 'Seats' },
    })
    expect(await define({ name: 'seats_7', type: 'string' })).toMatchObject({
      status: 409,
      body: { code: 'name_taken' },
    })

    const wrong = await api.patch(`/subscribers/${id}`, { attributes: { seats_7: 'four' } })
    expect(wrong).toMatchObject({
      status: 422,
      body: {
        detail: 'attributes.seats_7 must be a number.',
        errors: [{ field: 'attributes.seats_7', detail: 'must be a number' }],
      },
    })
    const { body } = await api.post<Answers>('/subscribers/bulk', {
      subscribers: [{ email: someone(), attributes: { seats_7: [] } }],
    })
    expect(body.data).toMatchObject([{ code: 'attribute_type', errors: [{ field: 'attributes.seats_7' }] }])

    await create({ attributes: { seats_7: 1, loose_7: { any: 'thing' } } })
    const { data } = (await api.get<Page<{ name: string }>>('/attributes/undeclared')).body
    expect(data).toContainEqual({ name: 'loose_7', subscribers: 1, types: { object: 1 } })
    expect(data.map(({ name }) => name)).not.toContain('seats_7')

    const first = (await api.get<Page<{ name: string }>>('/attributes?limit=1')).body
    expect(first).toMatchObject({ data: [{ name: 'seats_7' }], next_cursor: null })
    expect((await api.delete('/attributes/seats_7')).status).toBe(204)
    expect((await api.delete('/attributes/seats_7')).status).toBe(404)
    expect((await api.delete('/attributes/%00')).status).toBe(422)
    expect((await api.patch(`/subscribers/${id}`, { attributes: { seats_7: 'four' } })).status).toBe(200)
  })

  test.each<[string, object]>([
    ['name', { type: 'string' }],
    ['name', { name: '__proto__', type: 'string' }],
    ['name', { name: '7up', type: 'string' }],
    ['name', { name: 'x'.repeat(65), type: 'string' }],
    ['type', { name: 'a', type: 'object' }],
    ['type', { name: 'a' }],
    ['description', { name: 'a', type: 'string', description: 'two\nlines' }],
  ])('are refused at %s (%#)', async (field, body) => {
    const answer = await api.post('/attributes', body)
    expect(answer.status).toBe(422)
    expect(answer.body.errors.map((error) => error.field)).toContain(field)
  })
})

describe('search', () => {
  test('finds parts of address and name, an international domain both ways, and takes % and _ as they are', async () => {
    const own = crypto.randomUUID().slice(0, 8)
    const { id, email } = await create({ email: `ada.${own}@münchen-${own}.de`, first_name: 'Ülkü', last_name: '50%_' })
    expect(email).toMatch(/@xn--mnchen-/)
    for (const search of [own.toUpperCase(), `ada.${own}@münchen-${own}.de`, `MÜNCHEN-${own}`, email]) {
      expect(
        (await find({ search })).data.map((row) => row.id),
        search,
      ).toEqual([id])
    }
    expect((await find({ search: 'ülkü 50' })).data.map((row) => row.id)).toEqual([id])
    expect((await find({ search: '%' })).data.map((row) => row.id)).toEqual([id])
    expect((await find({ search: '%_' })).data.map((row) => row.id)).toEqual([id])
    expect((await find({ search: '_%' })).data).toEqual([])
    expect((await find({ search: own, status: 'bounced' })).data).toEqual([])
    expect((await find({ email: `ADA.${own}@MÜNCHEN-${own}.de` })).data.map((row) => row.id)).toEqual([id])
    expect((await find({ domain: `@münchen-${own}.DE` })).data.map((row) => row.id)).toEqual([id])
  })

  test('refuses nothing, too much, NUL, and the cursor of another search', async () => {
    for (const search of ['', '  ', 'x'.repeat(201), 'x'.repeat(1_000_000), 'a\0b']) {
      expect((await api.get(query({ search }))).status, search.slice(0, 10)).toBeGreaterThanOrEqual(400)
      expect((await api.get(query({ search }))).status, search.slice(0, 10)).toBeLessThan(500)
    }
    expect((await api.get(query({ tag: 'x'.repeat(51) }))).status).toBe(422)
    await Promise.all([create(), create()])
    const { next_cursor } = await find({ search: 'example', limit: '1' })
    expect(next_cursor).not.toBeNull()
    for (const other of [{}, { search: 'exampl' }, { search: 'example', status: 'active' }, { tag: 'example' }]) {
      const { body } = await api.get(query({ ...other, cursor: next_cursor ?? '' }))
      expect(body.code).toBe('bad_cursor')
    }
  })
})

test('a history tells of consents and lists, in pages, and refuses cursors that are not its own', async () => {
  const list = (await api.post<{ id: number }>('/lists', { name: crypto.randomUUID() })).body
  const { id } = await create({
    list_ids: [list.id],
    consented_at: '2025-01-31T09:00:00Z',
    consent_source: 'form',
    consent_wording: 'Yes, please.',
    consent_country: 'DE',
  })
  await api.delete(`/lists/${list.id}/subscribers/${id}`)
  interface Entry {
    what: string
    wording: string | null
    list: { id: number } | null
  }
  const whole = (await api.get<Page<Entry>>(`/subscribers/${id}/history`)).body
  expect(whole.data.map(({ what }) => what)).toEqual(['unsubscribed', 'created', 'subscribed'])
  expect(whole.data[2]).toMatchObject({ wording: 'Yes, please.', country: 'DE', source: 'form', list: { id: list.id } })
  const path = `/subscribers/${id}/history?limit=1`
  const first = (await api.get<Page<Entry>>(path)).body
  expect((await api.get<Page<Entry>>(`${path}&cursor=${first.next_cursor}`)).body.data).toEqual([whole.data[1]])
  const other = await create()
  expect((await api.get(`/subscribers/${other.id}/history?cursor=${first.next_cursor}`)).body.code).toBe('bad_cursor')
  const [mark] = JSON.parse(atob(String(first.next_cursor).replaceAll('-', '+').replaceAll('_', '/')))
  for (const keys of [
    ['2026-02-30T00:00:00.000000Z', '01'],
    ['now', '01'],
    ['2026-02-01T00:00:00.000000Z', 'a\0'],
    ['2026-02-01T00:00:00.000000Z', '\ud800'],
    ['2026-02-01T00:00:00.000000Z', 1],
  ]) {
    const forged = btoa(JSON.stringify([mark, ...keys]))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '')
    expect((await api.get(`${path}&cursor=${forged}`)).body.code, String(keys)).toBe('bad_cursor')
  }
  expect((await api.get('/subscribers/99999999/history')).status).toBe(404)
})
