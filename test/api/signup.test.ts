// Sign-ups as the public meets them: the form, what takes it, and the page that confirms.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import { type RecipientPurpose, signRecipient } from '../../src/tokens/recipient.ts'
import { signTimed, type TimedPurpose } from '../../src/tokens/timed.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let keys: SigningKeys
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
  keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
  const sender = await api.post<{ id: number }>('/senders', {
    name: 'House',
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme, 1 Main Street',
  })
  await worker.sql('update settings set sender_id = $1', [sender.body.id])
})
afterAll(() => worker.close())

const WORDING = 'Yes, send me <the> news'
const PAGE = { accept: 'text/html,application/xhtml+xml' }

const newList = async (fields: object = {}) => {
  const list = { name: crypto.randomUUID(), visibility: 'public', consent_wording: WORDING, ...fields }
  const answer = await api.post<{ id: number; name: string }>('/lists', list)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body
}
const address = () => `ada-${crypto.randomUUID()}@example.com`

/** Each with a client of its own, unless one is named: the limit of one is a test's own subject. */
let clients = 0
beforeEach(() => {
  clients++
})
const client = () => ({ 'cf-connecting-ip': `2001:db8:${clients.toString(16)}::1` })

const post = <Body = ProblemBody>(fields: [string, string][], headers: Record<string, string> = {}) =>
  request<Body>('/subscribe', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...client(), ...headers },
    body: new URLSearchParams(fields).toString(),
    redirect: 'manual',
  })
const postJson = <Body = ProblemBody>(body: unknown, headers: Record<string, string> = {}) =>
  request<Body>('/subscribe', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...client(), ...headers },
    body: JSON.stringify(body),
  })

