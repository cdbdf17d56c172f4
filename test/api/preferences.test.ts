import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import { signMailToken } from '../../src/tokens/mail-token.ts'
import { ANYBODY, NOBODY } from '../../src/tokens/nobody.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { signTimed } from '../../src/tokens/timed.ts'
import { bufferUnsubscribe } from '../../src/tracking/buffer.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

/** Key 1 is retired; what it signed still leaves, and shows nothing. */
const RETIRED = '9:redirect-only:cmV0aXJlZC1rZXktb2YtMzItYnl0ZXMtb3ItbW9yZS4uLi4'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let keys: SigningKeys
let retired: SigningKeys
beforeAll(async () => {
  worker = await openTestWorker({ SIGNING_KEYS: `${DEVELOPMENT_SIGNING_KEYS},${RETIRED}` })
  api = await openApi(worker)
  keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
  retired = await parseSigningKeys(RETIRED.replace('redirect-only', 'signing'))
})
afterAll(() => worker.close())

const CAMPAIGN = 7
let counter = 0

async function newList(fields: object = {}): Promise<number> {
  const defaults = { visibility: 'public', opt_in: 'single', consent_wording: 'I agree to get this list.' }
  const { status, body } = await api.post<{ id: number }>('/lists', {
    name: `List ${++counter}`,
    ...defaults,
    ...fields,
  })
  expect(status, JSON.stringify(body)).toBe(201)
  return body.id
}

async function newPerson(list_ids: number[] = [], fields: object = {}) {
  const email = `reader-${++counter}@example.com`
  const given = list_ids.length > 0 ? { list_ids, consented_at: '2026-01-01T00:00:00Z', consent_source: 'test' } : {}
  const { status, body } = await api.post<{ id: number }>('/subscribers', { email, ...given, ...fields })
  expect(status, JSON.stringify(body)).toBe(201)
  const token = await signRecipient(keys, 'preferences', CAMPAIGN, body.id)
  return { id: body.id, email, token, path: `/preferences/${token}` }
}

async function fetchPage(path: string, init: RequestInit = {}) {
  const response = await exports.default.fetch(`https://mail.test${path}`, init)
  return { status: response.status, headers: response.headers, html: await response.text() }
}

const get = (path: string, headers: Record<string, string> = {}) => fetchPage(path, { headers })

const post = (path: string, fields: Record<string, string | number | (string | number)[]>, headers = {}) => {
  const body = new URLSearchParams()
  for (const [name, values] of Object.entries(fields))
    for (const value of [values].flat()) body.append(name, String(value))
  return fetchPage(path, { method: 'POST', body, headers })
}

async function standing(id: number) {
  const [person] = await worker.sql<{ status: string; paused: boolean }>(
    'select status, coalesce(paused_until > now(), false) as paused from subscribers where id = $1',
    [id],
  )
  const lists = await worker.sql<{ id: number; status: string }>(
    'select list_id::int as id, status from list_members where subscriber_id = $1 order by 1',
    [id],
  )
  return { ...person, on: lists.filter((l) => l.status === 'subscribed').map((l) => l.id) }
}

const consents = (id: number) =>
  worker.sql(
    `select list_id::int as list_id, action, source, wording, reason from consents
     where subscriber_id = $1 and source <> 'test' order by id`,
    [id],
  )

