// Verdicts that more than one event, or the moment of sending, decides; and every counter that moves with them.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { forgetDays } from '../../../src/events/activity.ts'
import { flushEvents } from '../../../src/events/flush.ts'
import { rejudgeCampaign } from '../../../src/events/rejudge-campaign.ts'
import { changeVerdicts } from '../../../src/events/verdicts.ts'
import { deleteSubscriber } from '../../../src/subscribers/delete.ts'
import type { TrackingEvent } from '../../../src/tracking/event.ts'
import { judge, RULES_VERSION } from '../../../src/tracking/rules.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { seededRandom } from '../../support/random.ts'
import { AT, differences, event, forgetEvents } from './events.ts'

let t: TestDatabase
/** Who can be active: these exist. */
let people: number[]
beforeAll(async () => {
  t = await openTestDatabase()
  const rows = await t.sql(
    `insert into subscribers (email) select 'p' || i || '@example.com' from generate_series(1, 60) i returning id::int`,
  )
  people = rows.map(({ id }) => Number(id))
})
afterAll(() => t.close())
afterEach(async () => {
  expect(await differences(t)).toEqual([])
  await forgetEvents(t)
  await t.sql('delete from deliveries')
})

/** So many seconds after AT. */
const after = (seconds: number) => ({ occurred_at: new Date(Date.parse(AT) + seconds * 1000).toISOString() })
const sentAt = (subscriber_id: number, seconds: number, state = 'sent') =>
  t.sql(
    `insert into deliveries (campaign_id, subscriber_id, batch, state, sent_at, updated_at, lease_token)
     values (1, $1, 1, $3, case when $3 = 'sent' then $2::timestamptz end, $2::timestamptz, gen_random_uuid())`,
    [subscriber_id, after(seconds).occurred_at, state],
  )
const verdicts = async () =>
  (await t.sql('select verdict, reason from campaign_events order by occurred_at, event_id')).map(
    ({ verdict, reason }) => `${verdict} ${reason}`,
  )
const click = (who: number, link: number, seconds: number, more: Partial<TrackingEvent> = {}) =>
  event('click', 1, who, { link, ...after(seconds), asn: 64500, ...more })

test('seconds since sending are those between the ledger and the event, or nothing', async () => {
  const [sent = 0, unsent = 0, marked = 0, late = 0] = people
  await sentAt(sent, -90)
  await sentAt(unsent, -90, 'pending')
  await sentAt(marked, -45, 'sending')
  await sentAt(late, 3)
  await flushEvents(t.db, [
    event('open', 1, sent, after(0)),
    event('open', 1, sent, after(-95.2)),
    event('open', 1, sent, after(-95.9)),
    event('open', 1, unsent, after(1)),
    event('open', 1, marked, after(2)),
    event('open', 1, late, { ...after(3), agent: 'safari' }),
    event('open', 2, sent, after(4)),
    event('open', 1, null, after(5)),
    event('unsubscribe', 1, sent, { occurred_at: '2999-12-31T00:00:00.000Z' }),
  ])
  const rows = await t.sql('select since_sent from campaign_events order by occurred_at')
  expect(rows.map(({ since_sent }) => since_sent)).toEqual([null, null, 90, null, 47, 0, null, null, 2 ** 31 - 1])
})

test('what was faster than a person is a machine; the edge’s `machine` keeps its own reason', async () => {
  const [a = 0, b = 0] = people
  await sentAt(a, 0)
  await sentAt(b, 0)
  await flushEvents(t.db, [
    click(a, 1, 4),
    click(b, 1, 5),
    click(b, 1, 4.5, { verdict: 'machine', reason: 'scanner_agent' }),
    event('open', 1, a, after(1)),
    event('open', 1, b, { ...after(1.5), verdict: 'unsure', reason: 'apple_mpp', agent: 'bare' }),
    event('open', 1, b, { ...after(9), verdict: 'unsure', agent: 'unknown' }),
    event('unsubscribe', 1, b, after(1)),
  ])
  expect((await verdicts()).sort()).toEqual([
    'human null',
    'human null',
    'machine scanner_agent',
    'machine too_fast',
    'machine too_fast',
    'machine too_fast',
    'unsure apple_mpp',
  ])
})

test('many links within seconds: all those clicks, also those that are in SQL already, and what came with them', async () => {
  const [a = 0] = people
  await flushEvents(t.db, [
    event('open', 1, a, { ...after(98), asn: 64500, verdict: 'unsure' }),
    click(a, 1, 100),
    click(a, 2, 101.1),
    click(a, 9, 4000),
  ])
  expect(await verdicts()).toEqual(['unsure null', 'human null', 'human null', 'human null'])
  expect(await t.sql('select human_clicks, human_unique_clicks, clicks from campaign_stats')).toEqual([
    { human_clicks: 3, human_unique_clicks: 1, clicks: 3 },
  ])
  await flushEvents(t.db, [click(a, 3, 100.55)])
  const machine = 'machine link_burst'
  expect(await verdicts()).toEqual([machine, machine, machine, machine, 'human null'])
  expect(await t.sql('select human_clicks, human_unique_clicks, clicks from campaign_stats')).toEqual([
    { human_clicks: 1, human_unique_clicks: 1, clicks: 4 },
  ])
})

