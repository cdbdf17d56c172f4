import { exports } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordFeedback } from '../../src/feedback/record.ts'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi, type ProblemBody } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
})
afterAll(() => worker.close())

interface Campaign {
  id: number
  name: string
  status: string
  status_reason: string | null
  scheduled_at: string | null
  deliveries: { audience: number; open: number }
}

const GOOD = `<mjml><mj-body><mj-section><mj-column>
  <mj-text>Hello {{first_name}}, <a href="https://example.com/news?a=1&amp;b=2">read on</a></mj-text>
  <mj-text>{{sender.postal_address}} <a href="{{unsubscribe_url}}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>`

let made = 0
const unique = () => `${++made}-${crypto.randomUUID().slice(0, 8)}`

/** A sender, a list with `people` on it, a template and a draft, all through the API. */
async function draft({ people = 2, source = GOOD, format = 'mjml', text_source = null as string | null } = {}) {
  const sender = await api.post<{ id: number }>('/senders', {
    name: `Sender ${unique()}`,
    from_name: 'Acme',
    from_email: 'news@acme.example',
    postal_address: 'Acme GmbH, Hauptstraße 1, 10115 Berlin',
  })
  const list = await api.post<{ id: number }>('/lists', { name: `List ${unique()}` })
  if (people > 0) {
    await api.post('/subscribers/bulk', {
      subscribers: Array.from({ length: people }, () => ({
        email: `p-${unique()}@example.com`,
        first_name: 'Ada',
        list_ids: [list.body.id],
        consented_at: '2026-01-01T00:00:00Z',
        consent_source: 'test',
      })),
    })
  }
  const template = await api.post<{ id: number }>('/templates', { name: 'News', format, source, text_source })
  expect(template.status, JSON.stringify(template.body)).toBe(201)
  const content = {
    name: 'News',
    subject: 'News for {{first_name}}',
    template_id: template.body.id,
    sender_id: sender.body.id,
    audience: { include: [list.body.id] },
  }
  const created = await api.post<Campaign>('/campaigns', content)
  expect(created.status, JSON.stringify(created.body)).toBe(201)
  return { ...created.body, content, list_id: list.body.id }
}

/** One run of cron. The pool's own controller cannot cross into the Worker; ours is not looked at. */
const cron = () =>
  (exports.default as unknown as { scheduled(controller: object): Promise<void> }).scheduled({ cron: '* * * * *' })

