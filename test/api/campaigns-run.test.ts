// The verbs that hold up, end and reopen a campaign: from which states, with which bodies.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openTestWorker, type TestWorker } from '../support/worker.ts'
import { openApi } from './client.ts'

let worker: TestWorker
let api: Awaited<ReturnType<typeof openApi>>
let content: Record<string, unknown>
let list_id: number

beforeAll(async () => {
  worker = await openTestWorker()
  api = await openApi(worker)
  const sender = await api.post<Row>('/senders', senderOf())
  const template = await api.post<Row>('/templates', {
    name: 'News',
    format: 'html',
    source: '<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">leave</a></p>',
  })
  content = { name: 'News', subject: 'News', template_id: template.body.id, sender_id: sender.body.id }
})
afterAll(() => worker.close())
beforeEach(async () => {
  const list = await api.post<Row>('/lists', { name: `List ${crypto.randomUUID()}` })
  list_id = list.body.id
  await join(2)
})

interface Row {
  id: number
}
interface Campaign extends Row {
  status: string
  status_reason: string | null
  scheduled_at: string | null
  max_late_minutes: number
  account: string | null
  audience_frozen: boolean
  deliveries: { audience: number; open: number; failed: number; sent: number }
}

const senderOf = (fields: object = {}) => ({
  name: `Sender ${crypto.randomUUID()}`,
  from_name: 'Acme',
  from_email: 'news@acme.example',
  postal_address: 'Acme, 1 Main Street',
  ...fields,
})

const join = (people: number) =>
  api.post('/subscribers/bulk', {
    subscribers: Array.from({ length: people }, () => ({
      email: `p-${crypto.randomUUID()}@example.com`,
      list_ids: [list_id],
      consented_at: '2026-01-01T00:00:00Z',
      consent_source: 'test',
    })),
  })

async function draft(fields: object = {}) {
  const created = await api.post<Campaign>('/campaigns', { ...content, audience: { include: [list_id] }, ...fields })
  expect(created.status, JSON.stringify(created.body)).toBe(201)
  return created.body.id
}

const FUTURE = '2099-01-01T00:00:00Z'
const read = async (id: number) => (await api.get<Campaign>(`/campaigns/${id}`)).body
const verb = (id: number, name: string, body?: unknown) => api.post<Campaign>(`/campaigns/${id}/${name}`, body)

/** A campaign whose audience is frozen, and a queue that sends nothing. */
async function started(people = 2) {
  const id = await draft()
  await verb(id, 'send')
  await expect.poll(async () => (await read(id)).deliveries.audience).toBe(people)
  await expect.poll(async () => (await read(id)).audience_frozen).toBe(true)
  return id
}

/** Everybody's mail failed, or was sent. */
const end = (id: number, state: 'failed' | 'sent', reason: string | null = null) =>
  worker.sql(
    `with ended as (update deliveries set state = $2, reason = $3 where campaign_id = $1 and state = 'pending' returning batch),
       sums as (select batch, count(*) as n from ended group by batch)
     update batches b set open = b.open - s.n, ${state} = ${state} + s.n from sums s where campaign_id = $1 and b.n = s.batch`,
    [id, state, reason],
  )

/** A campaign as it is in each state. */
const states = {
  draft: () => draft(),
  scheduled: async () => {
    const id = await draft()
    await verb(id, 'schedule', { scheduled_at: FUTURE })
    return id
  },
  'scheduled and paused': async () => {
    const id = await states.scheduled()
    await verb(id, 'pause')
    return id
  },
  sending: () => started(),
  paused: async () => {
    const id = await started()
    await verb(id, 'pause')
    return id
  },
  sent: async () => {
    const id = await started()
    await end(id, 'sent')
    await worker.sql(`update campaigns set status = 'sent', finished_at = now() where id = $1`, [id])
    return id
  },
  cancelled: async () => {
    const id = await draft()
    await verb(id, 'schedule', { scheduled_at: FUTURE })
    await verb(id, 'cancel')
    return id
  },
}

/** What each verb makes of a campaign in each state; null is 409 wrong_status. */
const TABLE: Record<keyof typeof states, Record<string, string | null>> = {
  draft: {
    pause: null,
    resume: null,
    cancel: null,
    'retry-failed': null,
    'send-to-new': null,
    unschedule: null,
    accept: null,
    resend: null,
  },
  scheduled: {
    pause: 'paused',
    resume: null,
    cancel: 'cancelled',
    'retry-failed': null,
    'send-to-new': null,
    unschedule: 'draft',
    change: null,
    delete: null,
    schedule: 'scheduled',
  },
  'scheduled and paused': {
    pause: null,
    resume: 'scheduled',
    cancel: 'cancelled',
    'retry-failed': null,
    'send-to-new': null,
    unschedule: 'draft',
    change: null,
    delete: null,
    schedule: 'scheduled',
    send: null,
  },
  sending: {
    resume: null,
    unschedule: null,
    schedule: null,
    resend: 'sending',
    accept: 'sending',
    pause: 'paused',
    cancel: 'cancelled',
  },
  paused: {
    pause: null,
    'send-to-new': null,
    unschedule: null,
    schedule: null,
    'retry-failed': 'paused',
    resume: 'sending',
    cancel: 'cancelled',
  },
  sent: {
    pause: null,
    resume: null,
    cancel: null,
    unschedule: null,
    schedule: null,
    send: null,
    'retry-failed': 'sent',
    delete: null,
  },
  cancelled: {
    pause: null,
    resume: null,
    cancel: null,
    'retry-failed': null,
    'send-to-new': null,
    unschedule: null,
    schedule: null,
    send: null,
    change: null,
    resend: null,
    delete: 'gone',
  },
}