test('who dies between writing and judging leaves it to the next who writes the same', async () => {
  const [a = 0] = people
  const clicks = [click(a, 1, 100), click(a, 2, 100), click(a, 3, 100)]
  const mute = {
    batch: (statements: Parameters<typeof t.db.batch>[0]) => {
      // The flush's own two statements; then the connection is gone.
      if (dead) throw new Error('killed')
      dead = true
      return t.db.batch(statements)
    },
    execute: t.db.execute.bind(t.db),
  } as unknown as typeof t.db
  let dead = false
  await expect(flushEvents(mute, clicks)).rejects.toThrow('killed')
  expect(await verdicts()).toEqual(['human null', 'human null', 'human null'])
  expect((await flushEvents(t.db, clicks)).inserted).toBe(0)
  expect(new Set(await verdicts())).toEqual(new Set(['machine link_burst']))
})

test('a network that clicks at once for many is a machine; a carrier with readers at all hours is not', async () => {
  for (const id of people.slice(0, 40)) await sentAt(id, 0)
  const gateway = people.slice(0, 4).map((id, i) => click(id, 1, 6 + i, { asn: 64501 }))
  const carrier = people.slice(4, 34).map((id, i) => click(id, 1, 50 + 7 * i, { asn: 64502 }))
  await flushEvents(t.db, [...gateway.slice(0, 2), ...carrier.slice(0, 15)])
  expect(new Set(await verdicts())).toEqual(new Set(['human null']))
  await flushEvents(t.db, [...carrier.slice(15), ...gateway.slice(2)])
  expect(
    await t.sql(`select asn::int, verdict, reason, count(*)::int as n from campaign_events group by 1, 2, 3`),
  ).toEqual(
    expect.arrayContaining([
      { asn: 64501, verdict: 'machine', reason: 'network_sweep', n: 4 },
      { asn: 64502, verdict: 'human', reason: null, n: 30 },
    ]),
  )
})

test('a verdict takes back what it had told of a subscriber’s activity', async () => {
  const [a = 0] = people
  const lively = () =>
    t.sql(
      `select (extract(epoch from last_active_at - $1::timestamptz))::int as last, d.opens, d.clicks
           from subscriber_activity join subscriber_days d using (subscriber_id)`,
      [AT],
    )
  await flushEvents(t.db, [event('open', 1, a, after(0)), click(a, 1, 500), click(a, 2, 500.3, { verdict: 'unsure' })])
  expect(await lively()).toEqual([{ last: 0, opens: 1, clicks: 0 }])
  await flushEvents(t.db, [click(a, 1, 900, { verdict: 'machine' }), click(a, 1, 800, { verdict: 'unsure' })])
  expect(await lively()).toEqual([{ last: 800, opens: 1, clicks: 1 }])
})

test('events without a subscriber count in totals, hours and kinds, and nobody is told apart', async () => {
  await flushEvents(t.db, [
    event('open', 1, null, { country: 'DE' }),
    event('open', 1, null, { verdict: 'unsure' }),
    event('click', 1, null, { link: 2, device: 'phone' }),
  ])
  expect(
    await t.sql('select opens, unique_opens, human_opens, human_unique_opens, clicks from campaign_stats'),
  ).toEqual([{ opens: 2, unique_opens: 0, human_opens: 1, human_unique_opens: 0, clicks: 1 }])
  expect(await t.sql('select from recipient_stats')).toEqual([])
})

test('a deleted subscriber’s activity is gone, and what they did before does not come back by a late flush', async () => {
  const [{ id } = {}] = await t.sql(`insert into subscribers (email) values ('gone@example.com') returning id::int`)
  const gone = Number(id)
  await flushEvents(t.db, [event('open', 1, gone)])
  expect(await t.sql('select subscriber_id::int from subscriber_activity')).toEqual([{ subscriber_id: gone }])
  await deleteSubscriber(t.db, 'k'.repeat(32), gone)
  await flushEvents(t.db, [event('click', 1, gone)])
  expect(await t.sql('select from subscriber_activity')).toEqual([])
  expect(await t.sql('select from subscriber_days')).toEqual([])
})

