import { exports } from 'cloudflare:workers'
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

interface Campaign {
  id: number
  status: string
  status_reason: string | null
  template_id: number
  template_version: number | null
  warnings: { code: string; detail: string; line?: number }[]
}

const source = (greeting: string) =>
  `<p>${greeting} {{first_name}}</p><p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">leave</a></p>`
const LATER = '2099-01-01T00:00:00Z'

async function createTemplate(html = source('One')) {
  return (await api.post<{ id: number }>('/templates', { name: 'T', format: 'html', source: html })).body.id
}

/** A draft to one subscriber, with a template of one version. */
async function draft(fields: object = {}, people: object[] = [{ first_name: 'Ada' }]) {
  const sender = await api.post<{ id: number }>('/senders', {
    name: `S ${crypto.randomUUID()}`,
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Street 1',
  })
  const list = await api.post<{ id: number }>('/lists', { name: `L ${crypto.randomUUID()}` })
  const subscribers = people.map((person) => ({
    email: `${crypto.randomUUID()}@example.com`,
    list_ids: [list.body.id],
    consented_at: '2026-01-01T00:00:00Z',
    consent_source: 'test',
    ...person,
  }))
  expect((await api.post('/subscribers/bulk', { subscribers })).status).toBe(200)
  const content = {
    name: 'C',
    subject: 'S',
    template_id: await createTemplate(),
    sender_id: sender.body.id,
    audience: { include: [list.body.id] },
    ...fields,
  }
  const answer = await api.post<Campaign>('/campaigns', content)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body
}

const change = async (template_id: number, greeting: string) => {
  expect((await api.patch(`/templates/${template_id}`, { source: source(greeting) })).status).toBe(200)
}
const read = async (id: number) => (await api.get<Campaign>(`/campaigns/${id}`)).body
const snapshot = async (id: number) => {
  const [row] = await worker.sql<{ html: string; version: string }>(
    `select snapshot ->> 'html' as html, snapshot ->> 'template_version' as version from campaigns where id = $1`,
    [id],
  )
  return row
}
const cron = () =>
  (exports.default as unknown as { scheduled(controller: object): Promise<void> }).scheduled({ cron: '* * * * *' })

describe('versions of a template', () => {
  test('are listed newest first, by pages, and read one by one', async () => {
    const id = await createTemplate()
    for (const greeting of ['Two', 'Three']) await change(id, greeting)
    type Page = { data: { version: number }[]; next_cursor: string | null }
    const first = await api.get<Page>(`/templates/${id}/versions?limit=2`)
    expect(first.body.data).toEqual([
      { version: 3, format: 'html', created_at: expect.any(String) },
      { version: 2, format: 'html', created_at: expect.any(String) },
    ])
    const rest = await api.get<Page>(`/templates/${id}/versions?limit=2&cursor=${first.body.next_cursor}`)
    expect([rest.body.data.map(({ version }) => version), rest.body.next_cursor]).toEqual([[1], null])
    const { body } = await api.get(`/templates/${id}/versions/2`)
    expect(body).toMatchObject({
      template_id: id,
      version: 2,
      format: 'html',
      source: source('Two'),
      text_source: null,
      links: [],
      warnings: [],
      partials: [],
    })
  })

  test.each(['/templates/987654/versions', '/templates/987654/versions/1'])('%s is not there', async (path) => {
    const answer = await api.get(path)
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
  })

  test('that were never saved are not there', async () => {
    const answer = await api.get(`/templates/${await createTemplate()}/versions/2`)
    expect([answer.status, answer.body.detail]).toEqual([404, expect.stringContaining('2')])
    expect((await api.get(`/templates/${await createTemplate()}/versions/0`)).status).toBe(422)
  })
})