interface Row {
  id: number
  status: string
  reason: string | null
  list_ids: number[]
  wording: string
  source: string
  country: string | null
  locale: string | null
  first_name: string | null
}
/** The sign-ups of an address once all are settled. */
async function settled(email: string): Promise<Row[]> {
  for (;;) {
    const rows = await worker.sql<Row>(
      `select id::float8, status, reason, list_ids::float8[] as list_ids, wording, source, country, locale, first_name
        from signups where email = $1 order by id`,
      [email],
    )
    if (rows.every(({ status }) => status !== 'received')) return rows
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
const mailsTo = (email: string) =>
  worker.sql<{ content: { subject: string; html: string; text: string } | null; state: string }>(
    `select s.content, m.state from transactional_mails m join transactional_sends s on s.id = m.send_id
      where m.email = $1 order by m.id`,
    [email],
  )
const confirmPath = (text: string | undefined) => /https:\/\/mail\.test(\/confirm\/[\w-]+)/.exec(text ?? '')?.[1] ?? ''
const member = (email: string) =>
  worker.sql(
    `select s.status, s.first_name, m.list_id::float8, m.status as member from subscribers s
      left join list_members m on m.subscriber_id = s.id where lower(s.email) = lower($1) order by m.list_id`,
    [email],
  )

describe('from the form to the list', () => {
  test('double opt-in: a form, a mail, a page and a press of its button', async () => {
    const list = await newList()
    const email = address()
    const answer = await post<string>(
      [
        ['email', ` ${email.replace('example', 'EXAMPLE')} `],
        ['first_name', 'Ada'],
        ['list', String(list.id)],
        ['website', ''],
        ['submit', 'Go'],
      ],
      { ...PAGE, referer: 'https://acme.example/news?secret=1#x', 'accept-language': 'de-AT,de;q=0.9,en;q=0.8' },
    )
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(answer.body).toContain('<html lang="de">')
    expect(answer.body).toContain(email)
    const [signup] = await settled(email)
    expect(signup).toMatchObject({
      status: 'mailed',
      list_ids: [list.id],
      wording: WORDING,
      source: 'https://acme.example/news',
      locale: 'de-AT',
      first_name: 'Ada',
    })
    expect(await member(email)).toEqual([])

    const [mail] = await mailsTo(email)
    expect(mail).toMatchObject({
      state: 'queued',
      content: { subject: `Bitte bestätigen Sie Ihre Anmeldung für ${list.name}` },
    })
    // What a stranger may have filled in is not in the mail.
    expect(mail?.content?.html).not.toContain('Ada')
    const path = confirmPath(mail?.content?.text)
    for (const method of ['GET', 'HEAD', 'GET']) {
      const page = await request<string>(path, { method, headers: PAGE })
      expect(page.status).toBe(200)
      if (method === 'GET') {
        expect(page.body).toContain(list.name)
        expect(page.body).toContain('Yes, send me &lt;the&gt; news')
        expect(page.body).toContain('a***@example.com')
        expect(page.body).not.toContain(email)
      }
    }
    expect(await member(email)).toEqual([])

    const confirmed = await request<string>(path, { method: 'POST' })
    expect([confirmed.status, confirmed.body]).toEqual([200, expect.stringContaining('Sie sind angemeldet')])
    expect(await member(email)).toEqual([
      { status: 'active', first_name: 'Ada', list_id: list.id, member: 'subscribed' },
    ])
    expect(
      await worker.sql(
        `select action, list_id::float8, source, wording from consents c
          join subscribers s on s.id = c.subscriber_id where s.email = $1 order by list_id nulls last`,
        [email],
      ),
    ).toEqual([
      { action: 'resubscribed', list_id: list.id, source: 'https://acme.example/news', wording: WORDING },
      { action: 'resubscribed', list_id: null, source: 'https://acme.example/news', wording: WORDING },
    ])
    // Twice is fine, and changes nothing.
    for (const method of ['POST', 'GET']) {
      const again = await request<string>(path, { method })
      expect([again.status, again.body]).toEqual([200, expect.stringContaining('Schon bestätigt')])
    }
    expect(
      await worker.sql('select 1 from consents c join subscribers s on s.id = c.subscriber_id where s.email = $1', [
        email,
      ]),
    ).toHaveLength(2)
  })
})

describe('the form', () => {
  test('as HTML to paste: it has labels, the wording, and nothing that runs', async () => {
    const [one, two] = [await newList({ description: 'A & B' }), await newList({ consent_wording: 'Yes to "two"' })]
    const answer = await api.get<{ html: string; url: string }>(
      `/lists/${one.id}/form?also=${two.id},${one.id}&fields=last_name,first_name&lang=de`,
    )
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    const { html, url } = answer.body
    expect(url).toBe(`https://mail.test/subscribe/${one.id}`)
    expect(html).toContain('action="https://mail.test/subscribe" method="post" lang="de"')
    expect(html).not.toMatch(/<script|style=|on\w+=/)
    for (const id of html.matchAll(/<label for="([^"]+)"/g)) expect(html).toContain(`<input id="${id[1]}"`)
    expect([...html.matchAll(/name="(\w+)"/g)].map(([, name]) => name)).toEqual([
      'locale',
      'email',
      'first_name',
      'last_name',
      'list',
      'list',
      'website',
    ])
    expect(html).toContain('A &amp; B')
    expect(html).not.toContain('checked')
    // Names of its own, since the page has others.
    for (const [, name] of html.matchAll(/(?:class|id)="([^"]+)"/g)) expect(name).toMatch(/^emk-/)
    expect(html).toContain('Yes, send me &lt;the&gt; news<br>\nYes to &quot;two&quot;')
    const plain = await api.get<{ html: string }>(`/lists/${two.id}/form`)
    expect([...plain.body.html.matchAll(/name="(\w+)"/g)].map(([, name]) => name)).toEqual(['email', 'list', 'website'])
    expect(plain.body.html).toContain(`type="hidden" name="list" value="${two.id}"`)
  })

  test('is refused for lists that take no sign-ups, by field', async () => {
    const [open, hidden] = [await newList(), await newList({ visibility: 'private' })]
    expect(await api.get(`/lists/${hidden.id}/form`)).toMatchObject({ status: 409, body: { code: 'wrong_status' } })
    expect((await api.get('/lists/987654/form')).status).toBe(404)
    for (const query of [`also=${hidden.id}`, 'also=987654', 'also=a', 'also=1,', 'fields=email', 'lang=xx', 'x=1']) {
      expect((await api.get(`/lists/${open.id}/form?${query}`)).status, query).toBe(422)
    }
  })

  test('as a page: for public lists only, in the language asked for, and it may lead to where the owner wants', async () => {
    const list = await newList({ success_url: 'https://thanks.acme.example/a?b=1', description: 'About <us>' })
    const page = await request<string>(`/subscribe/${list.id}?lang=de&fields=first_name`, { headers: PAGE })
    expect(page.status).toBe(200)
    expect(page.body).toContain('About &lt;us&gt;')
    expect(page.body).toContain('<html lang="de">')
    expect(page.body).toContain('name="locale" value="de"')
    expect(page.body).toContain('name="first_name"')
    expect(page.body).toContain(`name="source" value="https://mail.test/subscribe/${list.id}"`)
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https://thanks.acme.example;")

    const hidden = await newList({ visibility: 'private' })
    const [private_one, unknown] = await Promise.all(
      [`/subscribe/${hidden.id}`, '/subscribe/987654'].map((path) => request<string>(path, { headers: PAGE })),
    )
    expect([private_one?.status, private_one?.body]).toEqual([404, unknown?.body])
    for (const path of [
      '/subscribe/0',
      '/subscribe/1e3',
      '/subscribe/-1',
      `/subscribe/${'9'.repeat(400)}`,
      '/subscribe/%00',
    ]) {
      expect((await request(path)).status, path).toBe(404)
    }
  })
})

describe('what takes it', () => {
  test('sends people where the owner wants them, and nowhere that the request names', async () => {
    const [plain, thanks] = [await newList(), await newList({ success_url: 'https://thanks.acme.example/?a=1' })]
    const email = address()
    const evil = 'https://evil.example/'
    const answer = await request('/subscribe?success_url=https://evil.example/&next=https://evil.example/', {
      method: 'POST',
      redirect: 'manual',
      headers: {
        ...PAGE,
        ...client(),
        'content-type': 'application/x-www-form-urlencoded',
        host: 'evil.example',
        referer: evil,
      },
      body: new URLSearchParams([
        ['email', email],
        ['list', String(plain.id)],
        ['list', String(thanks.id)],
        ['success_url', evil],
      ]).toString(),
    })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, 'https://thanks.acme.example/?a=1'])
    expect((await settled(email))[0]?.list_ids).toEqual([plain.id, thanks.id])
  })

  test('answers programs in JSON, from any page', async () => {
    const list = await newList({ opt_in: 'single' })
    const email = address()
    const preflight = await request('/subscribe', { method: 'OPTIONS' })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    expect(preflight.headers.get('access-control-allow-headers')).toBe('Content-Type')
    const answer = await postJson({ email, list_ids: [list.id, list.id], locale: 'pt-br', source: 'app' })
    expect([answer.status, answer.body]).toMatchObject([202, { status: 'received' }])
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(await settled(email)).toMatchObject([
      { status: 'subscribed', list_ids: [list.id], locale: 'pt-BR', source: 'app' },
    ])
    const refused = await postJson({ email: 'nobody', list_ids: [list.id] })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([422, '*'])
    const form = new FormData()
    form.set('email', `second-${email}`)
    form.set('list', String(list.id))
    const multipart = await request('/subscribe', { method: 'POST', body: form, headers: client() })
    expect(multipart.status).toBe(202)
    expect(await settled(`second-${email}`)).toMatchObject([{ status: 'subscribed', source: 'sign-up form' }])
  })

  test('sends the mail once more from the page that asks to look for it', async () => {
    const list = await newList()
    const email = address()
    const first = await post<string>(
      [
        ['email', email],
        ['last_name', 'O"Neil'],
        ['list', String(list.id)],
      ],
      PAGE,
    )
    expect(first.status).toBe(200)
    await settled(email)
    const fields = [...first.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']): [string, string] => [name, value.replace('&quot;', '"')],
    )
    expect(fields).toContainEqual(['last_name', 'O"Neil'])
    expect((await post(fields, PAGE)).status).toBe(200)
    expect(await settled(email)).toHaveLength(2)
    expect(await mailsTo(email)).toHaveLength(2)
  })

  test('thanks a program that fills in what nobody sees, and keeps nothing', async () => {
    const list = await newList()
    const email = address()
    const fields: [string, string][] = [
      ['email', email],
      ['list', String(list.id)],
    ]
    const bot = await post<string>([...fields, ['website', 'x']], PAGE)
    expect(await worker.sql('select 1 from signups where email = $1', [email])).toEqual([])
    const person = await post<string>(fields, PAGE)
    expect([bot.status, bot.body]).toEqual([person.status, person.body])
  })

  test('shows the form again with what is wrong', async () => {
    const list = await newList()
    const answer = await post<string>(
      [
        ['email', 'ada@'],
        ['first_name', `A"da\r\nBcc: x@example.com`],
        ['list', String(list.id)],
      ],
      PAGE,
    )
    expect(answer.status).toBe(422)
    expect(answer.body).toContain(`value="ada@" aria-invalid="true" aria-describedby="emk-${list.id}-email-wrong"`)
    expect(answer.body).toContain(`id="emk-${list.id}-first_name-wrong"`)
    expect(answer.body).toContain('value="A&quot;da')
  })

  test('a list that is private is refused as one that is not there, alone or among others', async () => {
    const [open, hidden] = [await newList(), await newList({ visibility: 'private' })]
    for (const accept of ['text/html', '*/*']) {
      const answers = []
      for (const lists of [[hidden.id], [987_654], ['abc'], [open.id, hidden.id], [open.id, -1]]) {
        const answer = await post(
          [['email', address()], ...lists.map((id): [string, string] => ['list', String(id)])],
          { accept },
        )
        answers.push(JSON.stringify([answer.status, answer.body]).replace(/"request_id":"[^"]+"/, ''))
      }
      expect(new Set(answers).size, answers.join('\n')).toBe(1)
      expect(answers[0]).toContain('[404,')
    }
  })

  test('turns away who asks too often, and says for how long', async () => {
    const list = await newList()
    const email = address()
    const fields: [string, string][] = [
      ['email', email],
      ['list', String(list.id)],
    ]
    for (let n = 0; n < 5; n++) expect((await post(fields)).status).toBe(202)
    for (const accept of ['text/html', '*/*']) {
      const answer = await post(fields, { accept })
      expect(answer.status).toBe(429)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3000)
    }
    expect(await settled(email)).toHaveLength(5)
    expect(await mailsTo(email)).toHaveLength(3)
  })

  const EMAIL = 'ada@example.com'
  test.each<[name: string, body: unknown, fields: string[]]>([
    ['nothing', {}, ['email', 'list_ids']],
    ['no list', { email: EMAIL, list_ids: [] }, ['list_ids']],
    ['lists as text', { email: EMAIL, list_ids: ['1'] }, ['list_ids.0']],
    ['one list, not in a list', { email: EMAIL, list_ids: 1 }, ['list_ids']],
    ['too many lists', { email: EMAIL, list_ids: Array.from({ length: 21 }, (_, i) => i + 1) }, ['list_ids']],
    ['a huge id', { email: EMAIL, list_ids: [1e300] }, ['list_ids.0']],
    ['an address of 320 characters', { email: `${'a'.repeat(308)}@example.com`, list_ids: [1] }, ['email']],
    ['a long local part', { email: `${'a'.repeat(65)}@example.com`, list_ids: [1] }, ['email']],
    ['an address with a header', { email: 'ada@example.com\r\nBcc: x@example.com', list_ids: [1] }, ['email']],
    ['two addresses', { email: 'ada@example.com,bob@example.com', list_ids: [1] }, ['email']],
    ['an address in a list', { email: [EMAIL], list_ids: [1] }, ['email']],
    ['an address with NUL', { email: 'a\0da@example.com', list_ids: [1] }, ['email']],
    ['a name with NUL', { email: EMAIL, first_name: 'A\0', list_ids: [1] }, ['first_name']],
    ['a name with a header', { email: EMAIL, last_name: 'A\r\nBcc: x', list_ids: [1] }, ['last_name']],
    ['half a character', { email: EMAIL, first_name: '\ud800', list_ids: [1] }, ['first_name']],
    ['a long name', { email: EMAIL, first_name: 'x'.repeat(201), list_ids: [1] }, ['first_name']],
    ['a name that is an object', { email: EMAIL, first_name: { toString: 1 }, list_ids: [1] }, ['first_name']],
    ['a long source', { email: EMAIL, source: 'x'.repeat(201), list_ids: [1] }, ['source']],
    ['a field that is not there', { email: EMAIL, list_ids: [1], status: 'active' }, ['status']],
    ['a consent of its own', { email: EMAIL, list_ids: [1], wording: 'All of it' }, ['wording']],
  ])('refuses %s', async (_, body, fields) => {
    const answer = await postJson(body)
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed'])
    expect([...new Set(answer.body.errors.map(({ field }) => field))]).toEqual(fields)
  })

  test.each<[name: string, init: { headers: Record<string, string>; body: string }, status: number]>([
    ['another type', { headers: { 'content-type': 'text/plain' }, body: `email=${EMAIL}&list=1` }, 415],
    ['no type', { headers: { 'content-type': '' }, body: 'x' }, 415],
    [
      'a megabyte',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `email=${'a'.repeat(1e6)}` },
      413,
    ],
    ['a megabyte of JSON', { headers: { 'content-type': 'application/json' }, body: `"${'a'.repeat(1e6)}"` }, 413],
    ['half of JSON', { headers: { 'content-type': 'application/json' }, body: '{"email":' }, 400],
    ['JSON that is a list', { headers: { 'content-type': 'application/json' }, body: '[]' }, 400],
    [
      'JSON that is deep',
      { headers: { 'content-type': 'application/json' }, body: `${'['.repeat(15_000)}${']'.repeat(15_000)}` },
      400,
    ],
    ['no multipart', { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: 'nothing' }, 400],
    [
      'two addresses in a form',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'email=a@b.cc&email=c@d.ee&list=1' },
      422,
    ],
    ['no field at all', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' }, 422],
    [
      'bytes that are no text',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'email=%ff%fe%00&list=1' },
      422,
    ],
  ])('refuses %s, as a page and as JSON', async (_, init, status) => {
    for (const accept of ['text/html', '*/*']) {
      const answer = await request('/subscribe', {
        method: 'POST',
        ...init,
        headers: { ...init.headers, ...client(), accept },
      })
      expect(answer.status).toBe(status)
      expect(answer.headers.get('content-type')).toContain(accept === 'text/html' ? 'text/html' : 'problem+json')
    }
  })

  test('answers no other method', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) expect((await request('/subscribe', { method })).status).toBe(405)
  })
})

