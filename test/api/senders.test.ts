import { afterAll, beforeAll, expect, test } from 'vitest'
import { campaigns } from '../../src/campaigns/table.ts'
import { templates } from '../../src/templates/table.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Sender {
  id: number
  name: string
  from_email: string
  reply_to: string | null
  account: string | null
  created_at: string
  updated_at: string
}

let count = 0
const fresh = (fields: Record<string, unknown> = {}) => ({
  name: `Sender ${++count}`,
  from_name: 'Ada from Example',
  from_email: 'ada@news.example.com',
  postal_address: '1 Example Street\n12345 Town',
  ...fields,
})

test('a sender is created, read, changed and deleted', async () => {
  const created = await api.post<Sender>('/senders', fresh({ from_email: ' Ada@News.Bücher.example ' }))
  expect(created.status).toBe(201)
  expect(created.body).toMatchObject({ from_email: 'Ada@news.xn--bcher-kva.example', reply_to: null, account: null })
  expect(created.body.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

  const path = `/senders/${created.body.id}`
  expect((await api.get<Sender>(path)).body).toEqual(created.body)
  const changed = await api.patch<Sender>(path, { reply_to: 'reply@example.com' })
  expect(changed.body).toEqual({ ...created.body, reply_to: 'reply@example.com', updated_at: changed.body.updated_at })
  expect((await api.patch<Sender>(path, { reply_to: null })).body.reply_to).toBeNull()

  expect((await api.delete(path)).status).toBe(204)
  expect((await api.get(path)).status).toBe(404)
  expect((await api.delete(path)).status).toBe(404)
})

test.each([
  [{ from_email: 'ada' }, 'from_email', 'must contain exactly one @'],
  [{ from_email: 'ada@example' }, 'from_email', 'has a domain that has no dot'],
  [{ from_email: 'Ada<ada@example.com>' }, 'from_email', 'must be one bare address'],
  [{ from_email: 'ada@example.com\r\nBcc: eve@example.com' }, 'from_email', 'contains a space, a control character'],
  [{ from_email: undefined }, 'from_email', 'is required'],
  [{ reply_to: 'nobody' }, 'reply_to', 'must contain exactly one @'],
  [{ postal_address: undefined }, 'postal_address', 'is required'],
  [{ postal_address: '' }, 'postal_address', 'must not be empty'],
  [{ postal_address: ' \n ' }, 'postal_address', 'must not be empty'],
  [{ from_name: 'Ada\r\nBcc: eve@example.com' }, 'from_name', 'must not contain line breaks'],
  [{ from_name: 7 }, 'from_name', 'must be a string'],
  [{ name: 'x'.repeat(101) }, 'name', 'must have at most 100 characters'],
  [{ tracking_url: 'ftp://example.com' }, 'tracking_url', 'must be a URL'],
  [{ tracking_url: 'https://example.com/path' }, 'tracking_url', 'must be a scheme and host without a path'],
  [{ tracking_url: 'https://example.com\\x' }, 'tracking_url', 'must be a scheme and host without a path'],
  [{ tracking_url: 'https://user:secret@example.com' }, 'tracking_url', 'must be a scheme and host without a path'],
  [{ postal_address: '--- . ---' }, 'postal_address', 'must be an address'],
  [{ postal_address: 'Street 1\u001b[31m' }, 'postal_address', 'must not contain control characters'],
  [{ form_email: 'ada@example.com' }, 'form_email', 'is not known here'],
])('a sender with %j is refused and nothing is written', async (fields, field, detail) => {
  const before = await worker.sql('select count(*) from senders')
  const answer = await api.post('/senders', fresh(fields))
  expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
  expect(answer.body.errors[0]?.field).toBe(field)
  expect(answer.body.errors[0]?.detail).toContain(detail)
  expect(await worker.sql('select count(*) from senders')).toEqual(before)
})

test('an address may have lines; a change must change something', async () => {
  const made = await api.post<Sender>('/senders', fresh({ postal_address: 'Acme\r\nStreet 1\n12345 Town' }))
  expect(made.status).toBe(201)
  const answer = await api.patch(`/senders/${made.body.id}`, {})
  expect([answer.status, answer.body.errors[0]?.detail]).toEqual([422, 'must change at least one field'])
})

test('two senders cannot have the same name, whatever its case', async () => {
  const first = await api.post<Sender>('/senders', fresh({ name: 'Weekly' }))
  const second = await api.post<Sender>('/senders', fresh())
  for (const answer of [
    await api.post('/senders', fresh({ name: 'WEEKLY' })),
    await api.patch(`/senders/${second.body.id}`, { name: 'weekly' }),
  ]) {
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([409, 'name_taken', 'name'])
  }
  expect((await api.patch(`/senders/${first.body.id}`, { name: 'weekly' })).status).toBe(200)
})

test('a sender that a campaign names cannot be deleted', async () => {
  const { body: sender } = await api.post<Sender>('/senders', fresh())
  const [template] = await worker.db.insert(templates).values({ name: 'T' }).returning({ id: templates.id })
  if (!template) throw new Error('no template')
  const audience = { include: [], exclude: [], where: {}, sample: null }
  await worker.db
    .insert(campaigns)
    .values({ name: 'C', subject: 'S', template_id: template.id, sender_id: sender.id, audience })
  const answer = await api.delete(`/senders/${sender.id}`)
  expect([answer.status, answer.body.code]).toEqual([409, 'in_use'])
  expect((await api.get(`/senders/${sender.id}`)).status).toBe(200)
})

test.each(['/senders/999999', '/senders/9007199254740991'])('%s is 404 and names the sender', async (path) => {
  for (const answer of [await api.get(path), await api.patch(path, { name: 'x' }), await api.delete(path)]) {
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    expect(answer.body.detail).toMatch(/^There is no sender \d+\.$/)
  }
})

test.each(['0', '-1', '1.5', 'abc', '1e3', '9007199254740993', '99999999999999999999'])(
  'the id %s is refused',
  async (id) => {
    const answer = await api.get(`/senders/${id}`)
    expect([answer.status, answer.body.errors[0]?.field]).toEqual([422, 'id'])
  },
)
