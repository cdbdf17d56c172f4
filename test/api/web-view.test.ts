import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import { verifyLink, verifyRecipientLink } from '../../src/tokens/link.ts'
import { NOBODY } from '../../src/tokens/nobody.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody } from './client.ts'

const RETIRED = '9:redirect-only:cmV0aXJlZC1rZXktb2YtMzItYnl0ZXMtb3ItbW9yZS4uLi4'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let keys: SigningKeys
beforeAll(async () => {
  const SIGNING_KEYS = `${DEVELOPMENT_SIGNING_KEYS},${RETIRED}`
  worker = await openTestWorker({ LINK_HOSTS: 'partner.example', SIGNING_KEYS })
  api = await openApi(worker)
  keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
})
afterAll(() => worker.close())

const UTM = { source: 'letter', campaign: 'spring & more' }
const SOURCE = `<html><body><p>Dear {{first_name}}, <a href="{{web_view_url}}">look at this mail</a></p>
<a href="https://shop.example/?utm_source=own#top">all</a><a href="https://shop.example/{{attributes.city}}?of={{urlencode email}}">near</a>
{{#if attributes.page}}<a href="{{attributes.page}}">page</a>{{/if}}
<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p></body></html>`

/** A campaign to one person; not sent. */
async function draft(change: object = {}, source = SOURCE) {
  const key = crypto.randomUUID().slice(0, 8)
  const list = await api.post<{ id: number }>('/lists', { name: key })
  const person = await api.post<{ id: number }>('/subscribers', {
    email: `ada-${key}@example.com`,
    first_name: 'Ada <3',
    attributes: { city: 'São Paulo', page: 'https://partner.example/?ada' },
    list_ids: [list.body.id],
    consented_at: '2026-01-01T00:00:00Z',
    consent_source: 'test',
  })
  expect(person.status, JSON.stringify(person.body)).toBe(201)
  const sender = await api.post<{ id: number }>('/senders', {
    name: key,
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme, 1 Main Street',
  })
  const template = await api.post<{ id: number }>('/templates', { name: key, format: 'html', source })
  const content = {
    name: key,
    subject: 'News',
    template_id: template.body.id,
    sender_id: sender.body.id,
    audience: { include: [list.body.id] },
    utm: UTM,
  }
  const campaign = await api.post<{ id: number; utm: object | null }>('/campaigns', { ...content, ...change })
  return { ...campaign, id: campaign.body.id, subscriber_id: person.body.id, email: `ada-${key}@example.com` }
}

async function sent() {
  const campaign = await draft()
  expect((await api.post(`/campaigns/${campaign.id}/send`)).status).toBe(202)
  return { ...campaign, token: await signRecipient(keys, 'view', campaign.id, campaign.subscriber_id) }
}

const view = (token: string) => exports.default.fetch(`https://mail.test/v/${token}`)

describe('utm', () => {
  test('is kept with the campaign, changed, copied and taken away', async () => {
    const { id, body } = await draft()
    expect(body.utm).toEqual(UTM)
    const copy = await api.post<{ utm: object | null }>(`/campaigns/${id}/duplicate`)
    expect(copy.body.utm).toEqual(UTM)
    expect((await api.patch(`/campaigns/${id}`, { utm: { medium: 'email' } })).body).toMatchObject({
      utm: { medium: 'email' },
    })
    expect((await api.patch(`/campaigns/${id}`, { utm: null })).body).toMatchObject({ utm: null })
    expect((await draft({ utm: undefined })).body.utm).toBeNull()
  })

  test.each([
    ['an unknown parameter', { colour: 'red' }, 'utm.colour'],
    ['an empty value', { source: ' ' }, 'utm.source'],
    ['a value that is no text', { source: 7 }, 'utm.source'],
  ])('is refused with %s', async (_, utm, field) => {
    const refused = await draft({ utm })
    expect(refused.status).toBe(422)
    expect((refused.body as unknown as ProblemBody).errors.map((error) => error.field)).toEqual([field])
  })

  test('that makes a link too long keeps the campaign from starting', async () => {
    const source = SOURCE.replace('/?utm_source=own', `/${'a'.repeat(7900)}`)
    const { id } = await draft({ utm: { source: 'é'.repeat(200) } }, source)
    const refused = await api.post<ProblemBody>(`/campaigns/${id}/send`)
    expect([refused.status, refused.body.code]).toEqual([422, 'campaign_not_ready'])
    expect(refused.body.errors.map(({ field }) => field)).toEqual(['utm'])
  })
})

