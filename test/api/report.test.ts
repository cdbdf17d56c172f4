import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEVELOPMENT_SIGNING_KEYS } from '../../src/tokens/development.ts'
import { parseSigningKeys, type SigningKeys } from '../../src/tokens/keys.ts'
import { signRecipient } from '../../src/tokens/recipient.ts'
import { signTimed, verifyTimed } from '../../src/tokens/timed.ts'
import { seedReport } from '../support/report.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { insertApiKey, openApi, type ProblemBody, request } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let keys: SigningKeys
/** A campaign that is over; nothing changes it. */
let id: number
beforeAll(async () => {
  // Nobody sends while these campaigns look as if they were being sent.
  worker = await openTestWorker({ SENDING: 'off' })
  api = await openApi(worker)
  keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
  id = (await seedReport(worker.sql)).id
})
afterAll(() => worker.close())

interface Link {
  url: string
  expires_at: string
}

const HOUR = 3_600_000
const inAnHour = () => new Date(Date.now() + HOUR)

const open = async (token: string, query = '') => {
  const response = await exports.default.fetch(`https://mail.test/reports/${token}${query}`)
  return { status: response.status, headers: response.headers, html: await response.text() }
}
const report = async (campaign_id: number, query = '') => {
  const answer = await open(await signTimed(keys, 'report', { id: campaign_id, expires_at: inAnHour() }), query)
  expect(answer.status, answer.html).toBe(200)
  return answer
}
/** What a person reads, roughly. */
const readable = (html: string) =>
  html
    .replace(/<(style|iframe)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')

describe('a link', () => {
  test('opens the report of its campaign until it expires', async () => {
    const { status, body } = await api.post<Link>(`/campaigns/${id}/report-link`, { expires_in_hours: 2 })
    expect(status).toBe(200)
    const access = await verifyTimed(keys, 'report', body.url.replace('https://mail.test/reports/', ''))
    expect(access?.id).toBe(id)
    expect(access?.expires_at.toISOString()).toBe(body.expires_at)
    const ahead = Date.parse(body.expires_at) - Date.now()
    expect([ahead > HOUR, ahead <= 2 * HOUR]).toEqual([true, true])
    const response = await exports.default.fetch(body.url)
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('<h1>Spring letter</h1>')
  })

  test('is good for a week unless asked otherwise, and at most for ninety days', async () => {
    const days = async (body?: unknown) => {
      const answer = await api.post<Link & ProblemBody>(`/campaigns/${id}/report-link`, body)
      return answer.status === 200
        ? Math.round((Date.parse(answer.body.expires_at) - Date.now()) / (24 * HOUR))
        : answer.body.errors.map(({ field }) => field)
    }
    expect(await days()).toBe(7)
    expect(await days({})).toBe(7)
    expect(await days({ expires_in_hours: 2160 })).toBe(90)
    for (const expires_in_hours of [0, 2161, 1.5, '7', null]) {
      expect(await days({ expires_in_hours }), String(expires_in_hours)).toEqual(['expires_in_hours'])
    }
    expect(await days({ hours: 7 })).toEqual(['hours'])
  })

  test('of a campaign that there is not is not made; that of one that was deleted says so', async () => {
    expect((await api.post('/campaigns/999999/report-link')).status).toBe(404)
    const draft = await seedReport(worker.sql, { status: 'draft' })
    const token = await signTimed(keys, 'report', { id: draft.id, expires_at: inAnHour() })
    expect((await open(token)).status).toBe(200)
    expect((await api.delete(`/campaigns/${draft.id}`)).status).toBe(204)
    const gone = await open(token)
    expect([gone.status, gone.html.includes('no longer available')]).toEqual([410, true])
  })

  test('that has expired is refused', async () => {
    const late = await open(await signTimed(keys, 'report', { id, expires_at: new Date(Date.now() - 1000) }))
    expect([late.status, late.html.includes('has expired')]).toEqual([410, true])
    expect(late.html).not.toContain('Spring letter')
  })

  test('that is changed anywhere, of another purpose or not one at all is refused', async () => {
    const token = await signTimed(keys, 'report', { id, expires_at: inAnHour() })
    const seconds = Math.floor(inAnHour().getTime() / 1000)
    // The same two numbers, signed for something else.
    const others = await Promise.all(
      (['open', 'click', 'unsubscribe', 'view'] as const).map((purpose) => signRecipient(keys, purpose, id, seconds)),
    )
    for (let at = 0; at < token.length; at++) {
      others.push(token.slice(0, at) + (token[at] === 'B' ? 'C' : 'B') + token.slice(at + 1))
    }
    for (const bad of [...others, token.slice(1), `${token}A`, token.slice(0, -1), 'x', 'A'.repeat(5000)]) {
      const { status, html } = await open(bad)
      expect([bad, status, html.includes('not valid')]).toEqual([bad, 404, true])
      expect(html).not.toContain('Spring letter')
    }
  })

  test('opens nothing but a report', async () => {
    const token = await signTimed(keys, 'report', { id, expires_at: inAnHour() })
    expect((await exports.default.fetch(`https://mail.test/v/${token}`)).status).toBe(404)
    expect((await exports.default.fetch(`https://mail.test/u/${token}`, { method: 'POST' })).status).toBe(404)
  })

  test('ends with the key it was signed with', async () => {
    const [former, current] = [`${'f'.repeat(42)}A`, `${'c'.repeat(42)}A`]
    const token = await signTimed(await parseSigningKeys(`7:signing:${former}`), 'report', {
      id,
      expires_at: inAnHour(),
    })
    const opens = async (keys: string) => (await verifyTimed(await parseSigningKeys(keys), 'report', token)) !== null
    expect(await opens(`8:signing:${current},7:verifying:${former}`)).toBe(true)
    expect(await opens(`8:signing:${current},7:redirect-only:${former}`)).toBe(false)
    expect(await opens(`8:signing:${current}`)).toBe(false)
    // The Worker knows no key 7.
    expect((await open(token)).status).toBe(404)
  })
})

describe('with an API key', () => {
  test('the same page is at /api/v1', async () => {
    const answer = await api.get<string>(`/campaigns/${id}/report`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const { html } = await report(id)
    const timeless = (text: string) => text.replace(/<footer>[\s\S]*<\/footer>/, '')
    expect(timeless(answer.body)).toBe(timeless(html))
  })

  test('it takes a key that may read', async () => {
    const { key } = await insertApiKey(worker, ['write', 'send'])
    const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
    expect((await request(`/api/v1/campaigns/${id}/report`)).status).toBe(401)
    expect((await request(`/api/v1/campaigns/${id}/report`, bearer(key))).body.code).toBe('scope_missing')
    const refused = await request(`/api/v1/campaigns/${id}/report-link`, { method: 'POST', ...bearer(key) })
    expect(refused.body.code).toBe('scope_missing')
    const reader = await insertApiKey(worker, ['read'])
    expect((await request(`/api/v1/campaigns/${id}/report`, bearer(reader.key))).status).toBe(200)
    expect((await api.delete(`/api-keys/${reader.id}`)).status).toBe(204)
    expect((await request(`/api/v1/campaigns/${id}/report`, bearer(reader.key))).status).toBe(401)
  })

  test('a campaign that there is not is a problem document', async () => {
    expect((await api.get('/campaigns/999999/report')).body.code).toBe('not_found')
    expect((await api.get(`/campaigns/${id}/report?still`)).status).toBe(422)
  })
})

describe('the page', () => {
  test('runs nothing, is kept, indexed and framed nowhere, and tells nobody where it was', async () => {
    const { headers, html } = await report(id)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      "style-src 'unsafe-inline'",
      'img-src https: http: data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-robots-tag')).toBe('noindex')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(html).not.toMatch(/<script|\son\w+=|javascript:/i)
    expect(html).toContain(' sandbox srcdoc="')
  })

  test('says what the counters say, people beside all, and of what its percentages are shares', async () => {
    const text = readable((await report(id)).html)
    for (const said of [
      'The Garden Shop Spring letter What to sow now Sent',
      'Audience 2,500',
      'Sent 2,030',
      'Delivered 1,990 98.0 %',
      'Opened by people 655 32.9 %',
      'Clicked by people 160 8.0 %',
      'Unsubscribed 9 0.45 %',
      'Percentages are shares of the 1,990 mails delivered.',
      'Recipients who opened 655 32.9 % 1,204 60.5 %',
      'Opens 910 1,830',
      'Clicks 212 640',
      'Germany 490 900',
      'Apple Mail 128 430',
      'Phone 380 630',
      'Failed nobody took it 300 12.0 %',
      'Failed: why Reason, and what was answered most often Mails No such address',
      'No such address 550 5.1.1 No such user here 220',
      'Tried again until it was too late 554 5.7.1 Message refused by policy 20',
      'Had unsubscribed 150',
      'Came back: no such address 21',
      'Everything that readers did is counted.',
    ]) {
      expect(text).toContain(said)
    }
    expect(text).not.toContain('updates itself')
  })

  test('takes the mails sent as its base where services tell of too few, and says why', async () => {
    const quiet = await seedReport(worker.sql)
    await worker.sql('update campaign_stats set delivered = 40 where campaign_id = $1', [quiet.id])
    const text = readable((await report(quiet.id)).html)
    expect(text).toContain('shares of the 2,030 mails sent. Services have told of only 40 that they arrived')
    expect(text).toContain('Opened by people 655 32.3 %')
  })

  test('has the mail in it with the clicks on its links, leading nowhere and counting nothing', async () => {
    const { html } = await report(id)
    const mail = plain(/srcdoc="([^"]*)"/.exec(html)?.[1] ?? '')
    expect(mail).toContain('<h1>Hello Ada</h1>')
    expect(mail).not.toMatch(/href|\/t\/[oc]\/|emk-link|@/)
    const links = await api.get<{ links: { n: number; human_clicks: number }[] }>(`/campaigns/${id}/stats`)
    const sum = links.body.links.reduce((so_far, { human_clicks }) => so_far + human_clicks, 0)
    const badges = Array.from(mail.matchAll(/<span title="Link (\d+):[^>]*>([^<]*)<\/span><\/a>/g), ([, n, text]) => [
      Number(n),
      text,
    ])
    expect(badges).toEqual(
      links.body.links.map(({ n, human_clicks }) => [
        n,
        `${human_clicks} · ${Math.round((human_clicks / sum) * 100)}%`,
      ]),
    )
    expect(badges).toHaveLength(4)
  })

  test('of a draft shows the mail and no numbers', async () => {
    const draft = await seedReport(worker.sql, { status: 'draft' })
    const { html } = await report(draft.id)
    expect(readable(html)).toContain('Draft Not sent yet')
    expect(html).toContain('Hello Ada')
    expect(html).not.toContain('At a glance')
    expect(html).not.toContain('<progress')
  })

  test('of a campaign that is being sent says how far it is and comes anew, until it is told to stand still', async () => {
    const sending = await seedReport(worker.sql, { status: 'sending', started_hours_ago: 0 })
    const { html, headers } = await report(sending.id)
    expect(headers.get('refresh')).toBe('30')
    expect(html).toContain('<progress max="2500" value="2000"')
    expect(readable(html)).toContain('2,000 of 2,500 mails dealt with (80.0 %), 500 to go.')
    expect(readable(html)).toContain('It waits: all sending is switched off.')
    const still = await report(sending.id, '?still')
    expect(still.headers.get('refresh')).toBeNull()
    expect(still.html).toContain('stands still')
    const paused = await seedReport(worker.sql, {
      status: 'paused',
      status_reason: '12 of the 40 mails tried failed (such as: 550 <no> thanks)',
    })
    const held = await report(paused.id)
    expect(held.headers.get('refresh')).toBeNull()
    expect(held.html).toContain('(such as: 550 &lt;no&gt; thanks)')
    expect(held.html).toContain('<progress max="2500" value="2000"')
  })

  test.each([
    ['aggregate', 'Opens are counted without saying who', ['Opens 910 1,830', 'Recipients who opened – –']],
    ['none', 'Opens are not counted: the sender chose not to.', ['Opened by people –']],
  ] as const)('of a campaign whose opens are %s says so', async (track_opens, said, numbers) => {
    const { id } = await seedReport(worker.sql, { track_opens })
    const text = readable((await report(id)).html)
    for (const line of [said, ...numbers, 'Recipients who clicked 160']) expect(text).toContain(line)
  })

  test('escapes whatever comes from outside', async () => {
    const evil = `"><script>alert('x')</script>{{"</iframe><img src=x onerror=alert(1)>"}}`
    const { id } = await seedReport(worker.sql, {
      ...{ name: evil, subject: evil, from_name: evil, status: 'paused', status_reason: evil, answer: evil },
    })
    await worker.sql('update campaign_links set text = $2, url = $3 where campaign_id = $1', [
      ...[id, evil, `https://shop.example/"><script>alert(1)</script>`],
    ])
    await worker.sql(
      `insert into campaign_breakdown (campaign_id, dimension, value, opens) values ($1, 'country', $2, 9999), ($1, 'client', $2, 9999)`,
      [id, evil],
    )
    const { html } = await report(id)
    expect(html).not.toMatch(/<script|<img|<\/iframe><img/i)
    // In name (twice), subject, sender, reason, answer, four links, country and client.
    expect(html.match(/&quot;&gt;&lt;(script|Script)&gt;/g)?.length).toBeGreaterThanOrEqual(12)
    expect(html.match(/srcdoc="[^"]*"/g)).toHaveLength(1)
  })

  test('that cannot be read now says so', async () => {
    const token = await signTimed(keys, 'report', { id, expires_at: inAnHour() })
    await worker.sql('alter table campaign_breakdown rename to elsewhere')
    try {
      const { status, headers, html } = await open(token)
      expect([status, headers.get('retry-after'), html.includes('Please try again')]).toEqual([503, '60', true])
    } finally {
      await worker.sql('alter table elsewhere rename to campaign_breakdown')
    }
  })
})

/** Undoes what the page does to an attribute. */
function plain(text: string): string {
  const characters: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' }
  return text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => characters[entity] ?? '')
}
