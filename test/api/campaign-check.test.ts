// What is found before a campaign is sent, by POST /check and by sending alike.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { insertApiKey, openApi, type ProblemBody, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let list_id: number
let sender_id: number
beforeAll(async () => {
  worker = await openTestWorker({
    RECIPIENT_ALLOWLIST: '@example.com,@gmail.com',
  })
  api = await openApi(worker)
  list_id = await list(['Ada', 'Grace'])
  sender_id = (await api.post<Row>('/senders', senderOf())).body.id
})
afterAll(() => worker.close())

interface Row {
  id: number
}
interface Finding {
  code: string
  field: string
  detail: string
}
interface Check {
  errors: Finding[]
  warnings: Finding[]
  audience: { count: number; mails: number; not_in_allowlist: number; by_provider: object[]; estimated: boolean } | null
  size: { html_bytes: number; text_bytes: number; message_bytes: number } | null
  forecast: { seconds: number | null; per_day: object[]; limited_by: string | null; accounts: string[] } | null
  cost: { lines: { service: string; quantity: number; usd: number | null }[]; total_usd: number } | null
}

const senderOf = (fields: object = {}) => ({
  name: `Sender ${crypto.randomUUID()}`,
  from_name: 'Acme',
  from_email: 'news@acme.example',
  postal_address: 'Acme, 1 Main Street',
  ...fields,
})

async function list(names: (string | null)[], domain = 'example.com'): Promise<number> {
  const { body } = await api.post<Row>('/lists', { name: `List ${crypto.randomUUID()}` })
  if (names.length > 0) {
    await api.post('/subscribers/bulk', {
      subscribers: names.map((first_name) => ({
        email: `p-${crypto.randomUUID()}@${domain}`,
        first_name,
        attributes: first_name === null ? {} : { page: `https://acme.example/${first_name}` },
        list_ids: [body.id],
        consented_at: '2026-01-01T00:00:00Z',
        consent_source: 'test',
      })),
    })
  }
  return body.id
}

/** A sender whose account was taken out of ACCOUNTS since. */
async function orphan(): Promise<number> {
  const { body } = await api.post<Row>('/senders', senderOf())
  await worker.sql(`update senders set account = 'gone' where id = $1`, [body.id])
  return body.id
}

const PROSE = '<p>Hello {{first_name}}, here is what is new at Acme. '.concat(
  'It is well worth your time. '.repeat(12),
  '</p>',
)
const FOOTER = '<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p>'
const CLEAN = `${PROSE}<img src="https://acme.example/a.png" alt="A cat" width="600"><a href="https://acme.example">Read on</a>${FOOTER}`

async function draft({
  source = CLEAN,
  text_source = null as string | null,
  ...fields
}: Record<string, unknown> & { source?: string; text_source?: string | null } = {}) {
  const template = await api.post<Row>('/templates', { name: 'News', format: 'html', source, text_source })
  expect(template.status, JSON.stringify(template.body)).toBe(201)
  const content = { name: 'News', subject: 'News for {{first_name}}', template_id: template.body.id, sender_id }
  const created = await api.post<Row>('/campaigns', { ...content, audience: { include: [list_id] }, ...fields })
  expect(created.status, JSON.stringify(created.body)).toBe(201)
  return created.body.id
}