describe('a draft', () => {
  test('is created, read, listed, changed and copied', async () => {
    const { id, content } = await draft()
    const read = await api.get<Campaign>(`/campaigns/${id}`)
    expect(read.body).toMatchObject({ ...content, status: 'draft', preheader: null, scheduled_at: null })
    const changed = await api.patch<Campaign>(`/campaigns/${id}`, { name: 'Better news' })
    expect(changed.body).toMatchObject({ ...content, name: 'Better news' })
    const copy = await api.post<Campaign>(`/campaigns/${id}/duplicate`)
    expect(copy.status).toBe(201)
    expect(copy.body).toMatchObject({ ...content, name: 'Better news (copy)', status: 'draft' })
    const page = await api.get<{ data: Campaign[] }>('/campaigns?status=draft&limit=2')
    expect(page.body.data.map((row) => row.id)).toEqual([copy.body.id, id])
  })

  test('can be deleted, unlike a campaign that has started', async () => {
    const { id } = await draft()
    expect((await api.delete(`/campaigns/${id}`)).status).toBe(204)
    expect((await api.get(`/campaigns/${id}`)).status).toBe(404)
    expect((await api.delete(`/campaigns/${id}`)).body.code).toBe('not_found')
    const started = await draft()
    await api.post(`/campaigns/${started.id}/send`)
    expect((await api.delete(`/campaigns/${started.id}`)).body.code).toBe('wrong_status')
  })

  test('pages by cursor, which belongs to its filter', async () => {
    for (let i = 0; i < 3; i++) await draft({ people: 0 })
    const first = await api.get<{ data: Campaign[]; next_cursor: string }>('/campaigns?limit=2')
    const second = await api.get<{ data: Campaign[] }>(`/campaigns?limit=2&cursor=${first.body.next_cursor}`)
    expect(Number(second.body.data[0]?.id)).toBeLessThan(Number(first.body.data[1]?.id))
    const foreign = await api.get(`/campaigns?status=sent&cursor=${first.body.next_cursor}`)
    expect([foreign.status, foreign.body.code]).toEqual([400, 'bad_cursor'])
    const junk = await api.get('/campaigns?cursor=junk')
    expect([junk.status, junk.body.code]).toEqual([400, 'bad_cursor'])
  })

  test('names each id that is not there', async () => {
    const { content, list_id } = await draft()
    const bad = await api.post('/campaigns', {
      ...content,
      template_id: 987654,
      sender_id: 987655,
      audience: { include: [list_id, 987656], exclude: [987657] },
    })
    expect(bad.status).toBe(422)
    expect(bad.body.errors.map((e) => e.field)).toEqual([
      'template_id',
      'sender_id',
      'audience.include.1',
      'audience.exclude.0',
    ])
  })

  test.each([
    ['no audience', { audience: undefined }, 'audience'],
    ['an empty audience', { audience: { include: [] } }, 'audience.include'],
    ['a sample over 100 %', { audience: { include: [1], sample: { percent: 101 } } }, 'audience.sample.percent'],
    ['a subject of two lines', { subject: 'a\nBcc: everyone@example.com' }, 'subject'],
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['a name that is a number', { name: 7 }, 'name'],
  ])('is refused with %s', async (_, change, field) => {
    const { content } = await draft({ people: 0 })
    const before = await worker.sql('select count(*)::int as n from campaigns')
    const bad = await api.post('/campaigns', { ...content, ...change })
    expect([bad.status, bad.body.code, bad.body.errors[0]?.field]).toEqual([422, 'validation_failed', field])
    expect(await worker.sql('select count(*)::int as n from campaigns')).toEqual(before)
  })

  test('an unknown campaign is 404, and says which', async () => {
    for (const path of ['', '/stats', '/deliveries', '/deliveries/1']) {
      const answer = await api.get(`/campaigns/424242${path}`)
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
      expect(answer.body.detail).toContain('424242')
    }
    for (const verb of ['send', 'pause', 'resume', 'cancel', 'duplicate']) {
      expect((await api.post(`/campaigns/424242/${verb}`)).status).toBe(404)
    }
  })
})

