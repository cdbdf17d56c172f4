// Test sends as emk-api takes them: what it writes down for emk-sender, and what it refuses.
import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker({ RECIPIENT_ALLOWLIST: '@example.com, boss@acme.example' })
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface TestSend {
  id: number
  campaign_id: number
  warnings: { field: string; detail: string }[]
  mails: { id: number; email: string; state: string; reason: string | null; answer: string | null }[]
}

interface Content {
  subject: string
  html: string
  text: string
  headers: [string, string][]
}

const GOOD = `<p>Hello {{first_name}} from {{attributes.town}}, <a href="https://example.com/news?a=1">read on</a></p>
<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p>`

let made = 0
const unique = () => `${++made}-${crypto.randomUUID().slice(0, 8)}`

async function draft(source = GOOD, subject = 'News for {{first_name}}') {
  const sender = await api.post<{ id: number }>('/senders', {
    name: `Sender ${unique()}`,
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme, 1 Main Street',
  })
  const list = await api.post<{ id: number }>('/lists', { name: `List ${unique()}` })
  const person = await api.post<{ id: number }>('/subscribers', {
    email: `p-${unique()}@example.com`,
    first_name: 'Grace',
    attributes: { town: 'Oslo' },
    list_ids: [list.body.id],
    consented_at: '2026-01-01T00:00:00Z',
    consent_source: 'test',
  })
  const template = await api.post<{ id: number }>('/templates', { name: 'News', format: 'html', source })
  const campaign = await api.post<{ id: number }>('/campaigns', {
    name: 'News',
    subject,
    template_id: template.body.id,
    sender_id: sender.body.id,
    audience: { include: [list.body.id] },
  })
  expect(campaign.status, JSON.stringify([template.body, campaign.body])).toBe(201)
  return {
    id: campaign.body.id,
    template_id: template.body.id,
    sender_id: sender.body.id,
    subscriber_id: person.body.id,
  }
}

const send = (id: number, body: object, headers = {}) => api.post<TestSend>(`/campaigns/${id}/test`, body, headers)

async function contentOf(send_id: number): Promise<Content> {
  const [row] = await worker.sql<{ content: Content }>('select content from transactional_sends where id = $1', [
    send_id,
  ])
  if (!row) throw new Error(`no send ${send_id}`)
  return row.content
}

describe('a test of a draft', () => {
  test('answers 202 with one entry for each address, and can be asked for', async () => {
    const { id } = await draft()
    const answer = await send(id, { recipients: ['Boss@ACME.example', 'a@example.com'] })
    expect(answer.status, JSON.stringify(answer.body)).toBe(202)
    expect(answer.body).toMatchObject({ campaign_id: id, warnings: [] })
    expect(answer.body.mails.map(({ email, state }) => [email, state])).toEqual([
      ['Boss@acme.example', 'queued'],
      ['a@example.com', 'queued'],
    ])
    const read = await api.get<TestSend>(`/test-sends/${answer.body.id}`)
    expect([read.status, read.body]).toEqual([200, answer.body])
    const [campaign] = await worker.sql('select status, snapshot from campaigns where id = $1', [id])
    expect(campaign).toEqual({ status: 'draft', snapshot: null })
  })

  test('is marked as one, and its links belong to nobody', async () => {
    const { id } = await draft()
    const { body } = await send(id, { recipients: ['a@example.com'] })
    const { subject, html, text, headers } = await contentOf(body.id)
    expect(subject).toBe('[Test] News for Ada')
    expect(headers).toContainEqual(['X-EMK-Test', `campaign-${id}`])
    const link = /href="(https:\/\/mail\.test\/t\/c\/[^"]+)"/.exec(html)?.[1] ?? 'none'
    const leave = /href="(https:\/\/mail\.test\/u\/[^"]+)"/.exec(html)?.[1] ?? 'none'
    const pixel = /src="(https:\/\/mail\.test\/t\/o\/[^"]+)"/.exec(html)?.[1] ?? 'none'
    expect(text).toContain(leave)
    expect(headers).toContainEqual(['List-Unsubscribe', `<${leave}>`])
    const ask = (url: string, init = {}) => exports.default.fetch(url, { redirect: 'manual', ...init })
    const followed = await ask(link)
    expect([followed.status, followed.headers.get('location')]).toEqual([302, 'https://example.com/news?a=1'])
    expect((await ask(pixel)).headers.get('content-type')).toBe('image/gif')
    const form = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
    const left = await ask(leave, { method: 'POST', body: form })
    expect([left.status, await left.text()]).toEqual([200, expect.stringContaining('This was a test mail')])
  })

  test('is rendered as a subscriber would get it, with given data, or with a sample', async () => {
    const { id, subscriber_id } = await draft()
    const subjectOf = async (body: object) => {
      const answer = await send(id, { recipients: ['a@example.com'], ...body })
      const { subject, html } = await contentOf(answer.body.id)
      return `${subject} / ${/from ([^,]*),/.exec(html)?.[1]}`
    }
    expect(await subjectOf({ subscriber_id })).toBe('[Test] News for Grace / Oslo')
    expect(await subjectOf({ data: { first_name: '<b>', attributes: { town: '<i>' } } })).toBe(
      '[Test] News for <b> / &lt;i&gt;',
    )
    expect(await subjectOf({})).toBe('[Test] News for Ada / ')
  })

  test('goes out without address and unsubscribe link, and says what is missing', async () => {
    const { id } = await draft('<p>Hello</p>')
    const answer = await send(id, { recipients: ['a@example.com'] })
    expect([answer.status, answer.body.mails[0]?.state]).toEqual([202, 'queued'])
    const warnings = answer.body.warnings.map(({ detail }) => detail).join('\n')
    expect(warnings).toContain("HTML part lacks the sender's postal address")
    expect(warnings).toContain('text part lacks a working unsubscribe link')
    expect((await api.post(`/campaigns/${id}/send`)).body.code).toBe('campaign_not_ready')
  })

  test('skips who must not be mailed, and says why', async () => {
    const { id } = await draft()
    const suppressed = `s-${unique()}@example.com`
    const erased = `e-${unique()}@example.com`
    await api.post('/suppressions', { suppressions: [{ kind: 'address', value: suppressed }] })
    const person = await api.post<{ id: number }>('/subscribers', { email: erased })
    expect((await api.delete(`/subscribers/${person.body.id}`)).status).toBe(204)
    const answer = await send(id, { recipients: [suppressed, 'a@elsewhere.example', erased, 'ok@example.com'] })
    expect(answer.body.mails.map(({ state, reason }) => [state, reason])).toEqual([
      ['skipped', 'suppressed'],
      ['skipped', 'not_in_allowlist'],
      ['skipped', 'deleted'],
      ['queued', null],
    ])
  })

  test('with an Idempotency-Key happens once', async () => {
    const { id } = await draft()
    const key = { 'idempotency-key': unique() }
    const body = { recipients: ['a@example.com'] }
    const first = await send(id, body, key)
    const second = await send(id, body, key)
    expect(second.body).toEqual(first.body)
    expect(await worker.sql('select count(*)::int as n from transactional_sends where campaign_id = $1', [id])).toEqual(
      [{ n: 1 }],
    )
  })
})

