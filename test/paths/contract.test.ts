// The delivery contract, sentence by sentence, on the three Workers as they run: a real mail server counts what went out.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Installation, openInstallation, until } from '../support/installation.ts'

/** Recipients marked together (SEND_SETTINGS), and connections of one invocation: the contract's bounds. */
const GROUP = 10
const CONNECTIONS = 4

let i: Installation
beforeAll(async () => {
  // Short times, so that a dead sender's lease ends while one waits.
  const times = { group_size: GROUP, group_seconds: 4, lease_seconds: 5, run_seconds: 60 }
  i = await openInstallation({ SEND_SETTINGS: JSON.stringify(times) })
}, 180_000)
afterAll(() => i?.close())
beforeEach(() => {
  i.sink.accepted = []
  i.sink.delay = 0
  i.sink.onMail = () => undefined
})

interface Sums {
  audience: number
  open: number
  sent: number
  failed: number
  skipped: number
  unconfirmed: number
}
interface Campaign {
  id: number
  status: string
  status_reason: string | null
  audience_frozen: boolean
  deliveries: Sums
}

const SOURCE = `<p>Hello {{first_name}} <a href="https://example.com/a">read</a></p>
<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p>`

/** Lists hold what their campaign needs and nothing else. */
async function prepare(size: number, address = (nth: number, key: string) => `p${nth}-${key}@example.com`) {
  const key = crypto.randomUUID().slice(0, 8)
  const list = await i.api.post<{ id: number }>('/lists', { name: `List ${key}` })
  const emails = Array.from({ length: size }, (_, nth) => address(nth, key))
  for (let at = 0; at < size; at += 500) {
    await i.api.post('/subscribers/bulk', {
      subscribers: emails.slice(at, at + 500).map((email) => ({
        email,
        first_name: 'Ada',
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
    postal_address: 'Acme, 1 Main Street, Springfield',
  })
  const template = await i.api.post<{ id: number }>('/templates', { name: key, format: 'html', source: SOURCE })
  const campaign = await i.api.post<Campaign>('/campaigns', {
    name: key,
    subject: 'Hello',
    template_id: template.id,
    sender_id: sender.id,
    audience: { include: [list.id] },
  })
  return { id: campaign.id, list_id: list.id, emails }
}

const send = (id: number) => i.api.post(`/campaigns/${id}/send`, undefined)
const read = (id: number) => i.api.get<Campaign>(`/campaigns/${id}`)
const ended = (id: number) =>
  until(
    () => read(id),
    ({ status }) => status === 'sent',
  )
const outstanding = (id: number, n: number) =>
  until(
    () => i.sink.accepted.length,
    (got) => got >= n,
  ).then(() => read(id))

/** Lets the time pass after which cron must look at a campaign's batches again. */
async function laterOn(id: number) {
  await i.sql(
    `update batches set due_at = now() - interval '1 second',
       lease_until = case when lease_until is not null then now() - interval '1 second' end
     where campaign_id = $1 and open > 0`,
    [id],
  )
  await i.sql(`update deliveries set next_attempt_at = now() where campaign_id = $1 and state = 'deferred'`, [id])
  await i.tick()
}

async function states(id: number) {
  const rows = await i.sql<{ email: string; state: string; reason: string | null }>(
    `select s.email, d.state, d.reason from deliveries d join subscribers s on s.id = d.subscriber_id
     where d.campaign_id = $1`,
    [id],
  )
  return new Map(rows.map((row) => [row.email, row]))
}

function expectSums({ deliveries: d }: Campaign) {
  expect(d.open + d.sent + d.failed + d.skipped + d.unconfirmed).toBe(d.audience)
}

const twice = () => {
  const seen = new Set<string>()
  return i.sink.accepted.map(({ to }) => to).filter((to) => seen.has(to) || !seen.add(to))
}

test('Every recipient of the frozen audience ends as exactly one of sent, failed, skipped (each with its reason) or unconfirmed; together with the open rows they always sum to the audience, and the campaign is sent only when the freeze is complete and no batch has open rows.', async () => {
  const { id, emails } = await prepare(250)
  i.sink.delay = 2
  i.sink.onMail = (_, to) => (to.startsWith('p7') ? 550 : to.startsWith('p8-') ? 451 : undefined)
  const gone = emails.slice(0, 3)
  await send(id)
  for (const email of gone) await i.api.post('/suppressions', { suppressions: [{ kind: 'address', value: email }] })
  const seen: Campaign[] = []
  await until(
    async () => {
      const campaign = await read(id)
      seen.push(campaign)
      return campaign.deliveries
    },
    (d) => d.audience === 250 && d.open <= 1,
  )
  // One is deferred: the campaign is not over.
  expect((await read(id)).status).toBe('sending')
  i.sink.onMail = () => undefined
  await laterOn(id)
  seen.push(await ended(id))
  for (const campaign of seen) {
    expectSums(campaign)
    if (campaign.status === 'sent') expect([campaign.audience_frozen, campaign.deliveries.open]).toEqual([true, 0])
  }
  for (const { email, state, reason } of (await states(id)).values()) {
    expect(['sent', 'failed', 'skipped', 'unconfirmed']).toContain(state)
    if (state !== 'sent') expect([email, reason]).toEqual([email, expect.any(String)])
    if (email.startsWith('p7')) expect(state).toBe('failed')
  }
  expect(twice()).toEqual([])
  expect(seen.at(-1)?.deliveries.failed).toBe(11)
})

test('The system never sends a campaign twice to anyone on its own. If a sender dies between a group’s mark and its record, those rows (at most one group per open connection) become unconfirmed: they are never sent again blindly. Evidence (delivered, opened, clicked, bounced) turns them into sent; otherwise the owner resolves them (resend or accept).', async () => {
  const { id, emails } = await prepare(400)
  i.sink.delay = 15
  await send(id)
  await outstanding(id, 90)
  await i.kill()
  const before = i.sink.accepted.length
  expect(before).toBeLessThan(400)
  i.sink.delay = 0
  await i.start()
  await laterOn(id)
  const campaign = await ended(id)
  expect(twice()).toEqual([])
  expectSums(campaign)
  expect(campaign.deliveries.unconfirmed).toBeGreaterThan(0)
  expect(campaign.deliveries.unconfirmed).toBeLessThanOrEqual(GROUP * CONNECTIONS)
  // Whoever got it is sent or unconfirmed; whoever is sent got it.
  const ledger = await states(id)
  const got = new Set(i.sink.accepted.map(({ to }) => to))
  for (const email of emails) {
    const state = ledger.get(email)?.state
    if (state === 'sent') expect(got.has(email)).toBe(true)
    else expect([email, state]).toEqual([email, 'unconfirmed'])
  }
  // Evidence: somebody whose row is unconfirmed opens the mail all the same.
  const unsure = i.sink.accepted.find(({ to }) => ledger.get(to)?.state === 'unconfirmed')
  if (unsure) {
    await fetch(unsure.unsubscribe_url, { method: 'POST', body: 'List-Unsubscribe=One-Click', headers: FORM })
    await i.tick()
    expect((await states(id)).get(unsure.to)?.state).toBe('sent')
  }
  const left = (await read(id)).deliveries.unconfirmed
  const accepted = await i.api.post<{ changed: number }>(`/campaigns/${id}/resolve-unconfirmed`, { as: 'accept' })
  expect(accepted.changed).toBe(left)
  expect((await read(id)).deliveries).toMatchObject({ sent: 400, unconfirmed: 0, open: 0 })
})

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

test('The queue may lose, repeat, delay or reorder anything: the database is the record.', async () => {
  const { id, emails } = await prepare(350)
  i.sink.delay = 5
  await send(id)
  await outstanding(id, 20)
  // Loses: every message in the queues is gone with the process. Repeats: cron sends all pointers, twice over.
  await i.kill()
  await i.start()
  await laterOn(id)
  await laterOn(id)
  const campaign = await ended(id)
  expect(twice()).toEqual([])
  expectSums(campaign)
  const ledger = await states(id)
  expect(ledger.size).toBe(emails.length)
})

test('Pause, resume and cancel act between groups: a pause lets at most one group per open connection out.', async () => {
  const { id } = await prepare(400)
  i.sink.delay = 20
  await send(id)
  await outstanding(id, 40)
  await i.api.post(`/campaigns/${id}/pause`, undefined)
  const at_pause = i.sink.accepted.length
  await until(
    async () => (await i.sql(`select 1 from deliveries where campaign_id = $1 and state = 'sending'`, [id])).length,
    (n) => n === 0,
  )
  const after_pause = i.sink.accepted.length
  expect(after_pause - at_pause).toBeLessThanOrEqual(GROUP * CONNECTIONS)
  const paused = await read(id)
  expect(paused.deliveries.sent).toBe(after_pause)
  await i.tick()
  expect(i.sink.accepted.length).toBe(after_pause)

  await i.api.post(`/campaigns/${id}/resume`, undefined)
  await outstanding(id, after_pause + 60)
  await i.api.post(`/campaigns/${id}/cancel`, undefined)
  const at_cancel = i.sink.accepted.length
  await until(
    async () => (await i.sql(`select 1 from deliveries where campaign_id = $1 and state = 'sending'`, [id])).length,
    (n) => n === 0,
  )
  await laterOn(id)
  const campaign = await read(id)
  expect(campaign.status).toBe('cancelled')
  expect(i.sink.accepted.length - at_cancel).toBeLessThanOrEqual(GROUP * CONNECTIONS)
  expect(campaign.deliveries.open).toBe(400 - i.sink.accepted.length)
  expect(twice()).toEqual([])
})

test('An unsubscribe that was confirmed to the reader is durable and honoured by the next claim, also while Postgres is down.', async () => {
  const first = await prepare(3)
  await send(first.id)
  await ended(first.id)
  const [leaver, loser, stayer] = i.sink.accepted
  if (!leaver || !loser || !stayer) throw new Error('three mails were to arrive')

  i.postgres.cut()
  const confirmed = await fetch(leaver.unsubscribe_url, {
    method: 'POST',
    body: 'List-Unsubscribe=One-Click',
    headers: FORM,
  })
  expect(confirmed.status).toBe(200)
  i.postgres.mend()

  // A second campaign to the same list, claimed before any flush.
  const copy = await i.api.post<Campaign>(`/campaigns/${first.id}/duplicate`, undefined)
  i.sink.accepted = []
  await send(copy.id)
  await until(
    () => read(copy.id),
    ({ deliveries }) => deliveries.sent === 2,
  )
  expect(i.sink.accepted.map(({ to }) => to).sort()).toEqual([loser.to, stayer.to].sort())
  // The flush tells SQL; the row held back is then skipped for good.
  await i.tick()
  await laterOn(copy.id)
  await ended(copy.id)
  expect((await states(copy.id)).get(leaver.to)).toMatchObject({ state: 'skipped', reason: 'unsubscribed' })
  expect(i.sink.accepted).toHaveLength(2)
})

test('Message-ID is derived from campaign and subscriber.', async () => {
  const { id } = await prepare(2)
  let refusals = 0
  i.sink.onMail = () => (refusals++ < 2 ? 451 : undefined)
  await send(id)
  await until(
    () => read(id),
    ({ deliveries }) => deliveries.audience === 2,
  )
  await until(
    () => refusals,
    (n) => n >= 2,
  )
  await until(
    async () => (await i.sql(`select 1 from deliveries where campaign_id = $1 and state = 'deferred'`, [id])).length,
    (n) => n === 2,
  )
  await laterOn(id)
  await ended(id)
  const rows = await i.sql<{ email: string; id: string }>(
    'select s.email, s.id from deliveries d join subscribers s on s.id = d.subscriber_id where d.campaign_id = $1',
    [id],
  )
  for (const row of rows) {
    const mail = i.sink.accepted.find(({ to }) => to === row.email)
    expect(mail?.message_id).toBe(`campaign-${id}.${row.id}@acme.example`)
  }
})
