// What somebody chooses, against everything that may happen beside it.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flushEvents } from '../../src/events/flush.ts'
import { claimBatch } from '../../src/ledger/claim.ts'
import { leaveOrPause } from '../../src/preferences/leave.ts'
import { type Saved, savePreferences } from '../../src/preferences/save.ts'
import { isOn, readPreferences } from '../../src/preferences/state.ts'
import { deleteSubscriber } from '../../src/subscribers/delete.ts'
import { bufferUnsubscribe } from '../../src/tracking/buffer.ts'
import type { TrackingEvent, UnsubscribeScope } from '../../src/tracking/event.ts'
import { frozenCampaign, seedCampaign } from '../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { openTestRedis, type TestRedis } from '../support/redis.ts'

const HASH_KEY = 'hash-key-of-this-test'

let t: TestDatabase
let r: TestRedis
beforeAll(async () => {
  t = await openTestDatabase()
  r = openTestRedis()
})
afterAll(async () => {
  await r.close()
  await t.close()
})

const saving = () => ({
  ...{ db: t.db, hash_key: HASH_KEY, redis: r.redis, redis_keys: r.keys, country: 'DE' },
  wordingOf: (list: { name: string }) => `Send me ${list.name}.`,
})

/** The page as it is now. */
async function open(id: number) {
  const p = await readPreferences(t.db, id)
  if (!p) throw new Error('there is nobody')
  return { seen: p.status, shown_on: new Set(p.lists.filter((list) => isOn(p, list)).map((list) => list.id)) }
}
type Page = Awaited<ReturnType<typeof open>>

/** Posts a page with these lists ticked. */
async function submit(id: number, page: Page, wanted: Iterable<number>, more: object = {}): Promise<Saved> {
  const p = await readPreferences(t.db, id)
  if (!p) return { kind: 'gone' }
  const choice = { ...page, wanted: new Set(wanted), pause: 'keep', all: false, again: false, reason: null } as const
  return savePreferences(saving(), p, { ...choice, ...more })
}

/** An opt-out by link, as the edge keeps it; it is in SQL once it is flushed. */
async function leaveAtTheEdge(
  campaign_id: number,
  subscriber_id: number,
  scope: UnsubscribeScope,
): Promise<TrackingEvent> {
  const event: TrackingEvent = {
    ...{ event_id: crypto.randomUUID(), kind: 'unsubscribe', campaign_id, subscriber_id, link: 0, scope },
    ...{ occurred_at: new Date().toISOString(), method: 'POST', asn: null, agent: 'unknown', country: null },
    ...{ region: null, device: null, client: null, verdict: 'human', reason: null, rules: 1 },
  }
  const events = { send: () => Promise.reject(new Error('no queue here')) }
  expect(await bufferUnsubscribe({ redis: r.redis, redis_keys: r.keys, events }, event)).toBe(true)
  return event
}

/** Somebody on the list of a campaign, beside a public list they are not on. */
async function reader() {
  const { campaign_id, list_id, subscriber_ids } = await seedCampaign(t, 1)
  const [other] = await t.sql<{ id: number }>(
    `insert into mailing_lists (name, visibility) values ($1, 'public') returning id::int as id`,
    [`other ${list_id}`],
  )
  return { campaign_id, mine: list_id, other: other?.id ?? 0, id: subscriber_ids[0] ?? 0 }
}

/** The lists whose mail they get. */
async function gets(id: number) {
  const rows = await t.sql<{ id: number }>(
    `select m.list_id::int as id from list_members m join subscribers s on s.id = m.subscriber_id
     where s.id = $1 and s.status = 'active' and m.status = 'subscribed' order by 1`,
    [id],
  )
  return rows.map((row) => row.id)
}

/** So that what comes next has a later time. */
const tick = () => new Promise((resolve) => setTimeout(resolve, 2))