describe('the page', () => {
  test('shows what somebody gets, and what else is public, to them alone', async () => {
    const [mine, open, hidden, left] = [
      await newList({ name: 'Mine & "yours"', description: 'What I <chose>' }),
      await newList({ name: 'Open', consent_wording: 'Send me <Open>.' }),
      await newList({ name: 'Hidden', visibility: 'private' }),
      await newList({ name: 'Left', visibility: 'private', consent_wording: null }),
    ]
    const person = await newPerson([mine, left])
    await api.delete(`/lists/${left}/subscribers/${person.id}`)
    const { status, headers, html } = await get(person.path)
    expect(status).toBe(200)
    expect(html).toContain('For r***@example.com')
    expect(html).not.toContain(person.email)
    expect(html).toContain(`value="${mine}" checked`)
    expect(html).toContain('<strong>Mine &amp; &quot;yours&quot;</strong>')
    expect(html).toContain('What I &lt;chose&gt;')
    expect(html).toContain('Send me &lt;Open&gt;.')
    expect(html).toContain('Send me “Left” by email. I can stop it at any time.')
    for (const id of [open, left]) expect(html).toContain(`name="list" value="${id}">`)
    expect(html).not.toContain('Hidden')
    expect(html).not.toContain(`value="${hidden}"`)
    expect(html).not.toMatch(/<script| on\w+=/)
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(headers.get('Content-Security-Policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/,
    )
  })

  test('changes nothing when it is looked at', async () => {
    const list = await newList()
    const person = await newPerson([list])
    const before = await worker.sql('select * from subscribers where id = $1', [person.id])
    for (const method of ['GET', 'HEAD']) {
      const { status } = await fetchPage(`${person.path}?all=yes&list=&pause=7`, { method })
      expect(status).toBe(200)
    }
    expect(await worker.sql('select * from subscribers where id = $1', [person.id])).toEqual(before)
    expect(await standing(person.id)).toEqual({ status: 'active', paused: false, on: [list] })
  })

  test('speaks the language that is asked for, then the reader’s, then their browser’s', async () => {
    const person = await newPerson([], { locale: 'de-AT' })
    const stranger = await newPerson()
    const title = async (path: string, accept = '') => {
      const { html } = await get(path, { 'Accept-Language': accept })
      return [/<html lang="(\w+)">/.exec(html)?.[1], /<h1>(.*)<\/h1>/.exec(html)?.[1]]
    }
    const english = ['en', 'Your email preferences']
    const german = ['de', 'Ihre E-Mail-Einstellungen']
    expect(await title(person.path, 'en')).toEqual(german)
    expect(await title(`${person.path}?lang=en`, 'de')).toEqual(english)
    expect(await title(stranger.path, 'fr, de;q=0.8, en;q=0.3')).toEqual(german)
    expect(await title(`${stranger.path}?lang=%3Cscript%3E`, 'de')).toEqual(german)
    expect(await title(stranger.path)).toEqual(english)
  })

  test('looks as the settings say', async () => {
    const person = await newPerson()
    await api.put('/settings', { brand_name: 'Acme', brand_color: '#ffee00', privacy_url: 'https://acme.example/p' })
    const { html, headers } = await get(person.path)
    await api.put('/settings', { brand_name: null, brand_color: null, privacy_url: null })
    expect(html).toContain('<header><p>Acme</p></header>')
    expect(html).toContain('--act: #ffee00; --on-act: #000000')
    expect(html).toContain('<a href="https://acme.example/p">Privacy</a>')
    expect(headers.get('Content-Security-Policy')).not.toBe(
      (await get(person.path)).headers.get('Content-Security-Policy'),
    )
  })
})

describe('a choice', () => {
  test('turns lists on and off, and keeps the proof of both', async () => {
    const [off, on, stays] = [await newList({ name: 'Off' }), await newList({ name: 'On' }), await newList()]
    const person = await newPerson([off, stays])
    const fields = {
      seen: 'active',
      on: [off, stays],
      list: [on, stays],
      reason: 'other',
      reason_text: ' <b>bored</b>\0 ',
    }
    const { status, html } = await post(person.path, { ...fields, pause: 'keep' })
    expect(status).toBe(200)
    expect(html).toContain('You will get “On”.')
    expect(html).toContain('You will no longer get “Off”.')
    expect(await standing(person.id)).toEqual({ status: 'active', paused: false, on: [on, stays] })
    expect(await consents(person.id)).toEqual([
      { list_id: off, action: 'unsubscribed', source: 'preference page', wording: null, reason: 'other: <b>bored</b>' },
      {
        list_id: on,
        action: 'subscribed',
        source: 'preference page',
        wording: 'I agree to get this list.',
        reason: null,
      },
    ])
    // The same form once more, as a double click sends it.
    const again = await post(person.path, { ...fields, pause: 'keep' })
    expect(again.status).toBe(200)
    expect(await standing(person.id)).toEqual({ status: 'active', paused: false, on: [on, stays] })
    expect((await get(person.path)).html).toContain(`name="list" value="${off}">`)
  })

  test('brings somebody back to a list they had left, by a consent that is newer', async () => {
    const list = await newList({ consent_wording: null, visibility: 'private' })
    const person = await newPerson([list])
    await post(person.path, { seen: 'active', on: [list] })
    expect((await standing(person.id)).on).toEqual([])
    const { html } = await post(person.path, { seen: 'active', list: [list] })
    expect(html).toContain('You will get “')
    expect((await standing(person.id)).on).toEqual([list])
    const back = await consents(person.id)
    expect(back.at(-1)).toMatchObject({ action: 'resubscribed', source: 'preference page' })
    expect(back.find((row) => row.list_id === list && row.action === 'resubscribed')).toMatchObject({
      wording: expect.stringMatching(/^Send me “List \d+” by email\./),
    })
  })

  test('unsubscribes from everything, whatever else is ticked', async () => {
    const [a, b] = [await newList(), await newList()]
    const person = await newPerson([a])
    const { html } = await post(person.path, {
      ...{ seen: 'active', on: [a], list: [a, b], all: 'yes', pause: '7' },
      ...{ reason: 'too_many', reason_text: 'x'.repeat(600) },
    })
    expect(html).toContain('You will not get any more emails from this sender.')
    expect(await standing(person.id)).toEqual({ status: 'unsubscribed', paused: false, on: [a] })
    expect(await consents(person.id)).toEqual([
      {
        ...{ list_id: null, action: 'unsubscribed', source: 'preference page', wording: null },
        reason: `too_many: ${'x'.repeat(500)}`,
      },
    ])
    const { html: page } = await get(person.path)
    expect(page).toContain('You are unsubscribed: nothing is sent to you.')
    expect(page).not.toContain(' checked>\n<strong>')
  })

  test('brings back whoever left everything, to what they tick and nothing else', async () => {
    const [old, chosen] = [await newList(), await newList()]
    const person = await newPerson([old, chosen])
    await post(person.path, { seen: 'active', all: 'yes' })
    // An old page, on which they were subscribed.
    const stale = await post(person.path, { seen: 'active', on: [old], list: [old, chosen] })
    expect([stale.status, stale.html.includes('Something has changed')]).toEqual([409, true])
    expect((await standing(person.id)).status).toBe('unsubscribed')
    // Nothing ticked: nobody comes back by saving.
    await post(person.path, { seen: 'unsubscribed', pause: 'keep' })
    expect((await standing(person.id)).status).toBe('unsubscribed')
    const { html } = await post(person.path, { seen: 'unsubscribed', list: [chosen] })
    expect(html).toContain('Your choice is saved')
    expect(await standing(person.id)).toEqual({ status: 'active', paused: false, on: [chosen] })
  })

  test('of somebody who complained takes a word of its own', async () => {
    const list = await newList()
    const person = await newPerson([list])
    await api.patch(`/subscribers/${person.id}`, { status: 'complained' })
    expect((await get(person.path)).html).toContain('name="again" value="yes"')
    const refused = await post(person.path, { seen: 'complained', list: [list] })
    expect([refused.status, refused.html.includes('reported as spam')]).toEqual([422, true])
    expect((await standing(person.id)).status).toBe('complained')
    await post(person.path, { seen: 'complained', list: [list], again: 'yes' })
    expect(await standing(person.id)).toEqual({ status: 'active', paused: false, on: [list] })
  })

  test('of somebody whose mail came back is explained, and taken', async () => {
    const list = await newList()
    const person = await newPerson([list])
    await api.patch(`/subscribers/${person.id}`, { status: 'bounced' })
    expect((await get(person.path)).html).toContain('Emails to your address came back')
    await post(person.path, { seen: 'bounced', list: [list] })
    expect((await standing(person.id)).status).toBe('active')
    await api.post('/suppressions', { suppressions: [{ kind: 'address', value: person.email }] })
    expect((await get(person.path)).html).toContain('This sender has blocked your address')
  })

  test('pauses, says until when, and ends a pause', async () => {
    const list = await newList()
    const person = await newPerson([list], { locale: 'de', timezone: 'Pacific/Auckland' })
    const paused = await post(person.path, { seen: 'active', on: [list], list: [list], pause: '30' })
    expect(paused.html).toMatch(/Bis \d+\. \p{L}+ \d{4} wird Ihnen nichts gesendet\./u)
    expect(await standing(person.id)).toEqual({ status: 'active', paused: true, on: [list] })
    const { html } = await get(`${person.path}?lang=en`)
    expect(html).toMatch(/Leave the break as it is, until [A-Z]\w+ \d+, \d{4}/)
    // Saving without a word about it leaves it.
    await post(person.path, { seen: 'active', on: [list], list: [list], pause: 'keep' })
    expect((await standing(person.id)).paused).toBe(true)
    expect((await post(person.path, { seen: 'active', on: [list], list: [list], pause: 'end' })).html).toContain(
      'Die Pause ist beendet.',
    )
    expect((await standing(person.id)).paused).toBe(false)
    expect(await consents(person.id)).toEqual([])
  })

  test('is refused whole when it is not one the page offers', async () => {
    const [mine, hidden] = [await newList(), await newList({ visibility: 'private' })]
    const person = await newPerson([mine])
    const forms: [number, Parameters<typeof post>[1]][] = [
      [422, { seen: 'active', on: [mine], list: [hidden] }],
      [422, { seen: 'active', on: [mine], list: [999_999] }],
      [400, { seen: 'active', on: [mine], list: ['1; drop table subscribers'] }],
      [400, { seen: 'active', on: ['-1'] }],
      [400, { seen: 'active', on: [mine], list: ['9'.repeat(16)] }],
      [400, { seen: 'active', on: [mine], pause: '100000' }],
      [400, { seen: 'active', on: [mine], reason_text: 'x'.repeat(1_000_000) }],
    ]
    for (const [status, fields] of forms) {
      const answer = await post(person.path, fields)
      expect([answer.status, JSON.stringify(fields).slice(0, 80)]).toEqual([
        status,
        JSON.stringify(fields).slice(0, 80),
      ])
      expect(answer.html).toContain('Nothing was changed')
    }
    // What is unknown and what is hidden are told apart by nobody.
    const pages = await Promise.all([hidden, 999_999].map((id) => post(person.path, { seen: 'active', list: [id] })))
    expect(pages[0]?.html).toBe(pages[1]?.html)
    for (const body of ['', 'seen=active', '{"all":true}']) {
      const answer = await fetchPage(person.path, { method: 'POST', body })
      expect([body, answer.status, answer.html.includes('Nothing was changed')]).toEqual([body, 200, true])
    }
    const broken = await fetchPage(person.path, {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'multipart/form-data; boundary=y' },
    })
    expect(broken.status).toBe(400)
    expect(await standing(person.id)).toEqual({ status: 'active', paused: false, on: [mine] })
    expect(await consents(person.id)).toEqual([])
  })

  test('by a form of parts is read as well', async () => {
    const list = await newList()
    const person = await newPerson([list])
    const body = new FormData()
    for (const [name, value] of Object.entries({ seen: 'active', on: String(list), reason_text: 'zu viel' }))
      body.append(name, value)
    expect((await fetchPage(person.path, { method: 'POST', body })).status).toBe(200)
    expect((await standing(person.id)).on).toEqual([])
  })
})

