import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { flushEvents } from '../../../src/events/flush.ts'
import type { FeedbackEvent, FeedbackKind } from '../../../src/feedback/event.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { deleteSubscriber } from '../../../src/subscribers/delete.ts'
import { NOBODY } from '../../../src/tokens/nobody.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { event } from '../events/events.ts'
import { consequences, differences, later, news, sentCampaign, turn } from './news.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
  // What pauses a campaign has a test of its own.
  await t.sql('update settings set pause_complaint_share = 1, pause_bounce_share = 1, pause_block_share = 1')
})
afterAll(() => t.close())
afterEach(async () => expect(await differences(t)).toEqual([]))

const record = (...events: FeedbackEvent[]) => recordFeedback(t.db, events)
const emailOf = async (id: number) =>
  String((await t.sql('select email from subscribers where id = $1', [id]))[0]?.email)

type Mail = Awaited<ReturnType<typeof oneMail>>
/** A mail that was sent, the only one of its campaign. */
async function oneMail() {
  const { campaign_id, list_id, subscriber_ids } = await sentCampaign(t, 1)
  const [id] = subscriber_ids
  if (id === undefined) throw new Error('nobody')
  return { campaign_id, list_id, id, email: await emailOf(id) }
}

describe('what follows from one piece of news', () => {
  test.each<[FeedbackKind, object]>([
    ['delivered', { status: 'active', suppressed: null, membership: 'subscribed', opted_out: 0 }],
    ['deferred', { status: 'active', suppressed: null, membership: 'subscribed', opted_out: 0 }],
    ['soft_bounce', { status: 'active', suppressed: null, membership: 'subscribed', opted_out: 0 }],
    ['blocked', { status: 'active', suppressed: null, membership: 'subscribed', opted_out: 0 }],
    ['hard_bounce', { status: 'bounced', suppressed: [[true, 'bounce']], membership: 'subscribed', opted_out: 0 }],
    [
      'complaint',
      { status: 'complained', suppressed: [[true, 'complaint']], membership: 'unsubscribed', opted_out: 1 },
    ],
  ])('%s', async (kind, expected) => {
    const { campaign_id, id } = await oneMail()
    expect(await record(news(kind, campaign_id, id))).toEqual({ recorded: 1, unmatched: 0, campaigns: [campaign_id] })
    const found = await consequences(t, campaign_id, id)
    expect(found).toMatchObject({ ...expected, state: 'sent' })
    const column = {
      delivered: 'delivered',
      deferred: null,
      soft_bounce: 'soft_bounces',
      hard_bounce: 'hard_bounces',
      blocked: 'blocks',
      complaint: 'complaints',
    }[kind]
    const none = { delivered: 0, soft_bounces: 0, hard_bounces: 0, blocks: 0, complaints: 0 }
    expect(found.totals).toEqual({ ...none, ...(column ? { [column]: 1 } : {}) })
  })

  test('where a suppression and an opt-out come from is written beside them', async () => {
    const { campaign_id, id, email } = await oneMail()
    await record(news('complaint', campaign_id, id, { source: 'sendgrid' }))
    expect(await t.sql('select kind, reason, source from suppressions where value = $1', [email])).toEqual([
      { kind: 'address', reason: 'complaint', source: `complaint, campaign ${campaign_id} (sendgrid)` },
    ])
    expect(await t.sql('select list_id, action, source from consents where subscriber_id = $1', [id])).toEqual([
      { list_id: null, action: 'unsubscribed', source: `complaint, campaign ${campaign_id} (sendgrid)` },
    ])
  })

  test('an address that the subscriber has left is suppressed alone', async () => {
    const { campaign_id, id } = await oneMail()
    await record(news('hard_bounce', campaign_id, id, { recipient: `Old-${id}@Example.com` }))
    expect(await consequences(t, campaign_id, id)).toMatchObject({ status: 'active', suppressed: null })
    expect(await t.sql('select reason from suppressions where value = $1', [`old-${id}@example.com`])).toEqual([
      { reason: 'bounce' },
    ])
  })

  test('a complaint from an address that the subscriber has left is theirs all the same', async () => {
    const { campaign_id, id } = await oneMail()
    await record(news('complaint', campaign_id, id, { recipient: `old-${id}@example.com` }))
    expect(await consequences(t, campaign_id, id)).toMatchObject({
      status: 'complained',
      suppressed: [[true, 'complaint']],
    })
    expect(await t.sql('select reason from suppressions where value = $1', [`old-${id}@example.com`])).toEqual([
      { reason: 'complaint' },
    ])
  })

  test('a bounce by mail may name whom it was forwarded to: the address that bounced is ours', async () => {
    const { campaign_id, id } = await oneMail()
    await record(news('hard_bounce', campaign_id, id, { source: 'mail', recipient: `forward-${id}@example.com` }))
    expect(await consequences(t, campaign_id, id)).toMatchObject({ status: 'bounced', suppressed: [[true, 'bounce']] })
    expect(await t.sql('select 1 from suppressions where value = $1', [`forward-${id}@example.com`])).toEqual([])
  })

  test.each([
    ['unsubscribed', 'hard_bounce', 'bounced'],
    ['complained', 'hard_bounce', 'complained'],
    ['bounced', 'hard_bounce', 'bounced'],
    ['bounced', 'complaint', 'complained'],
    ['unsubscribed', 'complaint', 'complained'],
  ] as const)('of a subscriber who is %s a %s leaves %s', async (before, kind, after) => {
    const { campaign_id, id } = await oneMail()
    await t.sql('update subscribers set status = $2 where id = $1', [id, before])
    await record(news(kind, campaign_id, id))
    expect((await consequences(t, campaign_id, id)).status).toBe(after)
  })

  test('a suppression that somebody decided on keeps its reason; one for a bounce yields to a complaint', async () => {
    const { campaign_id, id, email } = await oneMail()
    await t.sql(`insert into suppressions (kind, value, reason, source) values ('address', $1, 'manual', 'me')`, [
      email,
    ])
    await record(news('complaint', campaign_id, id))
    expect(await t.sql('select reason, source from suppressions where value = $1', [email])).toEqual([
      { reason: 'manual', source: 'me' },
    ])
    const other = await oneMail()
    await record(news('hard_bounce', other.campaign_id, other.id))
    await record(news('complaint', other.campaign_id, other.id))
    expect((await consequences(t, other.campaign_id, other.id)).suppressed).toEqual([[true, 'complaint']])
  })

  test('who complained is off the lists of the campaign, also of one that they were not on', async () => {
    const { campaign_id, id, list_id } = await oneMail()
    await t.sql('delete from list_members where subscriber_id = $1', [id])
    await record(news('complaint', campaign_id, id, { occurred_at: later(5) }))
    expect(
      await t.sql(
        'select list_id::int, status, unsubscribed_at = $2 as at_once from list_members where subscriber_id = $1',
        [id, later(5)],
      ),
    ).toEqual([{ list_id, status: 'unsubscribed', at_once: true }])
  })
})

