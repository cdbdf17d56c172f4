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

interface Partial {
  id: number
  name: string
  version: number
  format: string
  source: string
  text_source: string | null
  templates: { id: number; name: string; version: number }[]
  partials: { id: number; name: string }[]
  warnings: object[]
}

interface Template {
  id: number
  version: number
  partials: { id: number; name: string; version: number; newest_version: number | null }[]
}

const uniqueName = () => `p${crypto.randomUUID().slice(0, 8)}`

async function createPartial(fields: object = {}) {
  const answer = await api.post<Partial>('/partials', {
    name: uniqueName(),
    format: 'html',
    source: '<p>v1</p>',
    ...fields,
  })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body
}

async function createTemplate(source: string, fields: object = {}) {
  const answer = await api.post<Template>('/templates', { name: 'News', format: 'html', source, ...fields })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body
}

const previewOf = async (id: number) => (await api.post<{ html: string }>(`/templates/${id}/preview`, {})).body.html

describe('a partial', () => {
  test('is created, read, listed by name, changed and deleted', async () => {
    const partial = await createPartial({ text_source: 'v1' })
    expect(partial).toMatchObject({ version: 1, format: 'html', source: '<p>v1</p>', text_source: 'v1', warnings: [] })
    const { warnings: _, ...kept } = partial
    expect((await api.get<Partial>(`/partials/${partial.id}`)).body).toEqual(kept)
    const changed = await api.patch<Partial>(`/partials/${partial.id}`, { source: '<p>v2</p>', text_source: null })
    expect(changed.body).toMatchObject({ name: partial.name, version: 2, source: '<p>v2</p>', text_source: null })
    expect(
      await worker.sql('select version, source from partial_versions where partial_id = $1 order by 1', [partial.id]),
    ).toEqual([
      { version: 1, source: '<p>v1</p>' },
      { version: 2, source: '<p>v2</p>' },
    ])
    expect((await api.patch<Partial>(`/partials/${partial.id}`, { source: '<p>v2</p>' })).body.version).toBe(2)
    const { body } = await api.get<{ data: { name: string }[] }>('/partials?limit=200')
    const names = body.data.map(({ name }) => name)
    expect(names).toContain(partial.name)
    expect((await api.delete(`/partials/${partial.id}`)).status).toBe(204)
    for (const answer of [
      await api.get(`/partials/${partial.id}`),
      await api.patch(`/partials/${partial.id}`, { source: 'x' }),
      await api.delete(`/partials/${partial.id}`),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    }
    // Its name is free again.
    expect((await createPartial({ name: partial.name })).id).not.toBe(partial.id)
  })

  test('pages by name', async () => {
    for (let n = 0; n < 3; n++) await createPartial()
    const first = await api.get<{ data: Partial[]; next_cursor: string }>('/partials?limit=2')
    const second = await api.get<{ data: Partial[] }>(`/partials?limit=2&cursor=${first.body.next_cursor}`)
    expect(first.body.data).toHaveLength(2)
    expect(second.body.data.map(({ id }) => id)).not.toContain(first.body.data[1]?.id)
  })

  test('has its name for itself', async () => {
    const { name } = await createPartial()
    const answers = await Promise.all(
      [1, 2].map((n) => api.post('/partials', { name, format: 'html', source: `${n}` })),
    )
    for (const { status, body } of answers) expect([status, body.code]).toEqual([409, 'name_taken'])
  })

  test.each([
    [{ name: '../x' }, 'name'],
    [{ name: '@partial-block' }, 'name'],
    [{ name: '__proto__' }, 'name'],
    [{ source: '' }, 'source'],
    [{ source: 'x'.repeat(2_000_000) }, 'source'],
    [{ format: 'text' }, 'format'],
    [{ source: 'a\u0000b' }, 'source'],
  ])('with %j is refused', async (fields, field) => {
    const answer = await api.post('/partials', { name: uniqueName(), format: 'html', source: 'x', ...fields })
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([422, 'validation_failed', field])
  })

  test.each([
    ['an unclosed block', 'html', 'a\n{{#if b}}', 2],
    ['an unclosed tag', 'html', 'a\n<a href="x', 2],
    ['a script', 'html', '\n\n<script>x</script>', 3],
    ['a helper that does not exist', 'html', '{{shout a}}', 1],
    ['a partial that does not exist', 'html', '\n{{> nothing_of_that_name}}', 2],
    ['MJML in HTML', 'html', '<mj-text>x</mj-text>', 1],
    ['HTML in MJML', 'mjml', '<p>x</p>', 1],
    ['a whole mail', 'mjml', '<mjml><mj-body></mj-body></mjml>', 1],
    ['elements of several places', 'mjml', '<mj-section></mj-section><mj-text>x</mj-text>', 1],
    ['MJML that does not compile', 'mjml', '<mj-section>\n<mj-nothing /></mj-section>', 2],
    ['MJML that is not closed', 'mjml', '<mj-section>\n<mj-column>', 2],
    ['a condition that MJML would drop', 'mjml', '<mj-column>\n{{#if a}}<mj-text>x</mj-text>{{/if}}</mj-column>', 2],
  ])('is refused with line and reason for %s', async (_, format, source, line) => {
    const before = await worker.sql('select count(*)::int as n from partial_versions')
    const answer = await api.post('/partials', { name: uniqueName(), format, source })
    expect([answer.status, answer.body.code]).toEqual([422, 'template_invalid'])
    expect(answer.body.errors).toContainEqual({ field: 'source', line, detail: expect.stringMatching(/\w/) })
    expect(await worker.sql('select count(*)::int as n from partial_versions')).toEqual(before)
  })

  test.each([
    ['head', '<mj-attributes><mj-all color="#111111" /></mj-attributes>\n<mj-style>a { }</mj-style>'],
    ['body', '<mj-raw>{{#if a}}</mj-raw><mj-section></mj-section><mj-raw>{{/if}}</mj-raw><mj-wrapper></mj-wrapper>'],
    ['section', '<mj-column></mj-column><mj-column></mj-column>'],
    ['column', '<mj-text>x</mj-text><mj-button href="https://x.example/">y</mj-button><mj-divider />'],
  ])('of MJML holds what stands in a %s', async (_, source) => {
    await createPartial({ format: 'mjml', source })
  })

  test('that leads back to itself is refused', async () => {
    const [a, b] = [uniqueName(), uniqueName()]
    const self = await api.post('/partials', { name: a, format: 'html', source: `x\n{{> ${a}}}` })
    expect([self.status, self.body.errors[0]]).toMatchObject([
      422,
      { line: 2, detail: expect.stringContaining(`${a} > ${a}`) },
    ])
    const first = await createPartial({ name: a })
    await createPartial({ name: b, source: `{{> ${a}}}` })
    const circle = await api.patch(`/partials/${first.id}`, { source: `{{> ${b}}}` })
    expect([circle.status, circle.body.code]).toEqual([422, 'template_invalid'])
    expect(circle.body.errors[0]?.detail).toContain(`${b} > ${a} > ${b}`)
    expect((await api.get<Partial>(`/partials/${first.id}`)).body.version).toBe(1)
  })

  test('changed from an older version is refused', async () => {
    const { id } = await createPartial()
    await api.patch(`/partials/${id}`, { source: '2', version: 1 })
    const answer = await api.patch(`/partials/${id}`, { source: '3', version: 1 })
    expect([answer.status, answer.body.code]).toEqual([409, 'version_conflict'])
  })

  test('needs the scope write', async () => {
    const reader = await openApi(worker, ['read'])
    const { id, name } = await createPartial()
    for (const answer of [
      await reader.post('/partials', { name: `${name}x`, format: 'html', source: 'x' }),
      await reader.patch(`/partials/${id}`, { source: 'x' }),
      await reader.delete(`/partials/${id}`),
      await reader.post<ProblemBody>('/templates/1/recompile'),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([403, 'scope_missing'])
    }
    expect((await reader.get(`/partials/${id}`)).status).toBe(200)
  })
})

describe('a template', () => {
  test('keeps the version of a partial that it was compiled with, until it is recompiled or changed', async () => {
    const partial = await createPartial()
    const template = await createTemplate(`<div>{{> ${partial.name}}}</div>`)
    const held = { id: partial.id, name: partial.name, version: 1, newest_version: 1 }
    expect(template.partials).toEqual([held])

    const { body: changed } = await api.patch<Partial>(`/partials/${partial.id}`, { source: '<p>v2</p>' })
    expect(changed.templates).toEqual([{ id: template.id, name: 'News', version: 1 }])
    expect(await previewOf(template.id)).toContain('v1')
    const { body: read } = await api.get<Template>(`/templates/${template.id}`)
    expect([read.version, read.partials]).toEqual([1, [{ ...held, newest_version: 2 }]])

    const { body: recompiled } = await api.post<Template>(`/templates/${template.id}/recompile`)
    expect([recompiled.version, recompiled.partials]).toEqual([2, [{ ...held, version: 2, newest_version: 2 }]])
    expect(await previewOf(template.id)).toContain('v2')
    expect((await api.post<Template>(`/templates/${template.id}/recompile`)).body.version).toBe(2)

    const { body: old } = await api.get<Template>(`/templates/${template.id}/versions/1`)
    expect(old.partials).toEqual([{ ...held, newest_version: 2 }])
    await api.patch(`/partials/${partial.id}`, { source: '<p>v3</p>' })
    await api.patch(`/templates/${template.id}`, { source: `<b>{{> ${partial.name}}}</b>` })
    expect(await previewOf(template.id)).toContain('v3')
  })

  test('that does not compile with the newest partial keeps the one it has', async () => {
    const partial = await createPartial({ format: 'mjml', source: '<mj-section></mj-section>' })
    const source = `<mjml><mj-body>{{> ${partial.name}}}</mj-body></mjml>`
    const template = await createTemplate(source, { format: 'mjml' })
    await api.patch(`/partials/${partial.id}`, { source: '<mj-text>x</mj-text>' })
    const answer = await api.post(`/templates/${template.id}/recompile`)
    expect([answer.status, answer.body.code]).toEqual([422, 'template_invalid'])
    expect((await api.get<Template>(`/templates/${template.id}`)).body).toMatchObject({ version: 1 })
  })

  test('is refused for a partial that is not there, with the name that was meant', async () => {
    const partial = await createPartial({ name: `footer_${uniqueName()}` })
    const misspelt = partial.name.replace('footer', 'foter')
    const answer = await api.post('/templates', { name: 'T', format: 'html', source: `\n{{> ${misspelt}}}` })
    expect([answer.status, answer.body.errors[0]]).toEqual([
      422,
      { field: 'source', line: 2, detail: `There is no partial named "${misspelt}". Did you mean "${partial.name}"?` },
    ])
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      const { status, body } = await api.post('/templates', { name: 'T', format: 'html', source: `{{> ${name}}}` })
      expect([status, body.code]).toEqual([422, 'template_invalid'])
    }
  })

  test('unsaved is previewed with the newest partials', async () => {
    const partial = await createPartial()
    await api.patch(`/partials/${partial.id}`, { source: '<p>v2</p>' })
    const { body } = await api.post<{ html: string }>('/templates/preview', {
      format: 'html',
      source: `{{> ${partial.name}}}`,
    })
    expect(body.html).toContain('v2')
  })
})

describe('a partial that is needed cannot be deleted:', () => {
  test('by a template, or by another partial that calls it', async () => {
    const inner = await createPartial()
    const outer = await createPartial({ source: `{{> ${inner.name}}}` })
    const template = await createTemplate(`{{> ${outer.name}}}`)
    const refused = await api.delete(`/partials/${inner.id}`)
    expect([refused.status, refused.body.code]).toEqual([409, 'in_use'])
    expect(refused.body.detail).toBe(
      `Partial ${inner.id} is called by template ${template.id} (News), partial ${outer.id} (${outer.name}).`,
    )
    expect((await api.get<Partial>(`/partials/${inner.id}`)).body).toMatchObject({
      templates: [{ id: template.id }],
      partials: [{ id: outer.id }],
    })
    // Only the newest version counts.
    await api.patch(`/templates/${template.id}`, { source: 'x' })
    expect((await api.delete(`/partials/${outer.id}`)).status).toBe(204)
    expect((await api.delete(`/partials/${inner.id}`)).status).toBe(204)
    const { body: old } = await api.get<Template>(`/templates/${template.id}/versions/1`)
    expect(old.partials.map(({ newest_version }) => newest_version)).toEqual([null, null])
  })

  test('a template and the deletion of its partial at once: one of the two happens', async () => {
    for (let round = 0; round < 12; round++) {
      const { id, name } = await createPartial()
      const [saved, deleted] = await Promise.all([
        api.post('/templates', { name: 'T', format: 'html', source: `{{> ${name}}}` }),
        api.delete(`/partials/${id}`),
      ])
      expect([
        [201, 409],
        [422, 204],
        [409, 204],
      ]).toContainEqual([saved.status, deleted.status])
    }
  })
})
