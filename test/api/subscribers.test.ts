import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

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
  first_name: string | null
  status: string
  attributes: Record<string, unknown>
  lists: { list_id: number; status: string }[]
  kept: string | null
  kept_lists: number[]
}
interface Answers {
  data: {
    index: number
    outcome: string
    id: number | null
    kept: string | null
    code: string | null
    errors: { field: string; detail: string }[]
  }[]
}
interface Page<Row> {
  data: Row[]
  next_cursor: string | null
}

const someone = () => `${crypto.randomUUID()}@example.com`
const later = () => new Date(Date.now() + 60_000).toISOString()
const newList = async () => (await api.post<{ id: number }>('/lists', { name: crypto.randomUUID() })).body.id
const create = async (fields: object = {}) =>
  (await api.post<Subscriber>('/subscribers', { email: someone(), ...fields })).body

describe('one subscriber', () => {
  test('is created, read, changed, listed by every filter and deleted', async () => {
    const list_id = await newList()
    const domain = `${crypto.randomUUID()}.example`
    const created = await api.post<Subscriber>('/subscribers', {
      email: ` Zoë@${domain}`.replace('ë', 'e'),
      first_name: ' Zoë ',
      last_name: '',
      attributes: { plan: 'pro', items: [{ name: '🎈' }] },
      timezone: 'Europe/Berlin',
      locale: 'pt-br',
      list_ids: [list_id, list_id],
      consented_at: '2025-01-31T09:00:00Z',
      consent_source: 'footer form',
    })
    expect(created.status).toBe(201)
    const { id } = created.body
    expect(created.body).toMatchObject({
      email: `Zoe@${domain}`,
      first_name: 'Zoë',
      last_name: null,
      status: 'active',
      locale: 'pt-BR',
      kept: null,
      kept_lists: [],
      lists: [
        { list_id, status: 'subscribed', consented_at: '2025-01-31T09:00:00.000Z', consent_source: 'footer form' },
      ],
    })
    const { kept, kept_lists, ...detail } = created.body
    expect((await api.get(`/subscribers/${id}`)).body).toEqual(detail)

    const changed = await api.patch<Subscriber>(`/subscribers/${id}`, { first_name: null, attributes: { plan: null } })
    expect(changed.body).toMatchObject({ first_name: null, attributes: { items: [{ name: '🎈' }] } })

    for (const filter of [
      `domain=${domain}`,
      `list_id=${list_id}`,
      `email=zoE@${domain}`,
      `domain=@${domain.toUpperCase()}&status=active`,
      `domain=${domain}&created_after=2025-01-01T00:00:00Z`,
    ]) {
      const { body } = await api.get<Page<Subscriber>>(`/subscribers?${filter}`)
      expect(
        body.data.map((row) => row.id),
        filter,
      ).toEqual([id])
      expect(body.next_cursor).toBeNull()
      expect(Object.keys(body.data[0] ?? {})).toEqual(Object.keys(detail).filter((key) => key !== 'lists'))
    }
    for (const filter of ['status=bounced', `created_after=${later()}`, 'list_id=999999', 'email=nobody@example.com']) {
      expect((await api.get<Page<Subscriber>>(`/subscribers?domain=${domain}&${filter}`)).body.data, filter).toEqual([])
    }

    expect((await api.delete(`/subscribers/${id}`)).status).toBe(204)
    expect((await api.get(`/subscribers/${id}`)).status).toBe(404)
    expect((await api.delete(`/subscribers/${id}`)).status).toBe(404)
  })

  test('with a known address is refused, naming the field', async () => {
    const { email, id } = await create()
    const again = await api.post('/subscribers', { email: email.toUpperCase() })
    expect(again).toMatchObject({ status: 409, body: { code: 'already_exists', errors: [{ field: 'email' }] } })
    const other = await create()
    const moved = await api.patch(`/subscribers/${other.id}`, { email })
    expect(moved).toMatchObject({ status: 409, body: { code: 'already_exists', errors: [{ field: 'email' }] } })
    expect((await api.patch<Subscriber>(`/subscribers/${id}`, { email: email.toUpperCase() })).body.email).toBe(
      email.toUpperCase().replace('EXAMPLE.COM', 'example.com'),
    )
  })

  test('who was deleted is refused until they consent again', async () => {
    const { id, email } = await create()
    await api.delete(`/subscribers/${id}`)
    expect(await api.post('/subscribers', { email })).toMatchObject({
      status: 409,
      body: { code: 'deleted_before', errors: [{ field: 'email' }] },
    })
    const again = { email, resubscribe: true, consented_at: later(), consent_source: 'form' }
    expect((await api.post('/subscribers', again)).status).toBe(201)
  })

  test('who opted out stays so through PATCH and comes back by resubscribe only', async () => {
    const list_id = await newList()
    const { id } = await create({ status: 'unsubscribed' })
    const patched = await api.patch<Subscriber>(`/subscribers/${id}`, { status: 'active', first_name: 'N' })
    expect(patched.body).toMatchObject({ status: 'unsubscribed', kept: 'unsubscribed', first_name: 'N' })
    const path = `/subscribers/${id}/resubscribe`
    expect((await api.post(path, { consented_at: later() })).status).toBe(422)
    const old = { consented_at: '2020-01-01T00:00:00Z', consent_source: 'form' }
    expect(await api.post(path, old)).toMatchObject({ status: 422, body: { errors: [{ field: 'consented_at' }] } })
    const back = await api.post<Subscriber>(path, {
      consented_at: later(),
      consent_source: 'form',
      list_ids: [list_id],
    })
    expect(back.body).toMatchObject({ status: 'active', kept: null, lists: [{ list_id, status: 'subscribed' }] })
  })

  test.each([
    ['email', { email: 'not an address' }],
    ['email', {}],
    ['email', { email: 7 }],
    ['first_name', { first_name: 'x'.repeat(201) }],
    ['first_name', { first_name: 'a\r\nBcc: b' }],
    ['status', { status: 'deleted' }],
    ['timezone', { timezone: 'Mars/Olympus' }],
    ['timezone', { timezone: '+01:00' }],
    ['locale', { locale: 'en_US!' }],
    ['attributes', { attributes: [] }],
    ['attributes', { attributes: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, 1])) }],
    ['attributes', { attributes: { text: 'x'.repeat(17_000) } }],
    ['attributes.first name', { attributes: { 'first name': 1 } }],
    ['attributes.note', { attributes: { note: 'bell \u0007' } }],
    ['attributes.a.b.c.d', { attributes: { a: { b: { c: { d: {} } } } } }],
    ['list_ids.0', { list_ids: [-1] }],
    ['list_ids', { list_ids: [999_999] }],
    ['consented_at', { consented_at: 'yesterday' }],
    ['consented_at', { consented_at: '0000-01-01T00:00:00Z' }],
    ['consented_at', { consented_at: '2999-01-01T00:00:00Z' }],
    ['consented_at', { resubscribe: true, consent_source: 'form' }],
    ['consent_source', { resubscribe: true, consented_at: '2025-01-01T00:00:00Z' }],
    ['status', { resubscribe: true, consented_at: '2025-01-01T00:00:00Z', consent_source: 'f', status: 'bounced' }],
    ['fist_name', { fist_name: 'typo' }],
  ])('is refused for %s and nothing is written (%#)', async (field, fields) => {
    const email = someone()
    const sent = field === 'email' ? fields : { email, ...fields }
    const answer = await api.post('/subscribers', sent)
    expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } })
    expect(answer.body.errors.map((error) => error.field)).toContain(field)
    expect((await api.get<Page<Subscriber>>(`/subscribers?email=${email}`)).body.data).toEqual([])
  })

  test('that does not exist is 404, an id that is none 422', async () => {
    expect((await api.get('/subscribers/99999999')).status).toBe(404)
    expect((await api.patch('/subscribers/99999999', { first_name: 'N' })).status).toBe(404)
    expect((await api.patch('/subscribers/1e3', { first_name: 'N' })).status).toBe(422)
    expect((await api.patch(`/subscribers/${(await create()).id}`, {})).status).toBe(422)
  })

  test('needs the scope: read may not write', async () => {
    const reader = await openApi(worker, ['read'])
    expect((await reader.post('/subscribers', { email: someone() })).status).toBe(403)
    expect((await reader.post('/subscribers/bulk', { subscribers: [{ email: someone() }] })).status).toBe(403)
    expect((await reader.get('/subscribers')).status).toBe(200)
  })
})

