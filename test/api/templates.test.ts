import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { campaigns } from '../../src/campaigns/table.ts'
import { senders } from '../../src/senders/table.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Template {
  id: number
  name: string
  version: number
  format: string
  source: string
  text_source: string | null
  variables: { name: string; field: string; lines: number[]; inside: string | null }[]
  links: { n: number; url: string; text: string }[]
  warnings: { code: string; detail: string }[]
  created_at: string
  updated_at: string
}

const MJML = `<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{first_name}}, {{sender.postal_address}} <a href="{{unsubscribe_url}}">leave</a></mj-text>
<mj-button href="https://shop.example.com/?a=1&amp;b=2">Shop</mj-button>
</mj-column></mj-section></mj-body></mjml>`

const HTML =
  '<html><body><p>Hello {{first_name}}</p><a href="https://example.com/a">Read</a> <a href="{{unsubscribe_url}}">leave</a></body></html>'

const create = async (fields: object = {}) => {
  const answer = await api.post<Template>('/templates', { name: 'News', format: 'html', source: HTML, ...fields })
  expect(answer.status).toBe(201)
  return answer.body
}

test('an MJML template is compiled, kept and read again', async () => {
  const template = await create({ name: 'Newsletter', format: 'mjml', source: MJML })
  expect(template).toMatchObject({ version: 1, format: 'mjml', source: MJML, text_source: null })
  expect(template.variables).toEqual([
    { name: 'first_name', field: 'source', lines: [2], inside: null },
    { name: 'sender.postal_address', field: 'source', lines: [2], inside: null },
    { name: 'unsubscribe_url', field: 'source', lines: [2], inside: null },
  ])
  expect(template.links).toEqual([{ n: 1, url: 'https://shop.example.com/?a=1&b=2', text: 'Shop' }])
  expect((await api.get<Template>(`/templates/${template.id}`)).body).toEqual(template)
  const { body } = await api.get<{ data: object[] }>('/templates')
  expect(body.data[0]).toEqual({
    id: template.id,
    name: 'Newsletter',
    version: 1,
    format: 'mjml',
    created_at: template.created_at,
    updated_at: template.updated_at,
  })
})

describe('a template that does not compile is refused with line and reason, and nothing is written', () => {
  test.each([
    ['an unclosed block', 'html', '<p>\n{{#if a}}\n</p>', 2],
    ['a helper that does not exist', 'html', '<p>\n\n{{shout first_name}}</p>', 3],
    ['an unknown MJML tag', 'mjml', '<mjml>\n<mj-body>\n<mj-nothing>x</mj-nothing></mj-body></mjml>', 3],
    [
      'a condition that MJML would drop',
      'mjml',
      '<mjml><mj-body>\n{{#if a}}<mj-section></mj-section>{{/if}}</mj-body></mjml>',
      2,
    ],
  ])('%s', async (_, format, source, line) => {
    const before = await worker.sql(
      'select (select count(*) from templates) + (select count(*) from template_versions) as n',
    )
    const answer = await api.post('/templates', { name: 'Broken', format, source })
    expect([answer.status, answer.body.code]).toEqual([422, 'template_invalid'])
    expect(answer.body.errors[0]).toMatchObject({ field: 'source', line, detail: expect.stringMatching(/\w/) })
    expect(answer.body.detail).toContain(`line ${line}`)
    expect(
      await worker.sql('select (select count(*) from templates) + (select count(*) from template_versions) as n'),
    ).toEqual(before)
  })

  test('in its text part', async () => {
    const answer = await api.post('/templates', {
      name: 'Broken',
      format: 'html',
      source: HTML,
      text_source: 'Hi\n{{#each x}}',
    })
    expect([answer.status, answer.body.errors[0]]).toMatchObject([422, { field: 'text_source', line: 2 }])
  })

  test('when it is changed: the version before it stays', async () => {
    const template = await create()
    const answer = await api.patch(`/templates/${template.id}`, { name: 'Renamed', source: '{{#if a}}' })
    expect([answer.status, answer.body.code]).toEqual([422, 'template_invalid'])
    expect((await api.get<Template>(`/templates/${template.id}`)).body).toEqual(template)
  })
})

test.each([
  [{ name: undefined }, 'name', 'is required'],
  [{ source: '' }, 'source', 'must not be empty'],
  [{ source: 'x'.repeat(500_001) }, 'source', 'must have at most 500000 characters'],
  [{ format: 'markdown' }, 'format', 'must be one of mjml, html'],
  [{ format: undefined }, 'format', 'is required: one of mjml, html'],
  [{ html: HTML }, 'html', 'is not known here: remove it'],
])('a template with %j is refused', async (fields, field, detail) => {
  const answer = await api.post('/templates', { name: 'News', format: 'html', source: HTML, ...fields })
  expect([answer.status, answer.body.code, answer.body.errors]).toEqual([422, 'validation_failed', [{ field, detail }]])
})