const check = async (id: number) => {
  const { status, body } = await api.post<Check>(`/campaigns/${id}/check`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code).sort()

test('a campaign with nothing wrong has no findings, and says whom it reaches, how long it takes and what it costs', async () => {
  const found = await check(await draft())
  expect([found.errors, found.warnings]).toEqual([[], []])
  expect(found.audience).toMatchObject({
    count: 2,
    mails: 2,
    estimated: false,
    by_provider: [{ provider: 'example.com', count: 2 }],
  })
  expect(found.size?.html_bytes).toBeGreaterThan(CLEAN.length)
  expect(found.size?.message_bytes).toBeGreaterThan((found.size?.html_bytes ?? 0) + (found.size?.text_bytes ?? 0))
  expect(found.forecast).toMatchObject({ seconds: 1, limited_by: 'connections', accounts: ['inbox'] })
  expect(found.cost?.lines.map(({ service }) => service)).toContain('queues')
  expect(found.cost?.lines[0]).toMatchObject({ service: 'sending', quantity: 2, usd: null })
})

const BAD = `<img src="https://acme.example/a.png"><a href="http://acme.example">a</a><a href="https://bit.ly/x">b</a>
<a href="/about">c</a>{{firstname}}{{first_name}}{{attributes.city}}{{{attributes.page}}}${FOOTER}`

test('every fault that can be planted in one mail is found, by the check and by sending', async () => {
  const members = await list(['Ada', null, null])
  const bad = await api.post<Row>('/senders', senderOf({ from_email: 'acme@gmail.com' }))
  await api.post('/subscribers', {
    email: `x-${crypto.randomUUID()}@other.example`,
    list_ids: [members],
    first_name: 'X',
  })
  await api.put('/settings', { sending: false })
  const id = await draft({
    source: BAD,
    subject: `RE: ${'SALE '.repeat(20)}`,
    sender_id: bad.body.id,
    audience: { include: [members] },
  })
  const found = await check(id)
  const expected = [
    'empty_variable',
    'free_mail_sender',
    'image_without_alt',
    'image_without_width',
    'insecure_link',
    'link_shortener',
    'missing_variable',
    'missing_variable',
    'mostly_images',
    'not_in_allowlist',
    'relative_link',
    'sending_off',
    'subject_capitals',
    'subject_long',
    'subject_reply',
    'unescaped_variable',
    'unknown_variable',
  ]
  expect([found.errors, codes(found.warnings)]).toEqual([[], expected])
  expect(found.audience).toMatchObject({ count: 4, not_in_allowlist: 1, mails: 3 })
  const sent = await api.post<{ warnings: Finding[] }>(`/campaigns/${id}/send`)
  expect([sent.status, codes(sent.body.warnings)]).toEqual([202, expected])
  await api.put('/settings', { sending: true })
})

test.each([
  [
    'a text part that says nothing',
    { text_source: 'See {{unsubscribe_url}} {{sender.postal_address}}' },
    'text_part_short',
  ],
  ['more HTML than Gmail shows', { source: CLEAN + '<p>more of it</p>'.repeat(7_000) }, 'clipped'],
])('%s is warned of', async (_, fields, code) => {
  const found = await check(await draft(fields))
  expect([found.errors, codes(found.warnings)]).toEqual([[], [code]])
})

test.each<[string, () => Promise<Record<string, unknown>> | Record<string, unknown>, string[]]>([
  [
    'without an unsubscribe link',
    () => ({ source: `${PROSE}{{sender.postal_address}}` }),
    ['not_compliant', 'not_compliant'],
  ],
  ['for nobody', async () => ({ audience: { include: [await list([])] } }), ['audience_empty']],
  ['whose subject is empty for some', () => ({ subject: '{{attributes.city}}' }), ['subject_empty']],
  ['whose subject is no template', () => ({ subject: '{{#if first_name}}News' }), ['cannot_render']],
  [
    'with a link that leads some nowhere',
    async () => ({
      source: `${CLEAN}<a href="{{attributes.page}}">p</a>`,
      audience: { include: [await list(['Ada', null, null])] },
    }),
    ['cannot_render'],
  ],
  [
    'with links that are too long to be tracked',
    () => ({
      source: `${CLEAN}<a href="https://acme.example/${'a'.repeat(7_900)}">p</a>`,
      utm: { source: 'b'.repeat(200) },
    }),
    ['link_too_long'],
  ],
  ['from a sender whose account is gone', async () => ({ sender_id: await orphan() }), ['no_account']],
])('a campaign %s has errors, and does not start', async (_, fields, expected) => {
  const id = await draft(await fields())
  const found = await check(id)
  expect(codes(found.errors)).toEqual(expected)
  const refused = await api.post<ProblemBody>(`/campaigns/${id}/send`)
  expect([refused.status, refused.body.code]).toEqual([422, 'campaign_not_ready'])
  expect(refused.body.errors).toEqual(found.errors.map(({ field, detail }) => ({ field, detail })))
})

test('several errors are told at once, with what can be said all the same', async () => {
  const id = await draft({ source: '<p>Hi</p>', sender_id: await orphan() })
  const found = await check(id)
  expect(new Set(codes(found.errors))).toEqual(new Set(['no_account', 'not_compliant']))
  expect([found.audience?.count, found.forecast, found.cost?.lines[0]?.usd]).toEqual([2, null, null])
})

test('a list that is gone is an error, and nobody is counted', async () => {
  const gone = await list(['Ada'])
  const id = await draft({ audience: { include: [list_id], exclude: [gone] } })
  await worker.sql('delete from mailing_lists where id = $1', [gone])
  const found = await check(id)
  expect([codes(found.errors), found.audience, found.forecast, found.cost]).toEqual([
    ['list_missing'],
    null,
    null,
    null,
  ])
})

test('a limit of the day makes days of it', async () => {
  const many = await list(Array.from({ length: 200 }, () => 'Ada'))
  const sender = await api.post<Row>('/senders', senderOf({ from_email: 'news@bound.example', account: 'bound' }))
  const { forecast } = await check(await draft({ sender_id: sender.body.id, audience: { include: [many] } }))
  expect(forecast).toMatchObject({ limited_by: 'day', per_day: [{ mails: 95 }, { mails: 95 }, { mails: 10 }] })
})

test('a check changes nothing, however often it is made', async () => {
  const id = await draft({ source: BAD })
  const state = async () =>
    worker.sql(
      `select c.*, (select count(*)::int from deliveries) as deliveries, (select count(*)::int from batches) as batches,
      (select count(*)::int from campaign_links) as links, (select count(*)::int from idempotency_keys) as keys
      from campaigns c where id = $1`,
      [id],
    )
  const before = await state()
  const [first, second] = await Promise.all([check(id), check(id)])
  expect(first.warnings).toEqual(second.warnings)
  expect(await state()).toEqual(before)
  expect((await api.get<{ status: string }>(`/campaigns/${id}`)).body.status).toBe('draft')
})

test('a key that may read is enough, and one that has started is not checked', async () => {
  const id = await draft()
  const { key } = await insertApiKey(worker, ['read'])
  const asked = (path: string, init: RequestInit = {}) =>
    request(`/api/v1${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, ...(init as object) })
  expect((await asked(`/campaigns/${id}/check`)).status).toBe(200)
  expect((await asked(`/campaigns/${id}/send`)).body.code).toBe('scope_missing')
  await api.post(`/campaigns/${id}/send`)
  const refused = await asked(`/campaigns/${id}/check`)
  expect([refused.status, refused.body.code]).toEqual([409, 'wrong_status'])
})

test.each([
  ['/campaigns/987654/check', undefined, 404, 'not_found'],
  ['/campaigns/0/check', undefined, 422, 'validation_failed'],
  ['/campaigns/x/check', undefined, 422, 'validation_failed'],
  ['/campaigns/1/check?deep=1', undefined, 422, 'validation_failed'],
  ['/campaigns/1/check', { subject: 'x' }, 422, 'validation_failed'],
])('POST %s with %j is refused', async (path, body, status, code) => {
  const answer = await api.post<ProblemBody>(path, body)
  expect([answer.status, answer.body.code]).toEqual([status, code])
})
