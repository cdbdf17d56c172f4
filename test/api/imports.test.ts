import { parse } from 'csv-parse/browser/esm/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type * as z from 'zod'
import type { importAnswer } from '../../src/imports/schema.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody, request } from './client.ts'

type Import = z.output<typeof importAnswer>

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let list_id: number
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
  list_id = (await api.post<{ id: number }>('/lists', { name: 'Readers' })).body.id
})
afterAll(() => worker.close())

const send = <Body = Import>(
  method: string,
  path: string,
  body: BodyInit | null,
  headers: Record<string, string> = {},
) =>
  request<Body>(`/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${api.key}`, 'content-type': 'text/csv', ...headers },
    body,
  })
const at = () => `${crypto.randomUUID()}.example`
const byParts = 'encoding=utf-8&complete=false'

describe('POST /imports', () => {
  test('a whole file in one call, with everything that can be said of it', async () => {
    const domain = at()
    const query = new URLSearchParams([
      ['list_id', String(list_id)],
      ['list_id', String(list_id)],
      ['tag', ' VIP '],
      ['tag', 'from shop'],
      ['map', 'Adresse=email'],
      ['map', 'a=b=-'],
      ['policy', 'overwrite'],
      ['consent_source', 'shop'],
      ['delimiter', 'semicolon'],
      ['encoding', 'utf-8'],
      ['file_name', 'Kunden.csv'],
    ])
    const file = `Adresse;a=b;Vorname\nada@${domain};x;Ada\nnobody;x;Nobody\n`
    const { status, body } = await send('POST', `/imports?${query}&size=${file.length}`, file)
    expect([status, body]).toEqual([
      201,
      {
        ...{ id: expect.any(Number), kind: 'subscribers', status: 'finished', is_busy: false, dry_run: false },
        ...{ policy: 'overwrite', list_ids: [list_id], tags: ['vip', 'from shop'], consent_source: 'shop' },
        ...{ file_name: 'Kunden.csv', format: 'generic', encoding: 'utf-8', delimiter: 'semicolon' },
        columns: [
          { column: 'Adresse', field: 'email' },
          { column: 'a=b', field: null },
          { column: 'Vorname', field: 'first_name' },
        ],
        ...{ rows: 2, created: 1, updated: 0, unchanged: 0, skipped: 0, refused: 1, kept: 0 },
        ...{ line: 4, next_offset: file.length, size: file.length, percent: 100, sample: null, error: null },
        ...{ created_at: expect.any(String), updated_at: expect.any(String), finished_at: expect.any(String) },
      },
    ])
    expect((await api.get(`/imports/${body.id}`)).body).toEqual(body)
    const { body: found } = await api.get<{ data: { first_name: string; tags: string[] }[] }>(
      `/subscribers?email=ada@${domain}`,
    )
    expect(found.data[0]).toMatchObject({ first_name: 'Ada', tags: ['from shop', 'vip'] })

    const page = await api.get<{ data: { line: number; reason: string; record: string }[] }>(
      `/imports/${body.id}/refusals`,
    )
    expect(page.body).toEqual({
      data: [{ line: 3, reason: expect.stringMatching(/^email /), record: 'nobody;x;Nobody' }],
      next_cursor: null,
    })
    const csv = await api.get<string>(`/imports/${body.id}/refusals.csv`)
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(parse(csv.body, { delimiter: ';' })).toEqual([
      ['line', 'reason', 'Adresse', 'a=b', 'Vorname'],
      ['3', expect.any(String), 'nobody', 'x', 'Nobody'],
    ])
    // Corrected, what was refused can be imported as it is.
    const corrected = csv.body.replace('nobody', `nobody@${domain}`)
    const again = await send('POST', '/imports?map=Adresse=email&map=a%3Db=-', corrected)
    expect(again.body).toMatchObject({ status: 'finished', rows: 1, created: 1 })
    const { body: nobody } = await api.get<{ data: { attributes: object }[] }>(`/subscribers?email=nobody@${domain}`)
    expect(nobody.data[0]?.attributes).toEqual({})
  })

  test('what is wrong with the call is said before anything of the file is read', async () => {
    const cases: [string, string, string][] = [
      ['list_id=999999', 'validation_failed', 'list_id'],
      ['list_id=x', 'validation_failed', 'list_id.0'],
      ['map=email', 'validation_failed', 'map.0'],
      ['tag=%20', 'validation_failed', 'tag.0'],
      ['policy=replace', 'validation_failed', 'policy'],
      ['policy=skip&policy=fill', 'validation_failed', 'policy'],
      ['dry_run=yes', 'validation_failed', 'dry_run'],
      ['size=-1', 'validation_failed', 'size'],
      ['delimiter=%3B', 'validation_failed', 'delimiter'],
      ['encoding=latin', 'validation_failed', 'encoding'],
      ['columns=3', 'validation_failed', 'columns'],
    ]
    for (const [query, code, field] of cases) {
      const { body } = await send<ProblemBody>('POST', `/imports?${query}`, 'email\n')
      expect([body.code, body.errors[0]?.field], query).toEqual([code, field])
    }
    const json = await send<ProblemBody>('POST', '/imports', '{}', { 'content-type': 'application/json' })
    expect([json.status, json.body.code]).toEqual([415, 'unsupported_media_type'])
    const keyed = await send<ProblemBody>('POST', '/imports', 'email\n', { 'idempotency-key': 'k' })
    expect([keyed.status, keyed.body.code]).toEqual([400, 'bad_idempotency_key'])
    const failed = await send<ProblemBody & { import_id: number }>('POST', '/imports', 'name\nAda\n')
    expect([failed.status, failed.body.code, failed.body.errors[0]?.field]).toEqual([422, 'file_unreadable', 'map'])
    expect((await api.get<Import>(`/imports/${failed.body.import_id}`)).body).toMatchObject({
      status: 'failed',
      error: failed.body.detail,
    })
  })
})