describe('an old page', () => {
  test('does not undo an opt-out from meanwhile, and still changes what was changed on it', async () => {
    const { campaign_id, id, mine, other } = await reader()
    const page = await open(id)
    await flushEvents(t.db, [await leaveAtTheEdge(campaign_id, id, 'lists')])
    await tick()
    expect(await submit(id, page, [mine, other])).toMatchObject({ kind: 'saved', on: [{ id: other }], off: [] })
    expect(await gets(id)).toEqual([other])
  })

  test('turns nothing on after an opt-out from all mail', async () => {
    const { campaign_id, id, mine, other } = await reader()
    const page = await open(id)
    await flushEvents(t.db, [await leaveAtTheEdge(campaign_id, id, 'all')])
    await tick()
    expect(await submit(id, page, [mine, other])).toEqual({ kind: 'stale' })
    expect(await submit(id, page, [])).toMatchObject({ kind: 'saved' })
    expect(await gets(id)).toEqual([])
    expect(await submit(id, await open(id), [other])).toMatchObject({ kind: 'saved', on: [{ id: other }] })
    expect(await gets(id)).toEqual([other])
  })

  test('turns nothing on while an opt-out is on its way, by whichever link', async () => {
    const { campaign_id, id, mine, other } = await reader()
    const event = await leaveAtTheEdge(campaign_id, id, 'all')
    await tick()
    const page = await open(id)
    expect(await submit(id, page, [mine, other])).toEqual({ kind: 'too_soon' })
    await flushEvents(t.db, [event])
    expect(await gets(id)).toEqual([])
    // Redis still knows of it, and so does SQL now.
    expect(await submit(id, await open(id), [other])).toMatchObject({ kind: 'saved' })
    expect(await gets(id)).toEqual([other])
  })

  test('turns nothing on where Redis cannot be asked, but leaves and pauses all the same', async () => {
    const { id, mine, other } = await reader()
    const page = await open(id)
    const p = await readPreferences(t.db, id)
    if (!p) throw new Error('there is nobody')
    const dead = { ...saving(), redis: { ...r.redis, zmscore: () => Promise.reject(new Error('down')) } as never }
    const choice = { ...page, pause: 'keep', all: false, again: false, reason: null } as const
    await expect(savePreferences(dead, p, { ...choice, wanted: new Set([mine, other]) })).rejects.toThrow('down')
    expect(await gets(id)).toEqual([mine])
    expect(await savePreferences(dead, p, { ...choice, wanted: new Set() })).toMatchObject({ kind: 'saved' })
    expect(await gets(id)).toEqual([])
  })

  test('of somebody who is deleted meanwhile brings nobody back', async () => {
    const { id, mine, other } = await reader()
    const page = await open(id)
    const p = await readPreferences(t.db, id)
    if (!p) throw new Error('there is nobody')
    await deleteSubscriber(t.db, HASH_KEY, id)
    for (const wanted of [new Set([mine, other]), new Set<number>()]) {
      const choice = { ...page, wanted, pause: 'keep', all: false, again: false, reason: null } as const
      expect(await savePreferences(saving(), p, choice)).toEqual({ kind: 'gone' })
    }
    expect(
      await leaveOrPause(t.db, id, { list_ids: [], all: true, pause: 7, source: 's', reason: null, country: null }),
    ).toBe(null)
    expect(await t.sql('select from subscribers where id = $1', [id])).toEqual([])
    expect(await t.sql('select from consents where subscriber_id = $1', [id])).toEqual([])
  })
})

test('whoever comes back gets what they tick alone, however many lists they were on', async () => {
  const { id } = await reader()
  await t.sql(
    `with lists as (insert into mailing_lists (name) select 'one of many ' || i from generate_series(1, 300) i returning id)
     insert into list_members (list_id, subscriber_id) select id, $1 from lists`,
    [id],
  )
  const page = await open(id)
  expect(page.shown_on.size).toBe(200)
  await submit(id, page, page.shown_on, { all: true })
  await tick()
  expect(await submit(id, await open(id), [...page.shown_on].slice(0, 1))).toMatchObject({ kind: 'saved' })
  expect(await gets(id)).toEqual([...page.shown_on].slice(0, 1))
})