test('a started campaign is tested as it is sent, whatever became of its template', async () => {
  const { id, template_id } = await draft()
  expect((await api.post(`/campaigns/${id}/send`)).status).toBe(202)
  await api.patch(`/templates/${template_id}`, { source: GOOD.replace('Hello', 'Goodbye') })
  await api.post(`/campaigns/${id}/pause`)
  for (const verb of ['', '/cancel']) {
    if (verb) await api.post(`/campaigns/${id}${verb}`)
    const answer = await send(id, { recipients: ['a@example.com'] })
    expect(answer.status).toBe(202)
    expect((await contentOf(answer.body.id)).html).toContain('Hello Ada')
  }
})

describe('is refused', () => {
  test.each([
    ['no recipients', { recipients: [] }, 'recipients'],
    ['eleven', { recipients: Array.from({ length: 11 }, (_, i) => `p${i}@example.com`) }, 'recipients'],
    ['something that is no address', { recipients: ['a@example.com', 'nobody'] }, 'recipients.1'],
    ['one address twice', { recipients: ['a@example.com', 'A@Example.com'] }, 'recipients.1'],
    ['both kinds of data', { recipients: ['a@example.com'], subscriber_id: 1, data: {} }, 'data'],
    [
      'data that templates do not have',
      { recipients: ['a@example.com'], data: { unsubscribe_url: 'x' } },
      'data.unsubscribe_url',
    ],
    ['a subscriber who is not there', { recipients: ['a@example.com'], subscriber_id: 987654 }, 'subscriber_id'],
  ])('with %s', async (_, body, field) => {
    const { id } = await draft()
    const answer = await api.post<ProblemBody>(`/campaigns/${id}/test`, body)
    expect([answer.status, answer.body.errors?.[0]?.field]).toEqual([422, field])
    expect(await worker.sql('select count(*)::int as n from transactional_sends where campaign_id = $1', [id])).toEqual(
      [{ n: 0 }],
    )
  })

  test('when it cannot be rendered with this data', async () => {
    const { id } = await draft()
    let deep: unknown = 1
    for (let i = 0; i < 40; i++) deep = { deep }
    const answer = await api.post(`/campaigns/${id}/test`, {
      recipients: ['a@example.com'],
      data: { attributes: { deep } },
    })
    expect([answer.status, answer.body.code]).toEqual([422, 'campaign_not_ready'])
    expect(answer.body.detail).toContain('nested more than')
  })

  test('for a campaign or a test that is not there, and without the scope send', async () => {
    expect((await api.post('/campaigns/987654/test', { recipients: ['a@example.com'] })).status).toBe(404)
    const missing = await api.get('/test-sends/987654')
    expect([missing.status, missing.body.detail]).toEqual([404, 'There is no test send 987654.'])
    const { id } = await draft()
    const writer = await openApi(worker, ['read', 'write'])
    const answer = await writer.post(`/campaigns/${id}/test`, { recipients: ['a@example.com'] })
    expect([answer.status, answer.body.code]).toEqual([403, 'scope_missing'])
  })
})