describe('a change', () => {
  test('of the source makes a new version and keeps the old one', async () => {
    const template = await create()
    const source = HTML.replace('Hello', 'Dear')
    const { body } = await api.patch<Template>(`/templates/${template.id}`, { source })
    expect(body).toMatchObject({ id: template.id, name: 'News', version: 2, source })
    expect(
      await worker.sql('select version, source from template_versions where template_id = $1 order by version', [
        template.id,
      ]),
    ).toEqual([
      { version: 1, source: HTML },
      { version: 2, source },
    ])
  })

  test('of the name, or to the same source, makes none', async () => {
    const template = await create()
    const { body } = await api.patch<Template>(`/templates/${template.id}`, { name: 'Other', source: HTML })
    expect(body).toMatchObject({ name: 'Other', version: 1 })
    expect((await api.patch<Template>(`/templates/${template.id}`, {})).body).toEqual(body)
  })

  test('made from an older version is refused', async () => {
    const template = await create()
    await api.patch(`/templates/${template.id}`, { source: HTML.replace('Hello', 'Dear'), version: 1 })
    const answer = await api.patch(`/templates/${template.id}`, { source: HTML.replace('Hello', 'Hi'), version: 1 })
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([
      409,
      'version_conflict',
      'version',
    ])
  })

  test('in parallel with others never loses one unnoticed', async () => {
    const template = await create()
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => api.patch(`/templates/${template.id}`, { source: `${HTML}<!-- ${n} -->` })),
    )
    const taken = answers.filter(({ status }) => status === 200).length
    expect(taken + answers.filter(({ body }) => body.code === 'version_conflict').length).toBe(5)
    expect((await api.get<Template>(`/templates/${template.id}`)).body.version).toBe(1 + taken)
  })
})

test('a deleted template is gone from every answer, and its row stays for the campaigns made of it', async () => {
  const template = await create()
  expect((await api.delete(`/templates/${template.id}`)).status).toBe(204)
  for (const answer of [
    await api.get(`/templates/${template.id}`),
    await api.patch(`/templates/${template.id}`, { name: 'x' }),
    await api.post(`/templates/${template.id}/preview`, {}),
    await api.delete(`/templates/${template.id}`),
  ]) {
    expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
      404,
      'not_found',
      `There is no template ${template.id}.`,
    ])
  }
  const { body } = await api.get<{ data: { id: number }[] }>('/templates?limit=200')
  expect(body.data.map(({ id }) => id)).not.toContain(template.id)
  expect(await worker.sql('select count(*)::int as n from templates where id = $1', [template.id])).toEqual([{ n: 1 }])
})

test('a template that a scheduled campaign needs cannot be deleted', async () => {
  const template = await create()
  const [sender] = await worker.db
    .insert(senders)
    .values({ name: 'S', from_name: 'A', from_email: 'a@example.com', postal_address: 'Street' })
    .returning({ id: senders.id })
  if (!sender) throw new Error('no sender')
  await worker.db.insert(campaigns).values({
    name: 'C',
    subject: 'S',
    template_id: template.id,
    sender_id: sender.id,
    audience: { include: [], exclude: [], where: {}, sample: null },
    status: 'scheduled',
    scheduled_at: '2099-01-01T00:00:00Z',
  })
  const answer = await api.delete(`/templates/${template.id}`)
  expect([answer.status, answer.body.code]).toEqual([409, 'in_use'])
})

describe('a preview', () => {
  interface Preview {
    subject: string
    html: string
    text: string
    warnings: object[]
  }

  test('shows a made-up reader, whom the caller may change field by field', async () => {
    const template = await create({ format: 'mjml', source: MJML })
    const path = `/templates/${template.id}/preview`
    const sample = await api.post<Preview>(path, { subject: 'For {{first_name}}' })
    expect(sample.body.subject).toBe('For Ada')
    expect(sample.body.html).toContain('Hello Ada')
    expect(sample.body.text).toContain('Hello Ada')
    const grace = await api.post<Preview>(path, { subject: 'For {{first_name}}', data: { first_name: 'Grace <3' } })
    expect(grace.body.subject).toBe('For Grace <3')
    expect(grace.body.html).toContain('Hello Grace &lt;3')
    expect(grace.body.text).toContain('1 Example Street')
  })

  test('leads straight to the targets and counts nothing', async () => {
    const template = await create({ format: 'mjml', source: MJML })
    const { body } = await api.post<Preview>(`/templates/${template.id}/preview`, {})
    expect(body.html).toMatch(/href="https:\/\/shop\.example\.com\/\?a=1&(?:amp|#38);b=2"/)
    expect(body.text).toContain('https://shop.example.com/?a=1&b=2')
    expect(body.html).not.toMatch(/@links|@pixel|@click|\/t\//)
  })

  test('of an unsaved source leaves nothing behind', async () => {
    const before = await worker.sql('select count(*) from template_versions')
    const { status, body } = await api.post<Preview>('/templates/preview', { format: 'html', source: HTML })
    expect([status, body.html.includes('Hello Ada')]).toEqual([200, true])
    expect(await worker.sql('select count(*) from template_versions')).toEqual(before)
  })

  test.each([
    [{ subject: '{{#if' }, 'subject'],
    [{ preheader: '{{/if}}' }, 'preheader'],
  ])('with %j is refused', async (fields, field) => {
    const answer = await api.post('/templates/preview', { format: 'html', source: HTML, ...fields })
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([422, 'template_invalid', field])
  })

  test('of a source that does not compile is refused', async () => {
    const answer = await api.post('/templates/preview', { format: 'html', source: '{{#if a}}' })
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([422, 'template_invalid', 'source'])
  })

  test('cannot reach the machinery behind the data', async () => {
    const source = '<p>{{constructor.name}}{{__proto__.x}}{{toString}}|{{lookup this "constructor"}}</p>'
    const { body } = await api.post<Preview>('/templates/preview', { format: 'html', source })
    expect(body.html).toContain('<p>|</p>')
  })
})
