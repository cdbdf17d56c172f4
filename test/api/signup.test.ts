// Sign-ups as the public meets them: the form, what takes it, and the page that confirms.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import { type RecipientPurpose, signRecipient } from '../../src/tokens/recipient.ts'
import { signTimed, type TimedPurpose } from '../../src/tokens/timed.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { ORIGIN, openApi, type ProblemBody, request } from './client.ts'

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