describe('told again', () => {
  test('the same event counts once, however often and at once it is told', async () => {
    const { campaign_id, id } = await oneMail()
    const event = news('complaint', campaign_id, id)
    const answers = await Promise.all(Array.from({ length: 8 }, () => record(event, event)))
    expect(answers.map(({ recorded }) => recorded).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 1])
    expect(answers.map(({ campaigns }) => campaigns)).toEqual(answers.map(() => [campaign_id]))
    expect(await record(event)).toEqual({ recorded: 0, unmatched: 0, campaigns: [campaign_id] })
    expect(await consequences(t, campaign_id, id)).toMatchObject({ opted_out: 1, totals: { complaints: 1 } })
  })

  test('one recipient counts once for each kind, whatever the number of events', async () => {
    const { campaign_id, id } = await oneMail()
    await Promise.all([
      record(news('hard_bounce', campaign_id, id), news('hard_bounce', campaign_id, id)),
      record(news('hard_bounce', campaign_id, id), news('delivered', campaign_id, id)),
      record(news('delivered', campaign_id, id)),
    ])
    expect((await consequences(t, campaign_id, id)).totals).toMatchObject({ hard_bounces: 1, delivered: 1 })
  })

  test('a suppression that its owner lifted is not brought back by what was told before', async () => {
    const { campaign_id, id, email } = await oneMail()
    const event = news('hard_bounce', campaign_id, id)
    await record(event)
    await t.sql('delete from suppressions where value = $1', [email])
    await t.sql(`update subscribers set status = 'active' where id = $1`, [id])
    await record(event)
    expect(await consequences(t, campaign_id, id)).toMatchObject({ status: 'active', suppressed: null })
  })
})

