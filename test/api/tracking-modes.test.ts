import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drainEvents } from '../../src/events/drain.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys } from '../../src/tokens/keys.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { route } from '../../src/tracking/routes.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { ORIGIN, openApi, type ProblemBody } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker({ SENDING: 'off' })
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Modes {
  id: number
  track_opens: string | null
  track_clicks: string | null
}

const SOURCE = `<html><body><p>Hi <a href="https://shop.example/">all</a> <a href="https://shop.example/{{attributes.city}}">near</a></p>
<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></p></body></html>`

/** What a draft needs, and one subscriber on its list. */
async function content() {
  const key = crypto.randomUUID().slice(0, 8)
  const list = await api.post<{ id: number }>('/lists', { name: key })
  const person = await api.post<{ id: number }>('/subscribers', {
    email: `ada-${key}@example.com`,
    attributes: { city: 'x' },
    list_ids: [list.body.id],
    consented_at: '2026-01-01T00:00:00Z',
    consent_source: 'test',
  })
  const sender = await api.post<{ id: number }>('/senders', {
    name: key,
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme GmbH, Hauptstraße 1, 10115 Berlin',
  })
  const template = await api.post<{ id: number }>('/templates', { name: key, format: 'html', source: SOURCE })
  const audience = { include: [list.body.id] }
  const fields = { name: key, subject: 'News', template_id: template.body.id, sender_id: sender.body.id, audience }
  return { fields, subscriber_id: person.body.id }
}

test('a campaign says what is kept of opens and clicks, or leaves it to the settings', async () => {
  const { fields } = await content()
  const plain = await api.post<Modes>('/campaigns', fields)
  expect([plain.status, plain.body.track_opens, plain.body.track_clicks]).toEqual([201, null, null])
  const { id } = plain.body
  const changed = await api.patch<Modes>(`/campaigns/${id}`, { track_opens: 'none', track_clicks: 'aggregate' })
  expect(changed.body).toMatchObject({ track_opens: 'none', track_clicks: 'aggregate' })
  expect((await api.get<Modes>(`/campaigns/${id}`)).body).toMatchObject({
    track_opens: 'none',
    track_clicks: 'aggregate',
  })
  const copy = await api.post<Modes>(`/campaigns/${id}/duplicate`)
  expect(copy.body).toMatchObject({ track_opens: 'none', track_clicks: 'aggregate' })
  const back = await api.patch<Modes>(`/campaigns/${id}`, { track_opens: null })
  expect(back.body).toMatchObject({ track_opens: null, track_clicks: 'aggregate' })
  for (const bad of ['all', '', true, 1]) {
    const refused = await api.patch<ProblemBody>(`/campaigns/${id}`, { track_clicks: bad })
    expect([refused.status, refused.body.errors.map(({ field }) => field)]).toEqual([422, ['track_clicks']])
  }
  expect((await api.get<Modes>(`/campaigns/${id}`)).body).toMatchObject({
    track_opens: null,
    track_clicks: 'aggregate',
  })
})

test('the settings hold for campaigns that do not say, as they are at the start', async () => {
  const { fields } = await content()
  const before = await api.get<Modes>('/settings')
  expect(before.body).toMatchObject({ track_opens: 'individual', track_clicks: 'individual' })
  const set = await api.put<Modes>('/settings', { track_opens: 'none' })
  expect(set.body).toMatchObject({ track_opens: 'none', track_clicks: 'individual' })
  for (const bad of [null, 'off']) {
    const refused = await api.put<ProblemBody>('/settings', { track_opens: bad })
    expect([refused.status, refused.body.errors.map(({ field }) => field)]).toEqual([422, ['track_opens']])
  }
  const { body } = await api.post<Modes>('/campaigns', { ...fields, track_clicks: 'none' })
  expect((await api.post(`/campaigns/${body.id}/send`)).status).toBe(202)
  await api.put('/settings', { track_opens: 'individual' })
  const kept = await worker.sql(
    `select snapshot ->> 'track_opens' as opens, snapshot ->> 'track_clicks' as clicks, track_opens from campaigns where id = $1`,
    [body.id],
  )
  expect(kept).toEqual([{ opens: 'none', clicks: 'none', track_opens: null }])
})

test('what a mode leaves out is warned of before', async () => {
  const { fields } = await content()
  const found = async (change: object) => {
    const { body } = await api.post<Modes>('/campaigns', { ...fields, utm: { source: 'letter' }, ...change })
    const check = await api.post<{ warnings: { code: string; field: string }[] }>(`/campaigns/${body.id}/check`)
    return check.body.warnings
      .filter(({ code }) => code === 'untracked_link' || code === 'utm_unused')
      .map(({ code, field }) => [code, field])
  }
  expect(await found({})).toEqual([])
  expect(await found({ track_clicks: 'aggregate' })).toEqual([['untracked_link', 'track_clicks']])
  expect(await found({ track_clicks: 'none' })).toEqual([['utm_unused', 'utm']])
})

test('a click that is counted without saying who: from the mail to the numbers', async () => {
  const { fields, subscriber_id } = await content()
  const { body } = await api.post<Modes>('/campaigns', { ...fields, track_clicks: 'aggregate' })
  expect((await api.post(`/campaigns/${body.id}/send`)).status).toBe(202)
  const keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
  const token = await signRecipient(keys, 'view', body.id, subscriber_id)
  const html = await (await exports.default.fetch(`${ORIGIN}/v/${token}`)).text()
  const [link = '', ...others] = Array.from(html.matchAll(/https:\/\/mail\.test\/t\/c\/[^"]+/g), ([url]) => url)
  // The link with variables is the reader's own, so it is not tracked.
  expect(others).toEqual([])
  const kept: Promise<unknown>[] = []
  const unused = () => Promise.reject(new Error('Redis can be written'))
  const services = {
    ...{ signing_keys: keys, redis: worker.redis, redis_keys: worker.keys, gathering: {}, now: () => new Date() },
    ...{ events: { send: unused, sendBatch: unused }, eventId: () => crypto.randomUUID(), public_url: '' },
  }
  for (let visit = 0; visit < 2; visit++) {
    const waiting = { waitUntil: (work: Promise<unknown>) => void kept.push(work) }
    const response = await route(new Request(link), async () => services, waiting)
    expect([response.status, response.headers.get('location')]).toEqual([302, 'https://shop.example/'])
  }
  await Promise.all(kept)
  const options = { until: Date.now() + 60_000, now: () => new Date(), onFlushed: async () => {} }
  expect(await drainEvents(worker.db, worker.redis, worker.keys, options)).toMatchObject({
    inserted: 2,
    quarantined: 0,
  })
  expect(
    await worker.sql('select distinct kind, subscriber_id from campaign_events where campaign_id = $1', [body.id]),
  ).toEqual([{ kind: 'click', subscriber_id: null }])
  expect(
    await worker.sql(
      `select s.clicks, s.unique_clicks, (select count(*)::int from recipient_stats r where r.campaign_id = s.campaign_id) as known
        from campaign_stats s where campaign_id = $1`,
      [body.id],
    ),
  ).toEqual([{ clicks: 2, unique_clicks: 0, known: 0 }])
})