describe('bulk', () => {
  test('answers a thousand rows in order, the bad ones each with their reason', async () => {
    const list_id = await newList()
    const bad: [unknown, string, string][] = [
      [null, 'row', 'validation_failed'],
      ['a@b.example', 'row', 'validation_failed'],
      [{}, 'email', 'validation_failed'],
      [{ email: 'nobody' }, 'email', 'validation_failed'],
      [{ email: 'a@127.0.0.1' }, 'email', 'validation_failed'],
      [{ email: someone(), unknown: 1 }, 'unknown', 'validation_failed'],
      [{ email: someone(), status: 'gone' }, 'status', 'validation_failed'],
      [{ email: someone(), attributes: { 'a b': 1 } }, 'attributes.a b', 'validation_failed'],
      [{ email: someone(), list_ids: [999_999] }, 'list_ids', 'unknown_list'],
      [{ email: someone(), consented_at: '2999-01-01T00:00:00Z' }, 'consented_at', 'consent_in_future'],
      [{ email: someone(), resubscribe: true }, 'consented_at', 'validation_failed'],
    ]
    const rows = Array.from({ length: 1_000 }, (_, i) => {
      const planted = i % 10 === 3 ? bad[Math.floor(i / 10) % bad.length] : undefined
      return planted ? planted[0] : { email: `row${i}.${crypto.randomUUID()}@example.com`, list_ids: [list_id] }
    })
    const first = await api.post<Answers>('/subscribers/bulk', { subscribers: rows })
    expect(first.status).toBe(200)
    expect(first.body.data.map((answer) => answer.index)).toEqual(rows.map((_, i) => i))
    first.body.data.forEach((answer, i) => {
      const planted = i % 10 === 3 ? bad[Math.floor(i / 10) % bad.length] : undefined
      if (planted) {
        expect(answer).toMatchObject({ outcome: 'refused', id: null, code: planted[2] })
        expect(answer.errors.map((error) => error.field)).toContain(planted[1])
      } else expect(answer).toMatchObject({ outcome: 'created', errors: [], code: null })
    })
    expect((await api.get(`/lists/${list_id}`)).body).toMatchObject({ subscribed: 900, unsubscribed: 0 })
    const second = await api.post<Answers>('/subscribers/bulk', { subscribers: rows })
    expect(second.body.data.map((answer) => answer.id)).toEqual(first.body.data.map((answer) => answer.id))
    expect(new Set(second.body.data.map((answer) => answer.outcome))).toEqual(new Set(['unchanged', 'refused']))
  })

  test('says what was kept, what was deleted before, and takes one address many times', async () => {
    const { email } = await create({ status: 'complained' })
    const gone = await create()
    await api.delete(`/subscribers/${gone.id}`)
    const twice = someone()
    const { body } = await api.post<Answers>('/subscribers/bulk', {
      subscribers: [
        { email, status: 'active' },
        { email: gone.email },
        { email: twice, first_name: 'A' },
        { email: twice, status: 'unsubscribed' },
        { email: twice.toUpperCase(), first_name: 'B', status: 'active' },
      ],
    })
    expect(body.data.map(({ outcome, kept, code }) => [outcome, kept, code])).toEqual([
      ['unchanged', 'complained', null],
      ['refused', null, 'deleted_before'],
      ['created', null, null],
      ['updated', null, null],
      ['updated', 'unsubscribed', null],
    ])
  })

  test('refuses no rows, too many rows and too many bytes', async () => {
    expect((await api.post('/subscribers/bulk', { subscribers: [] })).status).toBe(422)
    const many = Array.from({ length: 1_001 }, () => ({ email: someone() }))
    expect((await api.post('/subscribers/bulk', { subscribers: many })).status).toBe(422)
    const large = Array.from({ length: 300 }, () => ({ email: someone(), attributes: { text: 'x'.repeat(15_000) } }))
    expect((await api.post('/subscribers/bulk', { subscribers: large })).status).toBe(413)
  })

  test('with the same Idempotency-Key is answered from what was kept', async () => {
    const subscribers = [{ email: someone() }]
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const first = await api.post<Answers>('/subscribers/bulk', { subscribers }, headers)
    const second = await api.post<Answers>('/subscribers/bulk', { subscribers }, headers)
    expect(first.body.data[0]?.outcome).toBe('created')
    expect(second.body).toEqual(first.body)
  })
})