/** As emk-tracking does; the one beside the Worker under test has another corner of Redis. */
const unsubscribeAtTheEdge = (subscriber_id: number) =>
  bufferUnsubscribe(
    {
      redis: worker.redis,
      redis_keys: worker.keys,
      events: { send: () => Promise.reject(new Error('no queue here')) },
    },
    {
      ...{
        event_id: crypto.randomUUID(),
        kind: 'unsubscribe',
        campaign_id: CAMPAIGN,
        subscriber_id,
        link: 0,
        scope: 'all',
      },
      ...{ occurred_at: new Date().toISOString(), method: 'POST', asn: null, agent: 'unknown', country: null },
      ...{ region: null, device: null, client: null, verdict: 'human', reason: null, rules: 1 },
    },
  )

describe('an opt-out that is not written down yet', () => {
  test('is told of, and nothing is turned on before it is', async () => {
    const [a, b] = [await newList(), await newList()]
    const person = await newPerson([a])
    expect(await unsubscribeAtTheEdge(person.id)).toBe(true)
    const page = await get(person.path)
    expect(page.html).toContain('You unsubscribed a moment ago.')
    const answer = await post(person.path, { seen: 'active', on: [a], list: [a, b] })
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '60'])
    expect((await standing(person.id)).on).toEqual([a])
    // What leaves does not wait.
    expect((await post(person.path, { seen: 'active', on: [a] })).status).toBe(200)
    expect((await standing(person.id)).on).toEqual([])
  })
})

