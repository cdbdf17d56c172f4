import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { ORIGIN, openApi, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Preview {
  subject: string
  html: string
  text: string
  size: { html: number; message: number }
  html_url: string | null
  warnings: { code: string; detail: string; line?: number }[]
}

const SOURCE =
  '<html><body><p>Hello {{first_name}} of {{list.name}}</p><a href="https://example.com/a">Read</a> <a href="{{unsubscribe_url}}">leave</a></body></html>'

const preview = async (fields: object = {}) => {
  const answer = await api.post<Preview>('/templates/preview', { format: 'html', source: SOURCE, ...fields })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body
}

async function subscriber(fields: object = {}) {
  const list = await api.post<{ id: number }>('/lists', { name: `L ${crypto.randomUUID()}` })
  const answer = await api.post<{ id: number }>('/subscribers', {
    email: `${crypto.randomUUID()}@example.com`,
    list_ids: [list.body.id],
    consented_at: '2026-01-01T00:00:00Z',
    consent_source: 'test',
    ...fields,
  })
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return { id: answer.body.id, list_id: list.body.id }
}

describe('a preview for a subscriber', () => {
  test('shows what that person would get, with what the caller changes', async () => {
    const { id, list_id } = await subscriber({ first_name: 'Grace', attributes: { plan: 'pro' } })
    const source = `${SOURCE}{{attributes.plan}}`
    const mail = await preview({ source, subject: 'To {{first_name}}', subscriber_id: id, list_id })
    expect([mail.subject, mail.warnings]).toEqual(['To Grace', []])
    expect(mail.html).toMatch(/Hello Grace of L .*pro/)
    const changed = await preview({ source, subscriber_id: id, data: { first_name: 'Other' } })
    expect(changed.html).toMatch(/Hello Other .*pro/)
  })

  test('warns of what that person lacks, of what nobody on the list has, and of what no mail has', async () => {
    const { id, list_id } = await subscriber({ attributes: { plan: 'pro' } })
    const source = '<p>{{attributes.plan}}\n{{attributes.city}} {{first_name}} {{nickname}}</p>'
    const details = (mail: Preview) => mail.warnings.map(({ detail }) => detail)
    expect(details(await preview({ source, subscriber_id: id }))).toEqual([
      'No mail has a variable nickname.',
      'This person has no attributes.city.',
      'This person has no first_name.',
    ])
    expect(details(await preview({ source, list_id }))).toEqual([
      'No mail has a variable nickname.',
      'Nobody in the audience has attributes.city.',
      'Nobody in the audience has first_name.',
    ])
    expect(details(await preview({ source }))).toEqual(['No mail has a variable nickname.'])
  })

  test.each([
    [{ subscriber_id: 987654 }, 'subscriber_id'],
    [{ list_id: 987654 }, 'list_id'],
    [{ subscriber_id: 0 }, 'subscriber_id'],
  ])('with %j is refused', async (fields, field) => {
    const answer = await api.post('/templates/preview', { format: 'html', source: SOURCE, ...fields })
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([422, 'validation_failed', field])
  })

  test('leaves nothing in the database', async () => {
    const { id, list_id } = await subscriber()
    const count = () =>
      worker.sql(
        'select (select count(*) from deliveries) + (select count(*) from campaigns) + (select count(*) from template_versions) + (select count(*) from campaign_links) as n',
      )
    const before = await count()
    await preview({ subscriber_id: id, list_id })
    expect(await count()).toEqual(before)
  })
})

describe('the size', () => {
  test('is that of the mail as it is sent: with tracked links, pixel and headers', async () => {
    const mail = await preview({ subject: 'S' })
    const bytes = new TextEncoder().encode(mail.html).length
    expect(mail.size.html).toBeGreaterThan(bytes + 100)
    expect(mail.size.message).toBeGreaterThan(mail.size.html + mail.text.length)
    const longer = await preview({ subject: 'S', source: SOURCE.replace('Hello', 'é'.repeat(1000)) })
    expect(longer.size.html).toBe(mail.size.html - 'Hello'.length + 2000)
    expect(longer.size.message).toBeGreaterThan(mail.size.message + 6000)
  })

  test('does not depend on whether this person’s data makes good links', async () => {
    const mail = await preview({ source: `${SOURCE}<a href="{{attributes.url}}">x</a>` })
    expect(mail.size.html).toBeGreaterThan(0)
  })
})

describe('the page', () => {
  const pathOf = (mail: Preview) => {
    expect(mail.html_url).toMatch(new RegExp(`^${ORIGIN}/preview/[A-Za-z0-9_-]{32}$`))
    return (mail.html_url ?? '').slice(ORIGIN.length)
  }

  test('is the mail’s HTML, apart from every origin, without scripts, cookies or a place in any cache', async () => {
    const mail = await preview()
    const answer = await request<string>(pathOf(mail))
    expect([answer.status, answer.body]).toEqual([200, mail.html])
    const policy = new Map(
      (answer.headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
        const [name = '', ...values] = directive.split(' ')
        return [name, values.join(' ')]
      }),
    )
    expect(Object.fromEntries(policy)).toEqual({
      sandbox: 'allow-popups allow-popups-to-escape-sandbox',
      'default-src': "'none'",
      'img-src': 'https: data:',
      'style-src': "'unsafe-inline'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'self'",
    })
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
    expect(answer.headers.get('x-robots-tag')).toBe('noindex')
    expect(answer.headers.get('set-cookie')).toBeNull()
  })

  test('goes away by itself', async () => {
    const path = pathOf(await preview())
    const [key] = [worker.keys.preview + path.slice('/preview/'.length)]
    const left = await worker.redis.ttl(key)
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(600)
    await worker.redis.del(key)
    const answer = await request<string>(path)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
  })

  test.each(['/preview/short', `/preview/${'a'.repeat(32)}`, `/preview/${'a'.repeat(31)}%2e`, '/preview/'])(
    '%s is none',
    async (path) => {
      expect((await request(path)).status).toBe(404)
    },
  )

  test('of a mail that is too large to be kept is left out', async () => {
    const mail = await preview({
      source: `<p>{{#each attributes.rows}}${'x'.repeat(1000)}{{/each}}</p>`,
      data: { attributes: { rows: Array.from({ length: 1000 }, () => 1) } },
    })
    expect([mail.html.length > 900_000, mail.html_url]).toEqual([true, null])
  })
})