const CALLS: Record<string, (id: number) => Promise<{ status: number; body: unknown }>> = {
  change: (id) => api.patch(`/campaigns/${id}`, { name: 'x' }),
  delete: (id) => api.delete(`/campaigns/${id}`),
  accept: (id) => verb(id, 'resolve-unconfirmed', { as: 'accept' }),
  resend: (id) => verb(id, 'resolve-unconfirmed', { as: 'resend' }),
  unschedule: (id) => api.delete(`/campaigns/${id}/schedule`),
  schedule: (id) => verb(id, 'schedule', { scheduled_at: FUTURE }),
}

describe.each(Object.keys(TABLE) as (keyof typeof states)[])('a campaign that is %s', (state) => {
  const verbs = Object.entries(TABLE[state])

  test('refuses what does not fit, and is as it was', async () => {
    const id = await states[state]()
    const before = await read(id)
    for (const [name] of verbs.filter(([, to]) => to === null)) {
      const answer = await (CALLS[name] ?? (() => verb(id, name)))(id)
      expect([name, answer.status, answer.body]).toEqual([name, 409, expect.objectContaining({ code: 'wrong_status' })])
    }
    expect(await read(id)).toEqual(before)
  })

  test.each(verbs.filter(([, to]) => to !== null))('%s: %s', async (name, to) => {
    const id = await states[state]()
    const answer = await (CALLS[name] ?? (() => verb(id, name)))(id)
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    expect((await read(id)).status ?? 'gone').toBe(to === 'gone' ? 404 : to)
  })
})

test('a refusal says that a paused campaign was never started', async () => {
  const id = await states['scheduled and paused']()
  const answer = await api.post(`/campaigns/${id}/send-to-new`)
  expect(answer.body.code).toBe('wrong_status')
  const retried = await api.post(`/campaigns/${id}/retry-failed`)
  expect(retried.body.detail).toBe(
    `Campaign ${id} is scheduled and paused; only a sending, paused or sent one can be tried again.`,
  )
})

describe('retry-failed', () => {
  test('puts back all but dead addresses, without a body; those too when they are named', async () => {
    const id = await started()
    await end(id, 'failed', 'no_such_address')
    await worker.sql(
      `update deliveries set reason = 'refused' where subscriber_id = (select min(subscriber_id) from deliveries where campaign_id = $1)`,
      [id],
    )
    await worker.sql(`update campaigns set status = 'sent', finished_at = now() where id = $1`, [id])
    expect((await verb(id, 'retry-failed')).body).toEqual({ changed: 1 })
    expect(await read(id)).toMatchObject({ status: 'sending', finished_at: null, deliveries: { open: 1, failed: 1 } })
    expect((await verb(id, 'retry-failed', {})).body).toEqual({ changed: 0 })
    const named = await verb(id, 'retry-failed', { reasons: ['no_such_address', 'gave_up'] })
    expect([named.status, named.body]).toEqual([200, { changed: 1 }])
    expect((await read(id)).deliveries).toMatchObject({ open: 2, failed: 0 })
  })

  test('is done once under an Idempotency-Key', async () => {
    const id = await started()
    await end(id, 'failed', 'gave_up')
    const key = { 'idempotency-key': crypto.randomUUID() }
    const call = () => api.post<{ changed: number }>(`/campaigns/${id}/retry-failed`, undefined, key)
    const [first, second] = [await call(), await call()]
    expect([first.body, second.body]).toEqual([{ changed: 2 }, { changed: 2 }])
    expect(second.headers.get('idempotency-replayed')).toBe('true')
  })

  test.each([
    [{ reasons: [] }, 'reasons'],
    [{ reasons: ['greylisted'] }, 'reasons.0'],
    [{ reasons: 'refused' }, 'reasons'],
    [{ reason: ['refused'] }, 'reason'],
    [[], 'body'],
  ])('refuses %j', async (body, field) => {
    const id = await started()
    await end(id, 'failed', 'refused')
    const answer = await api.post(`/campaigns/${id}/retry-failed`, body)
    expect([answer.status, answer.body.errors[0]?.field]).toEqual([422, field])
    expect((await read(id)).deliveries.failed).toBe(2)
  })
})