describe('links', () => {
  test('open the page of their own purpose, and no other', async () => {
    const person = await newPerson()
    const expires_at = new Date(Date.now() + 3_600_000)
    const recipients = ['open', 'click', 'unsubscribe', 'view', 'preferences'] as const
    const timed = ['report', 'confirm', 'export data', 'erase data'] as const
    const tokens = new Map<string, string>()
    for (const purpose of recipients) tokens.set(purpose, await signRecipient(keys, purpose, CAMPAIGN, person.id))
    for (const purpose of timed) tokens.set(purpose, await signTimed(keys, purpose, { id: person.id, expires_at }))
    tokens.set('bounce', await signMailToken(keys, 'bounce', CAMPAIGN, person.id))
    const pages = {
      ...{ preferences: '/preferences/', 'export data': '/data/export/', 'erase data': '/data/erase/' },
      ...{ view: '/v/', report: '/reports/', confirm: '/confirm/', unsubscribe: '/u/' },
    }
    for (const [page, path] of Object.entries(pages)) {
      for (const [purpose, token] of tokens) {
        const refused = [(await get(path + token)).status]
        // Of their own purpose, campaign and sign-up have never been there.
        if (page === purpose) expect([page, refused]).not.toEqual([page, [404]])
        if (page === purpose) continue
        if (page !== 'view' && page !== 'report') {
          refused.push((await post(path + token, { all: 'yes', ask: 'erase', scope: 'all' })).status)
        }
        expect([page, purpose, new Set(refused)]).toEqual([page, purpose, new Set([404])])
      }
    }
    expect(await standing(person.id)).toMatchObject({ status: 'active' })
  })

  test('that were changed on their way open nothing', async () => {
    const { token } = await newPerson()
    const changed = Array.from(
      { length: Math.ceil(token.length / 4) },
      (_, i) => token.slice(0, 4 * i) + (token[4 * i] === 'B' ? 'C' : 'B') + token.slice(4 * i + 1),
    )
    const anybody = await signRecipient(keys, 'preferences', CAMPAIGN, ANYBODY)
    for (const bad of [...changed, `${token}A`, token.slice(1), 'x', 'x'.repeat(5000), '%00', anybody]) {
      expect([bad.slice(0, 60), (await get(`/preferences/${bad}`)).status]).toEqual([bad.slice(0, 60), 404])
    }
    const { html } = await get('/preferences/x', { 'Accept-Language': 'de' })
    expect(html).toContain('Dieser Link ist nicht gültig')
  })

  test('of a test mail say so, and change nothing', async () => {
    const path = `/preferences/${await signRecipient(keys, 'preferences', CAMPAIGN, NOBODY)}`
    for (const answer of [await get(path), await post(path, { all: 'yes', ask: 'export' })]) {
      expect([answer.status, answer.html.includes('This was a test mail')]).toEqual([200, true])
    }
  })

  test('of a deleted reader say that there is nothing any more', async () => {
    const person = await newPerson()
    const expires_at = new Date(Date.now() + 3_600_000)
    const data = `/data/export/${await signTimed(keys, 'export data', { id: person.id, expires_at })}`
    expect((await api.delete(`/subscribers/${person.id}`)).status).toBe(204)
    for (const path of [person.path, data]) {
      for (const answer of [await get(path), await post(path, { all: 'yes', ask: 'export' })]) {
        expect([answer.status, answer.html.includes('There is nothing here any more')]).toEqual([410, true])
      }
    }
  })

  test('of a retired key still leave, and show nothing', async () => {
    const list = await newList({ name: 'Secret garden' })
    const person = await newPerson([list])
    const path = `/preferences/${await signRecipient(retired, 'preferences', CAMPAIGN, person.id)}`
    const { status, html } = await get(path)
    expect([status, html.includes('This link is old')]).toEqual([200, true])
    expect(html).not.toContain('Secret garden')
    expect(html).not.toContain('@example.com')
    expect((await post(path, { seen: 'active', list: [list], pause: '7', ask: 'export' })).status).toBe(400)
    expect(await standing(person.id)).toEqual({ status: 'active', paused: false, on: [list] })
    expect((await post(path, { all: 'yes' })).html).toContain('You will not get any more emails')
    expect((await standing(person.id)).status).toBe('unsubscribed')
    const expires_at = new Date(Date.now() + 3_600_000)
    const old = await signTimed(retired, 'erase data', { id: person.id, expires_at })
    expect((await post(`/data/erase/${old}`, {})).status).toBe(404)
  })
})