describe('in any order', () => {
  /** The first moments, so that each order has the same ones. */
  const told: [FeedbackKind, number][] = [
    ['delivered', 0],
    ['soft_bounce', 1],
    ['hard_bounce', 2],
    ['complaint', 3],
  ]
  const permutations = <T>(items: T[]): T[][] =>
    items.length < 2
      ? [items]
      : items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))

  test('delivered, bounces and complaint end alike, one by one, together, and twice', async () => {
    const ends = new Set<string>()
    for (const [n, order] of permutations(told).entries()) {
      const all = ({ campaign_id, id }: Mail) =>
        order.map(([kind, minutes]) => news(kind, campaign_id, id, { occurred_at: later(minutes) }))
      const [one, together] = [await oneMail(), await oneMail()]
      for (const event of all(one)) await record(event)
      await record(...all(together))
      for (const { campaign_id, id } of [one, together])
        ends.add(JSON.stringify(await consequences(t, campaign_id, id)))
      if (n % 6 > 0) continue
      const twice = await oneMail()
      const doubled = [...all(twice), ...all(twice)]
      await record(...doubled.slice(0, 3))
      await record(...doubled.slice(2))
      expect((await consequences(t, twice.campaign_id, twice.id)).totals).toMatchObject({ delivered: 1, complaints: 1 })
    }
    expect([...ends].map((end) => JSON.parse(end))).toEqual([
      {
        status: 'complained',
        state: 'sent',
        suppressed: [[true, 'complaint']],
        membership: 'unsubscribed',
        opted_out: 1,
        feedback: expect.objectContaining({ diagnostic: '550 hard_bounce' }),
        totals: { delivered: 1, soft_bounces: 1, hard_bounces: 1, blocks: 0, complaints: 1 },
      },
    ])
  }, 60_000)

  test('many at once, about the same few mails, end with sums that hold', async () => {
    const { campaign_id, subscriber_ids } = await sentCampaign(t, 20)
    const kinds: FeedbackKind[] = ['delivered', 'soft_bounce', 'hard_bounce', 'blocked', 'complaint', 'deferred']
    const pick = <T>(of: readonly T[]) => of[Math.floor(Math.random() * of.length)] as T
    const events = Array.from({ length: 200 }, () => news(pick(kinds), campaign_id, pick(subscriber_ids)))
    const calls = Array.from({ length: 12 }, () => events.filter(() => Math.random() < 0.4).reverse())
    await Promise.all(calls.map((some) => record(...some)))
    await record(...events)
    expect(await t.sql('select count(*)::int as n from feedback_events where campaign_id = $1', [campaign_id])).toEqual(
      [{ n: 200 }],
    )
  })
})

test('readers leave while complaints come in: nothing stands still, and the worst is what they are', async () => {
  const { campaign_id, subscriber_ids } = await sentCampaign(t, 30)
  const shuffled = <T>(of: readonly T[]) => of.toSorted(() => Math.random() - 0.5)
  await Promise.all(
    Array.from({ length: 6 }, (_, n) =>
      n % 2
        ? flushEvents(
            t.db,
            shuffled(subscriber_ids).map((id) =>
              event('unsubscribe', campaign_id, id, { scope: n > 3 ? 'all' : 'lists' }),
            ),
          )
        : record(...shuffled(subscriber_ids).map((id) => news('complaint', campaign_id, id))),
    ),
  )
  expect(
    await t.sql(
      `select s.status, m.status as membership, count(*)::int as n from subscribers s
       join list_members m on m.subscriber_id = s.id where s.id = any($1) group by 1, 2`,
      [subscriber_ids],
    ),
  ).toEqual([{ status: 'complained', membership: 'unsubscribed', n: 30 }])
})

describe('news that is about no mail of ours', () => {
  test.each<[string, (ids: { campaign_id: number; id: number }) => [number, number]]>([
    ['no ids', () => [0, 0]],
    ['a campaign that never was', ({ id }) => [999_999, id]],
    ['a subscriber who was not in it', ({ campaign_id }) => [campaign_id, 999_999]],
    ['a test mail', ({ campaign_id }) => [campaign_id, NOBODY]],
    ['ids that are none', () => [Number.NaN, -4]],
    ['ids beyond all numbers', () => [2 ** 70, 1.5]],
  ])('%s: kept, and nothing follows', async (_, ids) => {
    const mail = await oneMail()
    const [campaign_id, subscriber_id] = ids(mail)
    for (const kind of ['hard_bounce', 'complaint'] as const) {
      const event = news(kind, campaign_id, subscriber_id, { recipient: mail.email })
      expect(await record(event)).toEqual({ recorded: 1, unmatched: 1, campaigns: [] })
      expect(await t.sql('select matched from feedback_events where event_id = $1', [event.event_id])).toEqual([
        { matched: false },
      ])
    }
    expect(await consequences(t, mail.campaign_id, mail.id)).toMatchObject({
      status: 'active',
      suppressed: null,
      totals: null,
    })
  })

  test.each(['pending', 'skipped', 'failed'])(
    'a mail that is %s and was never offered has no bounces, but its complaint counts',
    async (state) => {
      const { campaign_id, id } = await oneMail()
      await turn(t, campaign_id, id, state, { offered: false })
      expect(await record(news('hard_bounce', campaign_id, id))).toMatchObject({ unmatched: 1, campaigns: [] })
      expect(await consequences(t, campaign_id, id)).toMatchObject({ status: 'active', state })
      expect(await record(news('complaint', campaign_id, id))).toMatchObject({ unmatched: 0, campaigns: [campaign_id] })
      expect(await consequences(t, campaign_id, id)).toMatchObject({ status: 'complained', state })
    },
  )

  test.each(['sending', 'deferred', 'failed', 'unconfirmed'])('one that is %s may have been sent', async (state) => {
    const { campaign_id, id } = await oneMail()
    await turn(t, campaign_id, id, state)
    expect(await record(news('hard_bounce', campaign_id, id))).toMatchObject({ unmatched: 0 })
  })
})