describe('starting', () => {
  const status = async (id: number) => (await api.get<Campaign>(`/campaigns/${id}`)).body.status

  async function refusal(options: Parameters<typeof draft>[0]) {
    const { id } = await draft(options)
    const answer = await api.post<ProblemBody>(`/campaigns/${id}/send`)
    expect([answer.status, answer.body.code]).toEqual([422, 'campaign_not_ready'])
    expect(await status(id)).toBe('draft')
    const [row] = await worker.sql('select snapshot from campaigns where id = $1', [id])
    expect(row?.snapshot).toBeNull()
    return answer.body.errors.map((error) => error.detail).join('\n')
  }

  test('moves a draft to sending with a snapshot that later changes do not reach', async () => {
    const { id, content } = await draft()
    const sent = await api.post<Campaign>(`/campaigns/${id}/send`)
    expect([sent.status, sent.body.status]).toEqual([202, 'sending'])
    await api.patch(`/templates/${content.template_id}`, { source: GOOD.replace('Hello', 'Goodbye') })
    const [row] = await worker.sql<{ html: string; version: string }>(
      `select snapshot ->> 'html' as html, snapshot ->> 'template_version' as version from campaigns where id = $1`,
      [id],
    )
    expect(row?.html).toContain('Hello')
    expect(row?.html).toMatch(/https:\/\/mail\.test\/t\/c\/\{\{\{@click\}\}\}\/1\./)
    expect(row?.html).not.toContain('@links')
    expect(row?.version).toBe('1')
    expect(await worker.sql('select n, url, text from campaign_links where campaign_id = $1', [id])).toEqual([
      { n: 1, url: 'https://example.com/news?a=1&b=2', text: 'read on' },
    ])
  })

  test('happens once, however many ask', async () => {
    const { id } = await draft()
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.post(`/campaigns/${id}/send`)))
    expect(answers.map((a) => a.status).sort()).toEqual([202, 409, 409, 409, 409, 409])
  })

  test('is refused without a subscriber in the audience', async () => {
    expect(await refusal({ people: 0 })).toContain('the audience is empty')
  })

  test('is refused when a list it names was deleted: an exclusion is never lost in silence', async () => {
    const campaign = await draft()
    const { body: excluded } = await api.post<{ id: number }>('/lists', { name: `List ${unique()}` })
    await api.patch(`/campaigns/${campaign.id}`, {
      audience: { include: [campaign.list_id], exclude: [campaign.list_id, excluded.id] },
    })
    expect((await api.delete(`/lists/${excluded.id}`)).status).toBe(204)
    const answer = await api.post(`/campaigns/${campaign.id}/send`)
    expect([answer.status, answer.body.code]).toEqual([422, 'campaign_not_ready'])
    expect(answer.body.errors).toEqual([
      { field: 'audience.exclude.1', detail: `names no mailing list: there is no list ${excluded.id}` },
    ])
  })

  test('and the deletion of its list: one of the two happens', async () => {
    for (let round = 0; round < 8; round++) {
      const { id, list_id } = await draft()
      const [sent, deleted] = await Promise.all([api.post(`/campaigns/${id}/send`), api.delete(`/lists/${list_id}`)])
      expect([
        [202, 409],
        [422, 204],
        [409, 204],
      ]).toContainEqual([sent.status, deleted.status])
    }
  })

  test('is refused without the postal address in either part', async () => {
    const html = '<p>Hi <a href="{{unsubscribe_url}}">leave</a></p>'
    const text_source = 'Hi {{unsubscribe_url}}'
    const reasons = await refusal({ format: 'html', source: html, text_source })
    expect(reasons).toContain("HTML part lacks the sender's postal address")
    expect(reasons).toContain("text part lacks the sender's postal address")
  })

  test('is refused when the address or the link are there but nobody can see them', async () => {
    const source = `<p>Hi</p><!-- {{sender.postal_address}} <a href="{{unsubscribe_url}}">x</a> -->
      <div style="display: none">{{sender.postal_address}} <a href="{{unsubscribe_url}}">x</a></div>`
    const reasons = await refusal({
      format: 'html',
      source,
      text_source: '{{sender.postal_address}} {{unsubscribe_url}}',
    })
    expect(reasons).toContain("HTML part lacks the sender's postal address")
    expect(reasons).toContain('HTML part lacks a working unsubscribe link')
    expect(reasons).not.toContain('text part')
  })

  test('is refused when only some recipients would see the unsubscribe link', async () => {
    const source = `<p>{{sender.postal_address}} {{#if first_name}}<a href="{{unsubscribe_url}}">leave</a>{{/if}}</p>`
    expect(await refusal({ format: 'html', source })).toContain('lacks a working unsubscribe link')
  })

  test('an unsubscribe link to somewhere else does not count', async () => {
    const source = `<p>{{sender.postal_address}} <a href="https://acme.example/unsubscribe">Unsubscribe</a></p>`
    expect(await refusal({ format: 'html', source })).toContain('HTML part lacks a working unsubscribe link')
  })

  test('needs the scope send', async () => {
    const { id } = await draft()
    const writer = await openApi(worker, ['read', 'write'])
    const answer = await writer.post(`/campaigns/${id}/send`)
    expect([answer.status, answer.body.code]).toEqual([403, 'scope_missing'])
    expect(await status(id)).toBe('draft')
  })

  test('a started campaign cannot be changed, started or scheduled', async () => {
    const { id } = await draft()
    await api.post(`/campaigns/${id}/send`)
    for (const answer of [
      await api.patch(`/campaigns/${id}`, { name: 'x' }),
      await api.post(`/campaigns/${id}/send`),
      await api.post(`/campaigns/${id}/schedule`, { scheduled_at: '2099-01-01T00:00:00Z' }),
      await api.delete(`/campaigns/${id}/schedule`),
      await api.post(`/campaigns/${id}/resume`),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([409, 'wrong_status'])
      expect(answer.body.detail).toContain(`Campaign ${id}`)
    }
  })

  test('pause, resume and cancel each leave from their own states only', async () => {
    const { id } = await draft()
    expect((await api.post(`/campaigns/${id}/pause`)).body.code).toBe('wrong_status')
    await api.post(`/campaigns/${id}/send`)
    const seen: unknown[] = []
    for (const verb of ['pause', 'pause', 'resume', 'cancel', 'cancel', 'resume']) {
      const answer = await api.post<Campaign>(`/campaigns/${id}/${verb}`)
      seen.push(answer.status === 200 ? answer.body.status : answer.status)
    }
    expect(seen).toEqual(['paused', 409, 'sending', 'cancelled', 409, 409])
  })
})

