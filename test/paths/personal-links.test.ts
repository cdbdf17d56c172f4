// A campaign whose links are made of each reader's data, from the API to the redirect, through a real mail server.
import { simpleParser } from 'mailparser'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, openInstallation, until } from '../support/installation.ts'

let i: Installation
const mails = new Map<string, string>()
beforeAll(async () => {
  i = await openInstallation({ LINK_HOSTS: '*.partner.example' })
  i.sink.onMail = (_, to, source) => {
    mails.set(to, source)
    return undefined
  }
}, 180_000)
afterAll(() => i?.close())

const SOURCE = `<html><body><!--[if mso]><v:roundrect href="https://shop.example/offers/{{attributes.plan}}"></v:roundrect><![endif]-->
<a href="https://shop.example/for/{{attributes.plan}}?mail={{urlencode email}}">yours</a>
<a href="{{attributes.page}}">page</a> <a href="https://shop.example/same">same</a>
<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a> <a href="{{web_view_url}}">View</a>
<a href="{{preferences_url}}">Choose</a></p></body></html>`

interface Person {
  email: string
  attributes: { plan: string; page: string }
}

async function campaignTo(people: Person[]) {
  const key = crypto.randomUUID().slice(0, 8)
  const list = await i.api.post<{ id: number }>('/lists', { name: key })
  await i.api.post('/subscribers/bulk', {
    subscribers: people.map((person) => ({
      ...person,
      list_ids: [list.id],
      consented_at: '2026-01-01T00:00:00Z',
      consent_source: 'test',
    })),
  })
  const sender = await i.api.post<{ id: number }>('/senders', {
    name: key,
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme, 1 Main Street, Springfield',
  })
  const template = await i.api.post<{ id: number }>('/templates', { name: key, format: 'html', source: SOURCE })
  return i.api.post<{ id: number }>('/campaigns', {
    name: key,
    subject: 'Hello',
    template_id: template.id,
    sender_id: sender.id,
    audience: { include: [list.id] },
    utm: { source: 'mail' },
  })
}

const follow = async (url: string) => {
  const response = await fetch(url, { redirect: 'manual' })
  return [response.status, response.headers.get('location')]
}

async function linksOf(email: string) {
  const { html, text } = await simpleParser(mails.get(email) ?? '')
  const hrefs = Array.from(String(html).matchAll(/ href="([^"]+)"/g), ([, href = '']) => href)
  return { hrefs, text: text ?? '' }
}

test('each reader gets links of their own, which redirect for them only and are counted', async () => {
  const ada = { email: 'ada@example.com', attributes: { plan: 'a/b "c" é', page: 'https://www.partner.example/ada' } }
  const bob = { email: 'bob@example.com', attributes: { plan: 'free', page: 'https://elsewhere.example/bob' } }
  const { id } = await campaignTo([ada, bob])
  await i.api.post(`/campaigns/${id}/send`, undefined)
  await until(
    () => i.api.get<{ status: string }>(`/campaigns/${id}`),
    ({ status }) => status === 'sent',
  )

  const own = await linksOf(ada.email)
  const [offer = '', yours = '', page = '', same = '', , view = ''] = own.hrefs
  const encoded = 'a/b%20%22c%22%20%C3%A9'
  expect(await follow(offer)).toEqual([302, `https://shop.example/offers/${encoded}?utm_source=mail`])
  const target = `https://shop.example/for/${encoded}?mail=ada%40example.com&utm_source=mail`
  expect(await follow(yours)).toEqual([302, target])
  expect(await follow(page)).toEqual([302, 'https://www.partner.example/ada?utm_source=mail'])
  expect(await follow(same)).toEqual([302, 'https://shop.example/same?utm_source=mail'])
  expect(own.text).toContain(`yours (${yours})`)

  // A host that nobody allowed is not redirected to: it stands as it is.
  const other = await linksOf(bob.email)
  expect(other.hrefs[2]).toBe('https://elsewhere.example/bob')
  const [, , , theirs = ''] = new URL(other.hrefs[1] ?? '').pathname.split('/')
  const foreign = yours.replace(/\/t\/c\/[^/]+\//, `/t/c/${theirs}/`)
  expect((await follow(foreign))[0]).toBe(404)

  const web = await (await fetch(view)).text()
  expect(web).toContain(yours)
  expect(web).not.toContain('/t/o/')

  await until(
    async () => {
      await i.tick()
      return i.sql(
        `select link, count(*)::int as clicks from campaign_events where campaign_id = $1 and kind = 'click' group by link order by link`,
        [id],
      )
    },
    (rows) => rows.length === 4,
  )
})

test('a reader goes from their mail to their preferences, and by mails of their own to their data and to its end', async () => {
  const carol = { email: 'carol@example.com', attributes: { plan: 'free', page: 'https://www.partner.example/carol' } }
  const { id } = await campaignTo([carol])
  await i.api.post(`/campaigns/${id}/send`, undefined)
  await until(
    () => mails.has(carol.email),
    (arrived) => arrived,
  )
  const preferences = (await linksOf(carol.email)).hrefs.at(-1) ?? ''
  const ask = async (what: string) => {
    mails.delete(carol.email)
    const body = new URLSearchParams({ ask: what })
    expect((await fetch(preferences, { method: 'POST', body })).status).toBe(200)
    const source = await until(
      () => mails.get(carol.email),
      (mail) => mail !== undefined,
    )
    const mail = await simpleParser(source ?? '')
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
    expect(mail.from?.value).toEqual([{ address: 'news@acme.example', name: 'Acme' }])
    return /^http:\S+\/data\/\S+$/m.exec(mail.text ?? '')?.[0] ?? ''
  }

  const file = await ask('export')
  expect(await (await fetch(file)).text()).toContain('Get the file')
  const data = (await (await fetch(file, { method: 'POST' })).json()) as { profile: object; mails: object[] }
  expect(data.profile).toMatchObject(carol)
  expect(data.mails).toMatchObject([{ campaign_id: id, state: 'sent' }])

  const erase = await ask('erase')
  expect(await (await fetch(erase)).text()).toContain('Erase everything about me')
  expect(await (await fetch(erase, { method: 'POST' })).text()).toContain('Your data is erased')
  for (const url of [preferences, file, erase]) expect((await fetch(url)).status).toBe(410)
  expect(await i.sql('select from subscribers where email = $1', [carol.email])).toEqual([])
})

test('a reader whose link would lead nowhere is failed with the reason; nobody gets a broken one', async () => {
  // One in more than a hundred: the start lets it pass with a warning.
  const fine = Array.from({ length: 110 }, (_, n) => ({
    email: `fine-${n}@example.com`,
    attributes: { plan: 'x', page: 'https://a.partner.example' },
  }))
  const { id } = await campaignTo([
    { email: 'nowhere@example.com', attributes: { plan: 'x', page: 'www.partner.example' } },
    ...fine,
  ])
  await i.api.post(`/campaigns/${id}/send`, undefined)
  const { data } = await until(
    () => i.api.get<{ data: { email: string; reason: string }[] }>(`/campaigns/${id}/deliveries?state=failed`),
    ({ data }) => data.length > 0,
  )
  expect(data).toMatchObject([{ email: 'nowhere@example.com' }])
  expect(JSON.stringify(data)).toContain('link 3 leads nowhere')
  expect(mails.has('nowhere@example.com')).toBe(false)
})