test('a subscriber who was deleted is counted, and what came in is kept without the words', async () => {
  const { campaign_id, id, email } = await oneMail()
  await deleteSubscriber(t.db, 'k'.repeat(32), id)
  const event = news('hard_bounce', campaign_id, id, { recipient: email, raw: email, diagnostic: `550 ${email}` })
  expect(await record(event)).toMatchObject({ recorded: 1, unmatched: 0 })
  expect(
    await t.sql('select matched, recipient, raw, diagnostic from feedback_events where event_id = $1', [
      event.event_id,
    ]),
  ).toEqual([{ matched: true, recipient: null, raw: null, diagnostic: null }])
  expect(await t.sql('select 1 from suppressions where value = $1', [email])).toEqual([])
  expect(await t.sql('select hard_bounces from campaign_stats where campaign_id = $1', [campaign_id])).toEqual([
    { hard_bounces: 1 },
  ])
})

test('hostile text is stored bounded, and as text', async () => {
  const { campaign_id, id } = await oneMail()
  const bad = `<script>alert(1)</script>\0\ud800 '; drop table subscribers; --\r\nX: y\u2028`
  const long = 'ä'.repeat(100_000)
  const events = [
    news('hard_bounce', campaign_id, id, { event_id: `a\0${bad}`, diagnostic: bad, raw: bad, recipient: bad }),
    news('hard_bounce', campaign_id, id, { event_id: `${long}1`, diagnostic: long, raw: long, recipient: long }),
    news('hard_bounce', campaign_id, id, {
      event_id: `${long}2`,
      diagnostic: '\0\r\n \u2028',
      occurred_at: 'yesterday',
    }),
    news('hard_bounce', campaign_id, id, { occurred_at: '9999-01-01T00:00:00.000Z' }),
  ]
  expect(await record(...events)).toMatchObject({ recorded: 4, unmatched: 0 })
  expect(await record(...events)).toMatchObject({ recorded: 0 })
  const rows = await t.sql<{ event_id: string; diagnostic: string | null; raw: string; late: boolean }>(
    `select event_id, diagnostic, raw, occurred_at > now() + interval '1 minute' as late from feedback_events
     where campaign_id = $1 order by diagnostic nulls last`,
    [campaign_id],
  )
  expect(rows.every(({ event_id, late }) => event_id.length <= 200 && !late)).toBe(true)
  const words = rows.map(({ diagnostic }) => diagnostic)
  expect(words).toContain(`<script>alert(1)</script> \ufffd '; drop table subscribers; -- X: y`)
  expect(words).toContain('ä'.repeat(500))
  expect(words).toContain(null)
  expect(rows.map(({ raw }) => raw.length).sort((a, b) => b - a)[0]).toBe(32_000)
  expect(await consequences(t, campaign_id, id)).toMatchObject({ suppressed: [[true, 'bounce']] })
})

test('a thousand events at once, and nothing', async () => {
  const { campaign_id, subscriber_ids } = await sentCampaign(t, 1000)
  const events = subscriber_ids.map((id, i) => news(i % 10 ? 'delivered' : 'hard_bounce', campaign_id, id))
  expect(await record(...events)).toEqual({ recorded: 1000, unmatched: 0, campaigns: [campaign_id] })
  expect(
    await t.sql('select delivered, hard_bounces from campaign_stats where campaign_id = $1', [campaign_id]),
  ).toEqual([{ delivered: 900, hard_bounces: 100 }])
  expect(await record()).toEqual({ recorded: 0, unmatched: 0, campaigns: [] })
  expect(
    await t.sql(`select count(*)::int as n from subscribers where status = 'bounced' and id = any($1)`, [
      subscriber_ids,
    ]),
  ).toEqual([{ n: 100 }])
})