describe('a campaign', () => {
  test('that is a draft follows the newest version, and sends what it finds', async () => {
    const { id, template_id, template_version } = await draft()
    expect(template_version).toBeNull()
    await change(template_id, 'Two')
    const sent = await api.post<Campaign>(`/campaigns/${id}/send`)
    expect([sent.status, sent.body.template_version]).toEqual([202, 2])
    await change(template_id, 'Three')
    expect(await snapshot(id)).toMatchObject({ html: expect.stringContaining('Two'), version: '2' })
    expect((await read(id)).template_version).toBe(2)
  })

  test('that is scheduled stays with the version of that moment', async () => {
    const { id, template_id } = await draft()
    const scheduled = await api.post<Campaign>(`/campaigns/${id}/schedule`, { scheduled_at: LATER })
    expect(scheduled.body.template_version).toBe(1)
    await change(template_id, 'Two')
    // Another moment is not another decision about the content.
    const moved = await api.post<Campaign>(`/campaigns/${id}/schedule`, { scheduled_at: '2099-02-01T00:00:00Z' })
    expect(moved.body.template_version).toBe(1)
    await worker.sql(`update campaigns set scheduled_at = now() - interval '1 second' where id = $1`, [id])
    await worker.redis.zadd(worker.keys.wake, { score: 1, member: String(id) })
    await cron()
    expect(await read(id)).toMatchObject({ status: 'sending', template_version: 1 })
    expect(await snapshot(id)).toMatchObject({ html: expect.stringContaining('One'), version: '1' })
  })

  test('whose schedule is dropped follows the newest again', async () => {
    const { id, template_id } = await draft()
    await api.post(`/campaigns/${id}/schedule`, { scheduled_at: LATER })
    await change(template_id, 'Two')
    expect((await api.delete<Campaign>(`/campaigns/${id}/schedule`)).body.template_version).toBeNull()
    expect((await api.post<Campaign>(`/campaigns/${id}/send`)).body.template_version).toBe(2)
  })

  test('that could not start follows the newest again, in which it is put right', async () => {
    const { id, template_id } = await draft({ template_id: await createTemplate('<p>no address</p>') })
    await api.post(`/campaigns/${id}/schedule`, { scheduled_at: LATER })
    await worker.sql(`update campaigns set scheduled_at = now() - interval '1 second' where id = $1`, [id])
    await worker.redis.zadd(worker.keys.wake, { score: 1, member: String(id) })
    await cron()
    expect(await read(id)).toMatchObject({ status: 'draft', template_version: null })
    await change(template_id, 'Mended')
    expect((await api.post<Campaign>(`/campaigns/${id}/send`)).body).toMatchObject({ template_version: 2 })
  })

  test('stays with the version that its owner chose, and can let go of it', async () => {
    const template_id = await createTemplate()
    for (const greeting of ['Two', 'Three']) await change(template_id, greeting)
    const chosen = await draft({ template_id, template_version: 2 })
    expect(chosen.template_version).toBe(2)
    const copy = await api.post<Campaign>(`/campaigns/${chosen.id}/duplicate`)
    expect(copy.body.template_version).toBe(2)
    await api.post(`/campaigns/${chosen.id}/schedule`, { scheduled_at: LATER })
    expect((await api.delete<Campaign>(`/campaigns/${chosen.id}/schedule`)).body.template_version).toBe(2)
    expect((await api.post<Campaign>(`/campaigns/${chosen.id}/send`)).body.template_version).toBe(2)
    expect((await snapshot(chosen.id))?.html).toContain('Two')
    const let_go = await api.patch<Campaign>(`/campaigns/${copy.body.id}`, { template_version: null })
    expect(let_go.body.template_version).toBeNull()
  })

  test('of another template has no choice made of the one before', async () => {
    const { id, template_id } = await draft({ template_version: 1 })
    expect((await api.patch<Campaign>(`/campaigns/${id}`, { template_id })).body.template_version).toBe(1)
    const other = await createTemplate()
    expect((await api.patch<Campaign>(`/campaigns/${id}`, { template_id: other })).body).toMatchObject({
      template_id: other,
      template_version: null,
    })
  })

  test('cannot have a version that there is not', async () => {
    const { id, template_id } = await draft()
    const patched = await api.patch(`/campaigns/${id}`, { template_version: 2 })
    expect([patched.status, patched.body.errors[0]?.field]).toEqual([422, 'template_version'])
    const { status, body } = await api.post('/campaigns', {
      ...(await contentOf(id)),
      template_id,
      template_version: 9,
    })
    expect([status, body.code, body.errors[0]?.field]).toEqual([422, 'validation_failed', 'template_version'])
    for (const template_version of [0, 1.5, '1']) {
      expect((await api.patch(`/campaigns/${id}`, { template_version })).status).toBe(422)
    }
  })

  test('and its template changed at the same moment: what was checked is what is sent', async () => {
    for (let round = 0; round < 6; round++) {
      const { id, template_id } = await draft()
      const [sent] = await Promise.all([api.post<Campaign>(`/campaigns/${id}/send`), change(template_id, 'Two')])
      const kept = await snapshot(id)
      expect(sent.body.template_version).toBe(Number(kept?.version))
      expect(kept?.html).toContain(kept?.version === '1' ? 'One' : 'Two')
    }
  })
})

const contentOf = async (id: number) => {
  const { body } = await api.get<Record<string, unknown>>(`/campaigns/${id}`)
  const { name, subject, sender_id, audience } = body
  return { name, subject, sender_id, audience }
}

describe('a campaign that starts warns of variables', () => {
  test('that no mail has, and that nobody in its audience has', async () => {
    const html = `<p>{{firstname}} {{first_name}}\n{{attributes.plan}} {{attributes.city}}\n{{last_name}} {{campaign.name}}</p>`
    const { id } = await draft(
      { template_id: await createTemplate(html + source('Hi')), subject: '{{attributes.team}}x' },
      [{ first_name: 'Ada', attributes: { plan: 'pro', city: '' } }, { attributes: { plan: null } }],
    )
    const { status, body } = await api.post<Campaign>(`/campaigns/${id}/send`)
    expect(status).toBe(202)
    const there = { field: 'template_id', part: 'source' }
    expect(body.warnings.filter(({ code }) => code !== 'missing_variable')).toEqual([
      {
        code: 'unknown_variable',
        detail: 'No mail has a variable firstname. Did you mean "first_name"?',
        line: 1,
        ...there,
      },
      { code: 'empty_variable', detail: 'Nobody in the audience has attributes.city.', line: 2, ...there },
      { code: 'empty_variable', detail: 'Nobody in the audience has last_name.', line: 3, ...there },
      { code: 'empty_variable', detail: 'Nobody in the audience has attributes.team.', field: 'subject' },
    ])
  })

  test('and of none when each is there for everybody', async () => {
    const { id } = await draft({}, [{ first_name: 'Ada' }, { first_name: 'Grace' }])
    expect((await api.post<Campaign>(`/campaigns/${id}/send`)).body.warnings).toEqual([])
  })
})
