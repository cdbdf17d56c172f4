// Segments in a campaign's audience, from the draft to those who join after it was sent.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Audience } from '../../../src/campaigns/audience.ts'
import { countAudience } from '../../../src/campaigns/check/audience.ts'
import { checkBeforeStart } from '../../../src/campaigns/check/check.ts'
import { somePeople } from '../../../src/campaigns/check/people.ts'
import { readSpread } from '../../../src/campaigns/check/spread.ts'
import { inAudience } from '../../../src/campaigns/in-audience.ts'
import { readPlan } from '../../../src/campaigns/plan.ts'
import { sendToNew } from '../../../src/campaigns/send-to-new.ts'
import { startCampaign } from '../../../src/campaigns/start.ts'
import { duplicateCampaign, findCampaign, insertCampaign, missingReferences } from '../../../src/campaigns/store.ts'
import { cancelCampaign } from '../../../src/campaigns/transitions.ts'
import type { Cron } from '../../../src/cron.ts'
import { dispatchCampaign } from '../../../src/dispatch/dispatch.ts'
import type { DispatchMessage } from '../../../src/dispatch/message.ts'
import { completeCampaign } from '../../../src/ledger/complete.ts'
import { deleteList } from '../../../src/lists/delete.ts'
import { summarise } from '../../../src/providers/account.ts'
import { parseAccounts } from '../../../src/providers/accounts.ts'
import { deleteSegment } from '../../../src/segments/delete.ts'
import type { Filter } from '../../../src/segments/filter.ts'
import { insertSegment, updateSegment } from '../../../src/segments/store.ts'
import { compileTemplate } from '../../../src/templates/compile.ts'
import { insertTemplate } from '../../../src/templates/store.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { cronOf } from '../../support/minute.ts'
import { openTestRedis, type TestRedis } from '../../support/redis.ts'

let t: TestDatabase
let r: TestRedis
let services: Cron
let sender_id: number
let template_id: number
const queued: DispatchMessage[] = []

/** List 1: subscribers 1 to 60. Every second has plan pro, every third the tag vip, every fifth is on list 2 as well. */
beforeAll(async () => {
  t = await openTestDatabase()
  r = openTestRedis()
  await t.sql(`insert into mailing_lists (name) values ('all'), ('fifth'), ('unused')`)
  await t.sql(`insert into subscribers (email, attributes, tags)
    select 'p' || i || '@example.com', jsonb_build_object('plan', case when i % 2 = 0 then 'pro' else 'free' end),
      case when i % 3 = 0 then '{vip}' else '{}' end::text[]
    from generate_series(1, 60) i`)
  await t.sql(`insert into list_members (list_id, subscriber_id) select 1, i from generate_series(1, 60) i`)
  await t.sql(`insert into list_members (list_id, subscriber_id) select 2, i from generate_series(5, 60, 5) i`)
  const [sender] = await t.sql(
    `insert into senders (name, from_name, from_email, postal_address) values ('s', 'Acme', 'news@acme.example', 'Street 1') returning id::int`,
  )
  sender_id = Number(sender?.id)
  const source = '<p>{{sender.postal_address}} <a href="{{unsubscribe_url}}">leave</a></p>'
  const template = { format: 'html', source, text_source: null } as const
  template_id = (await insertTemplate(t.db, 'T', { ...template, compiled: await compileTemplate(template) })) ?? 0
  const base = await cronOf({ db: t.db, redis: r.redis, redis_keys: r.keys })
  const accounts = parseAccounts(
    '[{"name": "inbox", "kind": "smtp", "host": "localhost", "port": 2525, "tls": "none"}]',
  )
  services = {
    ...base,
    dispatch: { send: async (message) => queued.push(message) },
    sender: {
      ...base.sender,
      listAccounts: async () => accounts.map((account) => ({ ...summarise(account, new Date()), standing: null })),
    },
  }
})
afterAll(async () => {
  await r.close()
  await t.close()
})

const PRO: Filter = { attribute: 'plan', op: 'eq', value: 'pro' }
const VIP: Filter = { tags: ['vip'], op: 'any' }
const FIFTH: Filter = { list: 2, op: 'subscribed' }