describe('one’s own data', () => {
  const sender = async () => {
    const { body } = await api.post<{ id: number }>('/senders', {
      name: `Sender ${++counter}`,
      from_name: 'Acme',
      from_email: 'hello@acme.example',
      postal_address: 'Acme, 1 Main Street',
    })
    return body.id
  }
  const mails = (email: string) =>
    worker.sql<{ state: string; purpose: string; content: { subject: string; text: string; html: string } | null }>(
      `select m.state, s.purpose, s.content from transactional_mails m join transactional_sends s on s.id = m.send_id
       where m.email = $1 order by m.id`,
      [email],
    )
  const linkIn = (text = '') => /https:\/\/mail\.test(\/data\/\S+)/.exec(text)?.[1] ?? ''

  test('is asked for by mail to them, three times a day at most', async () => {
    const person = await newPerson([], { locale: 'de' })
    // There is nobody it could be from.
    expect((await post(person.path, { ask: 'export' })).html).toContain('keine E-Mail gesendet werden')
    await api.put('/settings', { sender_id: await sender() })
    const asked = await post(`${person.path}?lang=en`, { ask: 'export' })
    expect(asked.html).toContain('An email to r***@example.com is on its way.')
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) => post(person.path, { ask: i % 2 ? 'export' : 'erase' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429, 429, 429])
    const sent = await mails(person.email)
    expect(sent.map(({ purpose }) => purpose)).toEqual(['data', 'data', 'data'])
    expect(sent[0]?.content?.subject).toBe('Your data')
    expect(sent[0]?.content?.text).toContain('https://mail.test/data/export/')
    // A day later there may be another.
    await worker.sql(
      `update data_requests set asked_at = array(select t - interval '25 hours' from unnest(asked_at) t)`,
    )
    expect((await post(person.path, { ask: 'export' })).status).toBe(200)
    expect(await mails(person.email)).toHaveLength(4)
  })

  test('is not sent to an address that mail must not go to, and that is said', async () => {
    const person = await newPerson()
    await api.patch(`/subscribers/${person.id}`, { status: 'bounced' })
    expect((await post(person.path, { ask: 'export' })).html).toContain('No email can be sent to your address.')
  })

  test('comes as a file from the link in the mail, once the button is pressed', async () => {
    const person = await newPerson([], { first_name: 'Ada', attributes: { city: 'São Paulo' } })
    await post(person.path, { ask: 'export' })
    const path = linkIn((await mails(person.email))[0]?.content?.text)
    const shown = await get(path)
    expect([shown.status, shown.html.includes('Get the file')]).toEqual([200, true])
    expect(shown.html).not.toContain('Ada')
    const file = await post(path, {})
    expect(file.headers.get('Content-Disposition')).toBe('attachment; filename="my-data.json"')
    expect(file.headers.get('Cache-Control')).toBe('no-store')
    expect(JSON.parse(file.html)).toMatchObject({
      profile: { email: person.email, first_name: 'Ada', attributes: { city: 'São Paulo' } },
    })
  })

  test('is erased from the link in the mail, once the button is pressed', async () => {
    const person = await newPerson([await newList()])
    await post(person.path, { ask: 'erase' })
    const path = linkIn((await mails(person.email))[0]?.content?.text)
    for (const method of ['GET', 'HEAD']) expect((await fetchPage(path, { method })).status).toBe(200)
    expect(await standing(person.id)).toMatchObject({ status: 'active' })
    const erased = await post(path, {})
    expect([erased.status, erased.html.includes('Your data is erased')]).toEqual([200, true])
    expect(await worker.sql('select id from subscribers where id = $1', [person.id])).toEqual([])
    for (const answer of [await post(path, {}), await get(path), await get(person.path)])
      expect(answer.status).toBe(410)
  })

  test('is not given by a link that has expired', async () => {
    const person = await newPerson()
    const expires_at = new Date(Date.now() - 1000)
    for (const what of ['export', 'erase'] as const) {
      const path = `/data/${what}/${await signTimed(keys, `${what} data`, { id: person.id, expires_at })}`
      for (const answer of [await get(path), await post(path, {})]) {
        expect([answer.status, answer.html.includes('This link has expired')]).toEqual([410, true])
      }
    }
    expect(await standing(person.id)).toMatchObject({ status: 'active' })
  })
})

describe('a pause by API', () => {
  test('is set, ended, and checked', async () => {
    const person = await newPerson()
    const path = `/subscribers/${person.id}/pause`
    const paused = await api.post<{ id: number; paused_until: string }>(path, { days: 7 })
    expect(paused.body).toEqual({ id: person.id, paused_until: expect.stringMatching(/^\d{4}-.*Z$/) })
    expect((await standing(person.id)).paused).toBe(true)
    expect((await api.post(path, { days: null })).body).toEqual({ id: person.id, paused_until: null })
    for (const days of [0, 366, 1.5, '7']) expect((await api.post(path, { days })).status).toBe(422)
    expect((await api.post(path, {})).status).toBe(422)
    expect((await api.post('/subscribers/999999/pause', { days: 1 })).status).toBe(404)
  })
})