test('everything at once: no call fails, and the campaign ends in a state that its calls allow', async () => {
  for (let round = 0; round < 4; round++) {
    const { id, content, list_id } = await draft()
    const calls = await Promise.all([
      api.post(`/campaigns/${id}/send`),
      api.post(`/campaigns/${id}/schedule`, { scheduled_at: '2099-01-01T00:00:00Z' }),
      api.patch(`/campaigns/${id}`, { name: 'changed' }),
      api.post(`/campaigns/${id}/pause`),
      api.post(`/campaigns/${id}/resume`),
      api.delete(`/campaigns/${id}/schedule`),
      api.delete(`/templates/${content.template_id}`),
      api.delete(`/senders/${content.sender_id}`),
      api.delete(`/lists/${list_id}`),
      api.post(`/campaigns/${id}/duplicate`),
    ])
    for (const { status, body } of calls) expect(status, JSON.stringify(body)).toBeLessThan(500)
    expect(['draft', 'scheduled', 'sending', 'paused']).toContain(
      (await api.get<Campaign>(`/campaigns/${id}`)).body.status,
    )
  }
})

test('a campaign and the deletion of its sender at once: one of the two happens', async () => {
  const { content } = await draft()
  for (let round = 0; round < 12; round++) {
    const { body: sender } = await api.post<{ id: number }>('/senders', {
      name: `Sender ${unique()}`,
      from_name: 'Acme',
      from_email: 'news@acme.example',
      postal_address: 'Street 1',
    })
    const [created, deleted] = await Promise.all([
      api.post('/campaigns', { ...content, sender_id: sender.id }),
      api.delete(`/senders/${sender.id}`),
    ])
    expect([
      [201, 409],
      [422, 204],
    ]).toContainEqual([created.status, deleted.status])
  }
})

describe('a schedule', () => {
  test('is kept, moved and cancelled', async () => {
    const { id } = await draft()
    const set = await api.post<Campaign>(`/campaigns/${id}/schedule`, { scheduled_at: '2099-01-01T09:00:00Z' })
    expect(set.body).toMatchObject({ status: 'scheduled', scheduled_at: '2099-01-01T09:00:00.000Z' })
    const moved = await api.post<Campaign>(`/campaigns/${id}/schedule`, { scheduled_at: '2099-02-01T09:00:00Z' })
    expect(moved.body.scheduled_at).toBe('2099-02-01T09:00:00.000Z')
    expect((await api.patch(`/campaigns/${id}`, { name: 'x' })).body.code).toBe('wrong_status')
    const dropped = await api.delete<Campaign>(`/campaigns/${id}/schedule`)
    expect(dropped.body).toMatchObject({ status: 'draft', scheduled_at: null })
  })

  test('in the past or without a zone is refused', async () => {
    const { id } = await draft()
    for (const scheduled_at of ['2020-01-01T00:00:00Z', '2099-01-01T00:00', 'tomorrow']) {
      const answer = await api.post(`/campaigns/${id}/schedule`, { scheduled_at })
      expect([answer.status, answer.body.errors[0]?.field]).toEqual([422, 'scheduled_at'])
    }
  })

  test('cron starts what is due, and sends back to draft what cannot start', async () => {
    const good = await draft()
    const bad = await draft({ format: 'html', source: '<p>no address</p>' })
    const later = await draft()
    for (const { id } of [good, bad, later]) {
      await api.post(`/campaigns/${id}/schedule`, { scheduled_at: '2099-01-01T00:00:00Z' })
    }
    await worker.sql(`update campaigns set scheduled_at = now() - interval '1 second' where id = any($1::bigint[])`, [
      [good.id, bad.id],
    ])
    await worker.redis.zadd(worker.keys.wake, { score: 1, member: String(good.id) })
    await cron()
    const read = async (id: number) => (await api.get<Campaign>(`/campaigns/${id}`)).body
    expect((await read(good.id)).status).toBe('sending')
    const returned = await read(bad.id)
    expect(returned.status).toBe('draft')
    expect(returned.status_reason).toMatch(/Could not start: .*postal address/)
    expect((await read(later.id)).status).toBe('scheduled')
  })
})