let names = 0
const segmentOf = async (filter: Filter) =>
  (await insertSegment(t.db, { name: `segment ${++names}`, description: null, filter })).id

const draft = async (fields: Partial<Audience>) => {
  const { id } = await insertCampaign(t.db, {
    name: 'News',
    subject: 'News',
    preheader: null,
    template_id,
    template_version: null,
    sender_id,
    account: null,
    audience: { include: [1], exclude: [], where: {}, sample: null, ...fields },
    utm: null,
    track_opens: null,
    track_clicks: null,
  })
  return id
}

const planOf = async (id: number) => {
  const plan = await readPlan(t.db, id)
  if (!plan) throw new Error('no such campaign')
  return plan
}

/** Lets the dispatcher work in pages of seven. */
async function dispatch() {
  const sends = { sendBatch: async () => {} }
  for (let next = queued.shift(); next; next = queued.shift()) {
    await dispatchCampaign({ db: t.db, dispatch: services.dispatch, sends, now: () => new Date(), page_size: 7 }, next)
  }
}
const frozen = async (id: number) =>
  (await t.sql('select subscriber_id::int as id from deliveries where campaign_id = $1 order by 1', [id])).map(
    (row) => row.id,
  )
const among = (test: (i: number) => boolean) => Array.from({ length: 60 }, (_, i) => i + 1).filter(test)

const AUDIENCES: [string, Filter[], Filter[], (i: number) => boolean][] = [
  ['in a segment', [PRO], [], (i) => i % 2 === 0],
  ['in one of two', [PRO, VIP], [], (i) => i % 2 === 0 || i % 3 === 0],
  ['in none', [], [VIP, FIFTH], (i) => i % 3 !== 0 && i % 5 !== 0],
  ['in one and not in the other', [PRO], [FIFTH], (i) => i % 2 === 0 && i % 5 !== 0],
  ['in a segment and out of it', [VIP], [VIP], () => false],
]

test.each(AUDIENCES)('people %s are counted, tried, and mailed', async (_, include, exclude, expected) => {
  const id = await draft({
    include_segments: await Promise.all(include.map(segmentOf)),
    exclude_segments: await Promise.all(exclude.map(segmentOf)),
  })
  const { audience } = await planOf(id)
  const spread = await readSpread(t.db, audience)
  const ids = among(expected)
  expect(await countAudience(t.db, audience, spread)).toMatchObject({ count: ids.length, estimated: false })
  const people = await somePeople(t.db, audience, spread)
  expect(people.map(({ subscriber_id }) => subscriber_id).toSorted((a, b) => a - b)).toEqual(ids)

  if (ids.length === 0) {
    await expect(startCampaign(services, id)).rejects.toMatchObject({ code: 'campaign_not_ready' })
    return
  }
  await startCampaign(services, id)
  await dispatch()
  expect(await frozen(id)).toEqual(ids)
  await cancelCampaign(t.db, id)
})

test('what a segment means is fixed when the campaign starts, for those who join later too', async () => {
  const segment_id = await segmentOf(PRO)
  const id = await draft({ include_segments: [segment_id] })
  await updateSegment(t.db, segment_id, { filter: { and: [PRO, VIP] } })
  await startCampaign(services, id)
  await updateSegment(t.db, segment_id, { filter: VIP })
  await dispatch()
  const ids = among((i) => i % 6 === 0)
  expect(await frozen(id)).toEqual(ids)

  await t.sql(`update deliveries set state = 'sent' where campaign_id = $1`, [id])
  await t.sql('update batches set sent = open, open = 0 where campaign_id = $1', [id])
  await completeCampaign(t.db, id)
  expect(await deleteSegment(t.db, segment_id)).toBe('deleted')
  const [both, vip] = await t.sql<{ id: number }>(`insert into subscribers (email, attributes, tags)
    values ('late@example.com', '{"plan": "PRO"}', '{vip}'), ('later@example.com', '{}', '{vip}') returning id::int`)
  await t.sql(`insert into list_members (list_id, subscriber_id) values (1, $1), (1, $2)`, [both?.id, vip?.id])
  const row = await findCampaign(t.db, id)
  if (!row) throw new Error('no such campaign')
  await sendToNew(services, row)
  await dispatch()
  expect(await frozen(id)).toEqual([...ids, both?.id])
  expect(row.audience).toEqual({ include: [1], exclude: [], where: {}, sample: null, include_segments: [segment_id] })
  await t.sql(`delete from subscribers where id > 60`)
})

