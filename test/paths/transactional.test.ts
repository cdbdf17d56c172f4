// The lane for single mails, on the three Workers as they run, while a campaign fills the other one. Locally each queue
// has one batch at a time and different queues run side by side: so this shows that a test mail waits neither for the
// campaign's queue nor for its connections, not how Cloudflare shares its machines between consumers.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installation, openInstallation, until } from '../support/installation.ts'

let i: Installation
beforeAll(async () => {
  i = await openInstallation()
}, 180_000)
afterAll(() => i?.close())

/** Recipients of the campaign under way. */
const SIZE = 2000
/** Connections of the account, and mails of a batch: what may be on the wire before a mail that goes ahead. */
const CONNECTIONS = 4
const BATCH = 100

interface TestSend {
  id: number
  mails: { email: string; state: string; reason: string | null; answer: string | null }[]
}

async function campaignFor(emails: readonly string[]) {
  const key = crypto.randomUUID().slice(0, 8)
  const list = await i.api.post<{ id: number }>('/lists', { name: `List ${key}` })
  for (let at = 0; at < emails.length; at += 500) {
    await i.api.post('/subscribers/bulk', {
      subscribers: emails.slice(at, at + 500).map((email) => ({
        email,
        list_ids: [list.id],
        consented_at: '2026-01-01T00:00:00Z',
        consent_source: 'test',
      })),
    })
  }
  const sender = await i.api.post<{ id: number }>('/senders', {
    name: `Sender ${key}`,
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme, 1 Main Street',
  })
  const template = await i.api.post<{ id: number }>('/templates', {
    name: key,
    format: 'html',
    source: `<p>Hello <a href="https://example.com/a">read</a></p>
      <p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p>`,
  })
  const campaign = await i.api.post<{ id: number }>('/campaigns', {
    name: key,
    subject: 'Hello',
    template_id: template.id,
    sender_id: sender.id,
    audience: { include: [list.id] },
  })
  return campaign.id
}

const ended = (id: number) =>
  until(
    () => i.api.get<TestSend>(`/test-sends/${id}`),
    ({ mails }) => mails.every(({ state }) => !['queued', 'sending'].includes(state)),
  )

test('a test mail overtakes a campaign that is under way to a slow server, on the same account', async () => {
  const id = await campaignFor(Array.from({ length: SIZE }, (_, nth) => `reader-${nth}@example.com`))
  // Slow enough that the campaign is far from its end when the test is asked for.
  i.sink.delay = 20
  await i.api.post(`/campaigns/${id}/send`, undefined)
  await until(
    () => i.sink.accepted.length,
    (got) => got >= 50,
  )
  const recipients = ['boss@acme.example', 'qa@acme.example']
  const { id: test_id } = await i.api.post<TestSend>(`/campaigns/${id}/test`, { recipients })
  const asked_at = i.sink.accepted.length
  const { mails } = await ended(test_id)
  expect(mails.map(({ email, state }) => [email, state])).toEqual(recipients.map((email) => [email, 'sent']))
  i.sink.delay = 0
  await until(
    () => i.sink.accepted.length,
    (got) => got >= SIZE + recipients.length,
  )
  const order = i.sink.accepted.map(({ to }) => to)
  for (const recipient of recipients) {
    const place = order.indexOf(recipient)
    expect(order.lastIndexOf(recipient)).toBe(place)
    // At most the batches that had the account's connections, and those that followed on the others.
    expect(place).toBeLessThan(asked_at + 2 * CONNECTIONS * BATCH)
    expect(place).toBeLessThan(SIZE - 2 * BATCH)
  }
  expect(new Set(order).size).toBe(order.length)
})

test('what is done with a test mail counts nowhere, and unsubscribes nobody', async () => {
  const id = await campaignFor(['reader@example.com'])
  const { id: test_id } = await i.api.post<TestSend>(`/campaigns/${id}/test`, { recipients: ['reader@example.com'] })
  expect((await ended(test_id)).mails[0]).toMatchObject({
    state: 'sent',
    reason: null,
    answer: expect.stringMatching(/^250/),
  })
  const mail = i.sink.accepted.findLast(({ to }) => to === 'reader@example.com')
  const left = await fetch(mail?.unsubscribe_url ?? 'none', {
    method: 'POST',
    body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
  })
  expect([left.status, await left.text()]).toEqual([200, expect.stringContaining('This was a test mail')])
  expect(await i.redis.exists(i.keys.events, ...i.keys.event_shards)).toBe(0)
  await i.api.post(`/campaigns/${id}/send`, undefined)
  await until(
    () => i.api.get<{ status: string }>(`/campaigns/${id}`),
    ({ status }) => status === 'sent',
  )
  expect(i.sink.accepted.filter(({ to }) => to === 'reader@example.com')).toHaveLength(2)
  const stats = await i.api.get<{ deliveries: object; opens: number; clicks: number; unsubscribes: number }>(
    `/campaigns/${id}/stats`,
  )
  expect(stats).toMatchObject({ deliveries: { audience: 1, sent: 1 }, opens: 0, clicks: 0, unsubscribes: 0 })
})

test('from a public form to the next campaign: the mail that asks, the press of its button, the audience', async () => {
  const campaign_id = await campaignFor(['somebody-else@example.com'])
  const { audience } = await i.api.get<{ audience: { include: number[] } }>(`/campaigns/${campaign_id}`)
  const list = Number(audience.include[0])
  const [sender] = await i.sql<{ id: number }>('select max(id)::int as id from senders')
  await i.api.patch(`/lists/${list}`, { visibility: 'public', consent_wording: 'Yes', sender_id: sender?.id })
  const arrived: string[] = []
  i.sink.onMail = (_, to, source) => {
    if (to === 'new@example.com') arrived.push(source)
    return undefined
  }
  const form = await fetch(`${i.api_url}/subscribe/${list}`, { headers: { accept: 'text/html' } })
  expect(await form.text()).toContain(`name="list" value="${list}"`)
  const taken = await fetch(`${i.api_url}/subscribe`, {
    method: 'POST',
    headers: { accept: 'text/html', 'accept-language': 'de' },
    body: new URLSearchParams({ email: 'new@example.com', list: String(list), website: '' }),
  })
  expect([taken.status, await taken.text()]).toEqual([200, expect.stringContaining('new@example.com')])
  const [source = ''] = await until(
    () => arrived,
    ({ length }) => length > 0,
  )
  expect(source).toMatch(/^Auto-Submitted: auto-generated\r$/m)
  expect(source).not.toMatch(/^List-Unsubscribe/im)
  const link = /http:\/\/127\.0\.0\.1:\d+\/confirm\/[\w-]+/.exec(source.replaceAll('=\r\n', ''))?.[0] ?? 'none'
  expect((await fetch(link)).status).toBe(200)
  const before = await i.api.get<{ subscribed: number }>(`/lists/${list}`)
  expect(before.subscribed).toBe(1)
  const confirmed = await fetch(link, { method: 'POST' })
  expect([confirmed.status, await confirmed.text()]).toEqual([200, expect.stringContaining('Sie sind angemeldet')])

  await i.api.post(`/campaigns/${campaign_id}/send`, undefined)
  await until(
    () => i.sink.accepted.filter(({ to }) => to === 'new@example.com').length,
    (got) => got === 2,
  )
})