describe('bad input', () => {
  test.each([
    ['2 MB of source', { source: 'x'.repeat(2_000_000) }, 'source'],
    ['2 MB of text', { text_source: 'é'.repeat(1_000_000) }, 'text_source'],
    ['NUL', { source: 'a\u0000b' }, 'source'],
    ['half of a surrogate pair', { source: 'a\ud83db' }, 'source'],
    ['half of a surrogate pair in the text', { text_source: '\udc00' }, 'text_source'],
  ])('%s is refused by name of its field', async (_, fields, field) => {
    for (const path of ['/templates', '/templates/preview']) {
      const body = { ...(path === '/templates' ? { name: 'T' } : {}), format: 'html', source: SOURCE, ...fields }
      const answer = await api.post(path, body)
      expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([422, 'validation_failed', field])
    }
  })

  test.each([
    ['a control character', { source: 'a\nb\u0007' }, { field: 'source', line: 2 }],
    ['a control character in the text', { text_source: 'a\n\u001b[31m' }, { field: 'text_source', line: 2 }],
    ['a tag that never ends', { source: '<p>\n<a href="https://example.com/>x' }, { field: 'source', line: 2 }],
    ['a comment that never ends', { source: '<p>\n<!-- x' }, { field: 'source', line: 2 }],
    ['an unclosed block', { source: '\n{{#each x}}' }, { field: 'source', line: 2 }],
    ['an unknown partial', { source: '\n{{> nothing}}' }, { field: 'source', line: 2 }],
  ])('%s is refused with its line', async (_, fields, expected) => {
    const answer = await api.post('/templates', { name: 'T', format: 'html', source: SOURCE, ...fields })
    expect([answer.status, answer.body.code]).toEqual([422, 'template_invalid'])
    expect(answer.body.errors[0]).toMatchObject(expected)
  })

  test('prototypes in the data of a preview change nothing', async () => {
    const body = `{"format":"html","source":"<p>{{polluted}}{{x.polluted}}|</p>","data":{"x":{"constructor":{"prototype":{"polluted":1}}}}}`
    const answer = await api.post<Preview>('/templates/preview', JSON.parse(body))
    expect(answer.body.html).toContain('<p>|</p>')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