describe('the web view', () => {
  test('shows the mail to its reader, with its links tracked and without the pixel', async () => {
    const { id, subscriber_id, email, token } = await sent()
    const response = await view(token)
    expect(response.status).toBe(200)
    const html = await response.text()
    expect(html).toContain('Dear Ada &lt;3,')
    expect(html).toContain(`<a href="https://mail.test/v/${token}">`)
    expect(html).not.toContain('/t/o/')
    const click = await signRecipient(keys, 'click', id, subscriber_id)
    const [all = '', near = '', page = ''] = Array.from(
      html.matchAll(/href="https:\/\/mail\.test\/t\/c\/([^/"]+)\/([^"]+)"/g),
      ([, token, half]) => {
        expect(token).toBe(click)
        return half
      },
    )
    expect(await verifyLink(keys, all)).toMatchObject({
      campaign_id: id,
      n: 1,
      url: 'https://shop.example/?utm_source=own&utm_campaign=spring%20%26%20more#top',
    })
    const recipient = { campaign_id: id, subscriber_id }
    expect(await verifyRecipientLink(keys, near, recipient)).toMatchObject({
      n: 2,
      url: `https://shop.example/S%C3%A3o%20Paulo?of=${encodeURIComponent(email)}&utm_source=letter&utm_campaign=spring%20%26%20more`,
    })
    expect(await verifyRecipientLink(keys, page, recipient)).toMatchObject({
      n: 3,
      url: 'https://partner.example/?ada&utm_source=letter&utm_campaign=spring%20%26%20more',
    })
    const links = await worker.sql('select n, url from campaign_links where campaign_id = $1 order by n', [id])
    expect(links).toEqual([
      { n: 1, url: 'https://shop.example/?utm_source=own#top' },
      { n: 2, url: 'https://shop.example/{{attributes.city}}?of={{urlencode email}}' },
      { n: 3, url: '{{attributes.page}}' },
    ])
  })

  test('may look as it likes and do nothing, and is kept and indexed nowhere', async () => {
    const { headers } = await view((await sent()).token)
    expect(headers.get('Content-Type')).toBe('text/html; charset=utf-8')
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(headers.get('X-Robots-Tag')).toBe('noindex')
    expect(headers.get('Referrer-Policy')).toBe('no-referrer')
    const policy = headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(/^sandbox allow-popups allow-popups-to-escape-sandbox;/)
    expect(policy).not.toContain('script')
  })

  test('shows what is known of the reader now, and what the campaign was', async () => {
    const { id, subscriber_id, token } = await sent()
    await api.patch(`/subscribers/${subscriber_id}`, { first_name: 'Grace' })
    const { body } = await api.get<{ template_id: number }>(`/campaigns/${id}`)
    await api.patch(`/templates/${body.template_id}`, { source: '<p>other</p>' })
    const html = await (await view(token)).text()
    expect(html).toContain('Dear Grace,')
    expect(html).not.toContain('other')
  })

  test('of a deleted reader is gone', async () => {
    const { subscriber_id, token } = await sent()
    expect((await api.delete(`/subscribers/${subscriber_id}`)).status).toBe(204)
    const response = await view(token)
    expect(response.status).toBe(410)
    expect(await response.text()).toContain('no longer available')
  })

  test('that today’s data cannot fill in is gone', async () => {
    const { subscriber_id, token } = await sent()
    await api.patch(`/subscribers/${subscriber_id}`, { attributes: { page: 'no address' } })
    expect((await view(token)).status).toBe(410)
  })

  test('of a draft is not there, of a test mail says so', async () => {
    const { id, subscriber_id } = await draft()
    expect((await view(await signRecipient(keys, 'view', id, subscriber_id))).status).toBe(410)
    const test = await view(await signRecipient(keys, 'view', id, NOBODY))
    expect(test.status).toBe(200)
    expect(await test.text()).toContain('This was a test email')
  })

  test('signed with a key that is retired shows nothing', async () => {
    const { id, subscriber_id } = await sent()
    const retired = await parseSigningKeys(RETIRED.replace('redirect-only', 'signing'))
    const response = await view(await signRecipient(retired, 'view', id, subscriber_id))
    expect(response.status).toBe(410)
    expect(await response.text()).not.toContain('Ada')
  })

  test('opens with its own token only', async () => {
    const { id, subscriber_id, token } = await sent()
    const others = await Promise.all(
      (['open', 'click', 'unsubscribe'] as const).map((purpose) => signRecipient(keys, purpose, id, subscriber_id)),
    )
    for (let at = 0; at < token.length; at += 3) {
      others.push(token.slice(0, at) + (token[at] === 'B' ? 'C' : 'B') + token.slice(at + 1))
    }
    for (const bad of [...others, token.slice(1), 'x']) {
      const response = await view(bad)
      expect(response.status, bad).toBe(404)
      expect(await response.text()).toContain('This link is broken')
    }
  })
})

test('a link that leads somebody of the audience nowhere keeps the campaign from starting', async () => {
  const source = SOURCE.replace(/\{\{#if attributes\.page\}\}|\{\{\/if\}\}/g, '')
  const { id, subscriber_id } = await draft({}, source)
  await api.patch(`/subscribers/${subscriber_id}`, { attributes: { page: 'no address' } })
  const refused = await api.post<ProblemBody>(`/campaigns/${id}/send`)
  expect([refused.status, refused.body.code]).toEqual([422, 'campaign_not_ready'])
  expect(refused.body.detail).toContain(`subscriber ${subscriber_id}: html: link 3 leads nowhere`)
  await api.patch(`/subscribers/${subscriber_id}`, { attributes: { page: 'https://anywhere.example' } })
  expect((await api.post(`/campaigns/${id}/send`)).status).toBe(202)
})