test('a copy asks its segments anew', async () => {
  const segment_id = await segmentOf(PRO)
  const id = await draft({ include_segments: [segment_id] })
  await startCampaign(services, id)
  await updateSegment(t.db, segment_id, { filter: VIP })
  const copy = await duplicateCampaign(t.db, id)
  expect((await planOf(copy?.id ?? 0)).audience.segments).toEqual({ [segment_id]: VIP })
  await cancelCampaign(t.db, id)
  queued.length = 0
})

test('a campaign without segments keeps none', async () => {
  const id = await draft({ include_segments: [], exclude_segments: [] })
  expect((await planOf(id)).audience.segments).toBeUndefined()
  await startCampaign(services, id)
  await dispatch()
  expect(await frozen(id)).toEqual(among(() => true))
  expect(await t.sql('select segments from campaigns where id = $1', [id])).toEqual([{ segments: null }])
  await cancelCampaign(t.db, id)
})

test('a segment or list that is gone keeps a campaign from starting; nobody is mailed who was left out', async () => {
  const [kept, gone] = [await segmentOf(PRO), await segmentOf(VIP)]
  const id = await draft({ include_segments: [kept], exclude_segments: [gone] })
  await t.sql('delete from segments where id = $1', [gone])
  const plan = await planOf(id)
  expect((await checkBeforeStart(services, plan)).errors).toEqual([
    {
      code: 'segment_missing',
      field: 'audience.exclude_segments.0',
      detail: `names no segment: there is no segment ${gone}`,
    },
  ])
  expect(() => inAudience(plan.audience)).toThrow(`segment ${gone}`)

  const asking = await segmentOf({ not: { list: 99, op: 'ever' } })
  const other = await draft({ exclude_segments: [asking] })
  expect((await checkBeforeStart(services, await planOf(other))).errors[0]).toMatchObject({
    code: 'segment_missing',
    detail: 'names a segment that asks for mailing list 99, which is gone',
  })
  expect(
    await missingReferences(t.db, {
      audience: { include: [1], exclude: [], where: {}, sample: null, include_segments: [kept, 404] },
    }),
  ).toEqual([{ field: 'audience.include_segments.1', detail: 'names no segment: there is no segment 404' }])
})

test.each(['draft', 'scheduled', 'sending', 'paused'])('a segment that a %s campaign names is kept', async (status) => {
  const segment_id = await segmentOf(PRO)
  const id = await draft({ exclude_segments: [segment_id] })
  await t.sql(
    `update campaigns set status = $2, scheduled_at = now(), started_at = now(), snapshot = '{}', audience_max_id = 1 where id = $1`,
    [id, status],
  )
  expect(await deleteSegment(t.db, segment_id)).toBe('in_use')
  await t.sql(`update campaigns set status = 'cancelled' where id = $1`, [id])
  expect(await deleteSegment(t.db, segment_id)).toBe('deleted')
  expect(await deleteSegment(t.db, segment_id)).toBe('unknown')
})

test('a list that a segment asks for is kept, and one that a running campaign has from a segment', async () => {
  const segment_id = await segmentOf({ or: [PRO, { not: { and: [VIP, { list: 3, op: 'never' }] } }] })
  expect(await deleteList(t.db, 3)).toBe('in_use')
  const id = await draft({ include_segments: [segment_id] })
  await startCampaign(services, id)
  queued.length = 0
  await updateSegment(t.db, segment_id, { filter: PRO })
  expect(await deleteList(t.db, 3)).toBe('in_use')
  await cancelCampaign(t.db, id)
  expect(await deleteList(t.db, 3)).toBe('deleted')
})