describe('confirmation links', () => {
  const later = () => new Date(Date.now() + 3_600_000)
  async function waiting() {
    const list = await newList()
    const email = address()
    await post([
      ['email', email],
      ['list', String(list.id)],
    ])
    const [row] = await settled(email)
    return { id: row?.id ?? 0, list, email }
  }

  test('of every other purpose, forged or cut, confirm nothing', async () => {
    const { id, email } = await waiting()
    const tokens = [
      ...(await Promise.all(
        (['report', 'export data', 'erase data'] satisfies TimedPurpose[]).map((purpose) =>
          signTimed(keys, purpose, { id, expires_at: later() }),
        ),
      )),
      ...(await Promise.all(
        (['open', 'click', 'unsubscribe', 'view', 'preferences'] satisfies RecipientPurpose[]).map((purpose) =>
          signRecipient(keys, purpose, id, Math.floor(later().getTime() / 1000)),
        ),
      )),
    ]
    const good = await signTimed(keys, 'confirm', { id, expires_at: later() })
    tokens.push(
      good.slice(0, -1),
      `${good}A`,
      `${good.slice(0, -2)}AA`,
      'x',
      'x'.repeat(5_000),
      '..%2f',
      '%00',
      good.toLowerCase(),
    )
    for (const token of tokens) {
      for (const method of ['GET', 'POST']) {
        const answer = await request<string>(`/confirm/${token}`, { method })
        expect([answer.status, answer.body], token).toEqual([404, expect.stringContaining('This link is broken')])
      }
    }
    expect(await member(email)).toEqual([])
    // And one for confirming opens no other page.
    for (const path of [
      `/reports/${good}`,
      `/v/${good}`,
      `/u/${good}`,
      `/preferences/${good}`,
      `/data/export/${good}`,
      `/data/erase/${good}`,
    ]) {
      for (const method of ['GET', 'POST']) {
        expect([404, 405], `${method} ${path}`).toContain((await request(path, { method })).status)
      }
    }
  })

  test('that have expired, or whose sign-up or list is gone, say so', async () => {
    const { id, list, email } = await waiting()
    const expired = await signTimed(keys, 'confirm', { id, expires_at: new Date(Date.now() - 1_000) })
    const forgotten = await signTimed(keys, 'confirm', { id: 987_654, expires_at: later() })
    const good = await signTimed(keys, 'confirm', { id, expires_at: later() })
    const expectGone = async (token: string, words: string) => {
      for (const method of ['GET', 'POST']) {
        const answer = await request<string>(`/confirm/${token}`, { method })
        expect([answer.status, answer.body], `${method}: ${words}`).toEqual([410, expect.stringContaining(words)])
      }
    }
    await expectGone(expired, 'This link has expired')
    await expectGone(forgotten, 'This link has expired')
    expect((await api.delete(`/lists/${list.id}`)).status).toBe(204)
    await expectGone(good, 'There is no such list any more')
    expect(await member(email)).toEqual([])
  })
})