describe('numbers', () => {
  test('stats and deliveries of a campaign that has frozen its audience', async () => {
    const { id } = await draft({ people: 3 })
    await api.post(`/campaigns/${id}/send`)
    await expect.poll(async () => (await api.get<Campaign>(`/campaigns/${id}`)).body.deliveries.audience).toBe(3)
    const stats = await api.get<{ deliveries: object; rates: object }>(`/campaigns/${id}/stats`)
    expect(stats.body).toMatchObject({
      campaign_id: id,
      deliveries: { audience: 3, open: 3, sent: 0 },
      opens: 0,
      rates: { open_rate: null },
      links: [{ n: 1, clicks: 0 }],
      series: { unit: 'hour', time_zone: 'UTC', points: [] },
      buffered_events: 0,
      buffered_seconds: null,
    })
    const first = await api.get<{ data: { state: string; email: string }[]; next_cursor: string }>(
      `/campaigns/${id}/deliveries?limit=2`,
    )
    expect(first.body.data.map((row) => row.state)).toEqual(['pending', 'pending'])
    const rest = await api.get<{ data: unknown[]; next_cursor: null }>(
      `/campaigns/${id}/deliveries?limit=2&cursor=${first.body.next_cursor}`,
    )
    expect([rest.body.data.length, rest.body.next_cursor]).toEqual([1, null])
    expect((await api.get<{ data: unknown[] }>(`/campaigns/${id}/deliveries?state=sent`)).body.data).toEqual([])
  })

  test('one delivery with its timeline; the words of servers come as they are', async () => {
    const { id } = await draft({ people: 1 })
    await api.post(`/campaigns/${id}/send`)
    await expect.poll(async () => (await api.get<Campaign>(`/campaigns/${id}`)).body.deliveries.audience).toBe(1)
    const [row] = await worker.sql<{ subscriber_id: number }>(
      `update deliveries set state = 'sent', account = 'main', answer = '250 ok', sent_at = now(), lease_token = gen_random_uuid()
       where campaign_id = $1 returning subscriber_id::int`,
      [id],
    )
    const subscriber_id = row?.subscriber_id ?? 0
    const diagnostic = '550 5.1.1 <script>alert("x")</script> no such user'
    const occurred_at = new Date().toISOString()
    await recordFeedback(worker.db, [
      {
        event_id: crypto.randomUUID(),
        source: 'ses',
        kind: 'hard_bounce',
        campaign_id: id,
        subscriber_id,
        recipient: null,
        occurred_at,
        diagnostic,
        raw: null,
      },
    ])
    const one = await api.get<{ timeline: { at: string; what: string; detail: string | null }[] }>(
      `/campaigns/${id}/deliveries/${subscriber_id}`,
    )
    expect(one.headers.get('content-type')).toMatch(/^application\/json/)
    expect(one.body).toMatchObject({ subscriber_id, state: 'sent', account: 'main', bounced_at: expect.any(String) })
    expect(one.body.timeline.map(({ what, detail }) => [what, detail])).toEqual([
      ['queued', null],
      ['sent', 'by account main: 250 ok'],
      ['bounced', `hard: told by ses: ${diagnostic}`],
    ])
    const stats = await api.get<object>(`/campaigns/${id}/stats`)
    expect(stats.body).toMatchObject({ delivered: 0, bounces: { hard: 1, soft: 0 }, blocked: 0, complaints: 0 })
    const none = await api.get(`/campaigns/${id}/deliveries/424242`)
    expect([none.status, none.body.code]).toEqual([404, 'not_found'])
    expect((await api.get(`/campaigns/${id}/deliveries/first`)).status).toBe(422)
  })
})