describe('pages', () => {
  test.each(['', '&created_after=2025-01-01T00:00:00Z', '&list'])('name everyone once (%s)', async (extra) => {
    const list_id = await newList()
    const domain = `${crypto.randomUUID()}.example`
    const subscribers = Array.from({ length: 23 }, (_, i) => ({ email: `p${i}@${domain}`, list_ids: [list_id] }))
    await api.post('/subscribers/bulk', { subscribers })
    const filters = `domain=${domain}${extra === '&list' ? `&list_id=${list_id}` : extra}&limit=5`
    const seen: string[] = []
    let cursor: string | null = null
    let pages = 0
    do {
      const page: Page<Subscriber> = (
        await api.get<Page<Subscriber>>(`/subscribers?${filters}${cursor ? `&cursor=${cursor}` : ''}`)
      ).body
      seen.push(...page.data.map((row) => row.email))
      cursor = page.next_cursor
      pages++
    } while (cursor)
    expect(pages).toBe(5)
    expect(seen).toHaveLength(23)
    expect(new Set(seen).size).toBe(23)
  })

  test('refuse cursors that are not theirs', async () => {
    const domain = `${crypto.randomUUID()}.example`
    await api.post('/subscribers/bulk', { subscribers: [{ email: `a@${domain}` }, { email: `b@${domain}` }] })
    const by_time = 'created_after=2025-01-01T00:00:00Z&limit=1'
    const { next_cursor } = (await api.get<Page<Subscriber>>(`/subscribers?domain=${domain}&${by_time}`)).body
    expect((await api.get(`/subscribers?cursor=${next_cursor}`)).body.code).toBe('bad_cursor')
    expect((await api.get('/subscribers?cursor=!!')).body.code).toBe('bad_cursor')
    const [mark] = JSON.parse(atob(String(next_cursor).replaceAll('-', '+').replaceAll('_', '/')))
    for (const keys of [
      ['x', 1],
      ['2025-13-99T99:99:99.000000Z', 1],
      ['2025-01-01T00:00:00.000000Z', 1.5],
    ]) {
      const forged = btoa(JSON.stringify([mark, ...keys]))
        .replaceAll('+', '-')
        .replaceAll('/', '_')
        .replace(/=+$/, '')
      const answer = await api.get(`/subscribers?domain=${domain}&${by_time}&cursor=${forged}`)
      expect(answer).toMatchObject({ status: 400, body: { code: 'bad_cursor' } })
    }
  })

  test('refuse filters they do not know', async () => {
    for (const query of [
      'limit=0',
      'limit=201',
      'status=gone',
      'list_id=x',
      'email=nobody',
      'q=ada',
      'created_after=today',
    ]) {
      expect((await api.get(`/subscribers?${query}`)).status, query).toBe(422)
    }
  })
})