test('send-to-new reaches who joined since, and nobody twice', async () => {
  const id = await states.sent()
  await join(3)
  const answer = await verb(id, 'send-to-new')
  expect([answer.status, answer.body.status]).toEqual([202, 'sending'])
  await expect.poll(async () => (await read(id)).deliveries).toMatchObject({ audience: 5, open: 3, sent: 2 })
  await expect.poll(async () => (await read(id)).audience_frozen).toBe(true)
  await end(id, 'sent')
  // With nobody new it ends by itself.
  expect((await verb(id, 'send-to-new')).status).toBe(202)
  await expect.poll(async () => (await read(id)).status).toBe('sent')
  expect((await read(id)).deliveries).toMatchObject({ audience: 5, sent: 5 })
})

describe('a schedule', () => {
  test('says how late it may start: two hours, unless it is told otherwise', async () => {
    const id = await draft()
    expect((await verb(id, 'schedule', { scheduled_at: FUTURE })).body.max_late_minutes).toBe(120)
    expect((await verb(id, 'schedule', { scheduled_at: FUTURE, max_late_minutes: 5 })).body.max_late_minutes).toBe(5)
    expect((await verb(id, 'schedule', { scheduled_at: FUTURE })).body.max_late_minutes).toBe(120)
  })

  test.each([0, -1, 10_081, 1.5, '5', null])('refuses max_late_minutes %j', async (max_late_minutes) => {
    const id = await draft()
    const answer = await api.post(`/campaigns/${id}/schedule`, { scheduled_at: FUTURE, max_late_minutes })
    expect([answer.status, answer.body.errors[0]?.field]).toEqual([422, 'max_late_minutes'])
    expect((await read(id)).status).toBe('draft')
  })
})

describe('an account', () => {
  const NO_SUCH = 'names no sending account: there are inbox, bound'
  const NOT_FROM = 'names a sending account that may not send from acme.example; these may: inbox'

  test('of a campaign is kept, copied, emptied, and holds in place of its sender’s', async () => {
    const id = await draft({ account: 'inbox' })
    expect((await read(id)).account).toBe('inbox')
    expect((await verb(id, 'duplicate')).body.account).toBe('inbox')
    await verb(id, 'send')
    const account = `select snapshot -> 'sender' ->> 'account' as account from campaigns where id = $1`
    expect(await worker.sql(account, [id])).toEqual([{ account: 'inbox' }])
    const other = await draft({ account: 'inbox' })
    expect((await api.patch<Campaign>(`/campaigns/${other}`, { account: null })).body.account).toBeNull()
  })

  test.each([
    ['nowhere', NO_SUCH],
    ['bound', NOT_FROM],
  ])('%s is refused, by campaigns and senders, made or changed', async (account, detail) => {
    const id = await draft()
    const audience = { include: [list_id] }
    for (const answer of [
      await api.post('/campaigns', { ...content, audience, account }),
      await api.patch(`/campaigns/${id}`, { account }),
      await api.post('/senders', senderOf({ account })),
      await api.patch(`/senders/${content.sender_id}`, { account }),
    ]) {
      expect([answer.status, answer.body.errors]).toEqual([422, [{ field: 'account', detail }]])
    }
    expect((await read(id)).account).toBeNull()
  })

  test('must fit the address that comes to it', async () => {
    const bound = await api.post<Row>('/senders', senderOf({ account: 'bound', from_email: 'a@bound.example' }))
    expect(bound.status).toBe(201)
    const id = await draft({ account: 'bound', sender_id: bound.body.id })
    const moved = await api.patch(`/campaigns/${id}`, { sender_id: content.sender_id })
    const renamed = await api.patch(`/senders/${bound.body.id}`, { from_email: 'a@acme.example' })
    expect([moved.status, moved.body.errors[0]?.field]).toEqual([422, 'sender_id'])
    expect([renamed.status, renamed.body.errors]).toEqual([
      422,
      [{ field: 'from_email', detail: `does not fit account bound: it ${NOT_FROM}` }],
    ])
    expect((await api.patch(`/senders/${bound.body.id}`, { from_email: 'b@bound.example' })).status).toBe(200)
  })

  test('that no longer fits when the campaign starts keeps it from starting', async () => {
    const id = await draft()
    await worker.sql(`update campaigns set account = 'bound' where id = $1`, [id])
    const answer = await api.post(`/campaigns/${id}/send`)
    expect([answer.status, answer.body.code, answer.body.errors]).toEqual([
      422,
      'campaign_not_ready',
      [{ field: 'account', detail: NOT_FROM }],
    ])
    const other = await draft()
    await worker.sql(`update senders set account = 'nowhere' where id = $1`, [content.sender_id])
    const refused = await api.post(`/campaigns/${other}/send`)
    await worker.sql(`update senders set account = null where id = $1`, [content.sender_id])
    expect(refused.body.errors).toEqual([{ field: 'sender_id', detail: `the sender ${NO_SUCH}` }])
    expect((await read(other)).status).toBe('draft')
  })
})