describe('parts', () => {
  test('a file in parts, with a wrong offset between them; then a list of imports', async () => {
    const domain = at()
    const file = `email,first_name\nada@${domain},Ada\nbob@${domain},Bob\n`
    const made = await send('POST', `/imports?${byParts}&size=${file.length}`, null)
    expect([made.status, made.body.status, made.body.next_offset]).toEqual([201, 'receiving', 0])
    const path = `/imports/${made.body.id}`
    const first = await send('PATCH', `${path}?complete=false`, file.slice(0, 50), { 'upload-offset': '0' })
    expect(first.status).toBe(200)
    expect(first.body).toMatchObject({ status: 'receiving', is_busy: false })
    const wrong = await send<ProblemBody & { next_offset: number }>('PATCH', path, file.slice(50), {
      'upload-offset': '50',
    })
    expect([wrong.status, wrong.body.code]).toEqual([409, 'upload_offset_mismatch'])
    expect(wrong.body.next_offset).toBe(first.body.next_offset)
    const { next_offset } = first.body
    const last = await send('PATCH', path, file.slice(next_offset), { 'upload-offset': String(next_offset) })
    expect(last.body).toMatchObject({ status: 'finished', rows: 2, created: 2, percent: 100 })
    const missing = await send<ProblemBody>('PATCH', path, 'x')
    expect([missing.status, missing.body.errors[0]?.field]).toEqual([422, 'upload-offset'])
    expect((await api.post(`${path}/cancel`)).body.code).toBe('wrong_status')

    const { body: page } = await api.get<{ data: Import[]; next_cursor: string }>('/imports?limit=1')
    expect(page.data).toEqual([last.body])
    const { body: next } = await api.get<{ data: Import[] }>(`/imports?limit=1&cursor=${page.next_cursor}`)
    expect(next.data[0]?.id).toBeLessThan(last.body.id)
  })

  test('a cancelled import takes no more', async () => {
    const made = await send('POST', `/imports?${byParts}`, null)
    const path = `/imports/${made.body.id}`
    expect((await api.post<Import>(`${path}/cancel`)).body).toMatchObject({ status: 'cancelled', rows: 0 })
    const { body } = await send<ProblemBody>('PATCH', path, 'email\n', { 'upload-offset': '0' })
    expect(body.code).toBe('wrong_status')
  })

  test('an import that nobody made', async () => {
    for (const [method, path] of [
      ['GET', '/imports/999999'],
      ['GET', '/imports/999999/refusals'],
      ['GET', '/imports/999999/refusals.csv'],
      ['POST', '/imports/999999/cancel'],
    ] as const) {
      const answer = method === 'GET' ? await api.get(path) : await api.post(path)
      expect([answer.status, answer.body.code], path).toEqual([404, 'not_found'])
    }
    const { body } = await send<ProblemBody>('PATCH', '/imports/999999', 'email\n', { 'upload-offset': '0' })
    expect(body.code).toBe('not_found')
  })
})