test('pages that are sent at once, beside opt-outs and deletions, end in what the last one said', async () => {
  // Opened before anything of it happens: a page that is opened after somebody left may bring them back.
  const read = async () => {
    const person = await reader()
    return { ...person, page: await open(person.id) }
  }
  const people = await Promise.all(Array.from({ length: 6 }, read))
  await Promise.all(
    people.flatMap(({ campaign_id, id, mine, other, page }, n) => [
      submit(id, page, [mine, other]),
      submit(id, page, [other], { pause: 30 }),
      leaveAtTheEdge(campaign_id, id, 'lists').then((event) => flushEvents(t.db, [event])),
      ...(n % 3 === 0 ? [deleteSubscriber(t.db, HASH_KEY, id)] : []),
    ]),
  )
  for (const { id, mine } of people) expect(await gets(id)).not.toContain(mine)
  await tick()
  for (const { id, mine } of people) {
    if (await readPreferences(t.db, id)) await submit(id, await open(id), [mine])
  }
  expect(await Promise.all(people.map(({ id }) => gets(id)))).toEqual(
    people.map(({ mine }, n) => (n % 3 === 0 ? [] : [mine])),
  )
})

test('whatever comes in whatever order, nobody gets what they left last, and everybody what they ticked last', async () => {
  const action = fc.oneof(
    fc.constant({ do: 'open' } as const),
    fc.record({ do: fc.constant('submit' as const), tick_mine: fc.boolean(), tick_other: fc.boolean() }),
    fc.record({ do: fc.constant('leave' as const), scope: fc.constantFrom('lists' as const, 'all' as const) }),
    fc.constant({ do: 'flush' } as const),
    fc.constant({ do: 'quit' } as const),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 9 }), async (actions) => {
      const { campaign_id, id, mine, other } = await reader()
      const expected = new Set([mine])
      const buffered: TrackingEvent[] = []
      let page = await open(id)
      for (const step of actions) {
        await tick()
        if (step.do === 'open') page = await open(id)
        if (step.do === 'leave') {
          buffered.push(await leaveAtTheEdge(campaign_id, id, step.scope))
          if (step.scope === 'all') expected.clear()
          else expected.delete(mine)
        }
        if (step.do === 'flush') await flushEvents(t.db, buffered.splice(0))
        if (step.do === 'quit') {
          expect(await submit(id, page, [mine, other], { all: true })).toMatchObject({ kind: 'saved', all: true })
          expected.clear()
        }
        if (step.do === 'submit') {
          const wanted = [...(step.tick_mine ? [mine] : []), ...(step.tick_other ? [other] : [])]
          const saved = await submit(id, page, wanted)
          if (saved.kind !== 'saved') continue
          expect(saved.not_on).toEqual([])
          for (const list of saved.off) expected.delete(list.id)
          for (const list of saved.on) expected.add(list.id)
        }
      }
      await flushEvents(t.db, buffered)
      expect(await gets(id)).toEqual([...expected].sort((a, b) => a - b))
    }),
    { numRuns: 25 },
  )
})

test('a pause holds from the next claim on, also of what is frozen, and is over by itself', async () => {
  const { campaign_id, subscriber_ids } = await frozenCampaign(t, 3)
  const [pausing = 0, ended = 0, other = 0] = subscriber_ids
  await submit(pausing, await open(pausing), (await open(pausing)).shown_on, { pause: 7 })
  for (const pause of [30, 'end'] as const)
    await submit(ended, await open(ended), (await open(ended)).shown_on, { pause })
  const claim = await claimBatch(t.db, { campaign_id, batch: 0, token: crypto.randomUUID(), lease_seconds: 60 })
  expect(claim.claimed && claim.rows.map(({ subscriber_id, skip }) => [subscriber_id, skip])).toEqual([
    [pausing, 'paused'],
    [ended, null],
    [other, null],
  ])
  await t.sql(`update subscribers set paused_until = now() - interval '1 second' where id = $1`, [pausing])
  expect(await readPreferences(t.db, pausing)).toMatchObject({ paused_until: null })
})