test('days are forgotten after ninety', async () => {
  const now = () => new Date(AT)
  await t.sql(
    `insert into subscriber_days (subscriber_id, day, clicks)
     select id, ($1::timestamptz at time zone 'utc')::date - age, 1 from generate_series(1, 300) id, unnest('{0, 90, 91, 400}'::int[]) age`,
    [AT],
  )
  expect(await forgetDays(t.db, now, Number.POSITIVE_INFINITY)).toBe(600)
  expect(await t.sql('select min(day)::text as oldest, count(*)::int as n from subscriber_days')).toEqual([
    { oldest: '2026-08-26', n: 600 },
  ])
  await t.sql('truncate subscriber_days')
})

/** A few minutes of readers, scanners and nobodies: everything that the rules look at, close together. */
function throng(random: () => number, size: number): TrackingEvent[] {
  const any = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T
  return Array.from({ length: size }, () => {
    const kind = any(['open', 'click', 'click'] as const)
    return event(kind, 1 + Math.floor(random() * 2), random() < 0.1 ? null : any(people), {
      link: kind === 'click' ? 1 + Math.floor(random() * 6) : 0,
      ...after(Math.floor(random() * 400_000) / 1000),
      method: random() < 0.1 ? 'HEAD' : 'GET',
      asn: any([null, 64500, 64501, 64502]),
      agent: any(['chrome', 'safari', 'unknown']),
      country: any([null, 'DE', 'FR']),
      device: any([null, 'phone', 'computer']),
      client: any([null, 'gmail', 'apple_mail']),
    })
  }).map((one) => ({ ...one, ...edgeSays(one) }))
}

/** As the edge would: so that judging anew finds nothing else. */
const edgeSays = ({ kind, method, asn, agent }: TrackingEvent) => ({
  ...judge({ kind, method, asn, agent, prefetch: false }),
  rules: RULES_VERSION,
})

test.each([1, 2, 3, 4])(
  'stream %i: verdicts and counters do not depend on the order, the slices or the repeats',
  async (seed) => {
    const random = seededRandom(seed)
    for (const id of people) await sentAt(id, Math.floor(random() * 120))
    await t.sql(`insert into deliveries (campaign_id, subscriber_id, batch, state, sent_at)
    select 2, subscriber_id, 1, 'sent', sent_at + interval '20 s' from deliveries`)
    const events = throng(random, 400)
    const judgedBy = async (slices: TrackingEvent[][], together: boolean) => {
      await forgetEvents(t)
      if (together) await Promise.all(slices.map((slice) => flushEvents(t.db, slice)))
      else for (const slice of slices) await flushEvents(t.db, slice)
      expect(await differences(t)).toEqual([])
      return await t.sql('select event_id, verdict from campaign_events order by event_id')
    }
    const cut = (list: TrackingEvent[], size: number) =>
      Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
    const shuffled = () => [...events].sort(() => random() - 0.5)

    const whole = await judgedBy([events], false)
    expect(new Set(whole.map(({ verdict }) => verdict)).size).toBeGreaterThan(1)
    expect(await judgedBy(cut(shuffled(), 37), false)).toEqual(whole)
    const repeated = [...cut(shuffled(), 90), ...cut(shuffled(), 130)]
    expect(await judgedBy(repeated, true)).toEqual(whole)
    const { moved, events: looked } = { ...(await rejudgeCampaign(t.db, 1)) }
    expect(moved + (await rejudgeCampaign(t.db, 2)).moved).toBe(0)
    expect(looked).toBeGreaterThan(100)
  },
)

test('judging anew finds what older rules said otherwise, moves all counters, and then finds nothing', async () => {
  for (const id of people) await sentAt(id, 0)
  const events = throng(seededRandom(7), 300)
  await flushEvents(t.db, events)
  const right = await t.sql('select event_id, verdict, reason, rules from campaign_events order by event_id')
  await forgetEvents(t)
  // All are people to an edge that knows no rules; and a flush that knew others has called machines what are none.
  await flushEvents(
    t.db,
    events.map((one) => ({ ...one, verdict: 'human', reason: null, rules: 0 })),
  )
  await changeVerdicts(
    t.db,
    events.slice(0, 40).map(({ event_id, occurred_at, subscriber_id }) => {
      return { event_id, occurred_at, subscriber_id, verdict: 'machine', reason: 'link_burst', rules: 0 }
    }),
  )
  expect(await differences(t)).toEqual([])
  const first = [await rejudgeCampaign(t.db, 1), await rejudgeCampaign(t.db, 2)]
  expect(first.reduce((sum, { moved }) => sum + moved, 0)).toBeGreaterThan(0)
  expect(await t.sql('select event_id, verdict, reason, rules from campaign_events order by event_id')).toEqual(right)
  expect(await rejudgeCampaign(t.db, 1)).toMatchObject({ moved: 0 })
})
