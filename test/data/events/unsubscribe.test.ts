import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { flushEvents } from '../../../src/events/flush.ts'
import { seedCampaign } from '../../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { AT, differences, event } from './events.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

async function seed(size = 1) {
  const { campaign_id, list_id, subscriber_ids } = await seedCampaign(t, size)
  return { campaign_id, list_id, subscriber_id: subscriber_ids[0] ?? 0, subscriber_ids }
}

const membersOf = (subscriber_id: number) =>
  t.sql(
    `select list_id::int, status, to_char(unsubscribed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
     from list_members where subscriber_id = $1 order by list_id`,
    [subscriber_id],
  )
const statusOf = async (id: number) => (await t.sql('select status from subscribers where id = $1', [id]))[0]?.status
const consentsOf = (subscriber_id: number) =>
  t.sql(
    `select list_id::int, action, source, to_char(occurred_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
     from consents where subscriber_id = $1 order by id`,
    [subscriber_id],
  )

test('scope lists: leaves the lists of the campaign, stays active, and the proof has the very time of the click', async () => {
  const { campaign_id, list_id, subscriber_id } = await seed()
  const other = await seed()
  await t.sql('insert into list_members (list_id, subscriber_id) values ($1, $2)', [other.list_id, subscriber_id])
  await flushEvents(t.db, [event('unsubscribe', campaign_id, subscriber_id)])
  expect(await membersOf(subscriber_id)).toEqual([
    { list_id, status: 'unsubscribed', at: AT },
    { list_id: other.list_id, status: 'subscribed', at: null },
  ])
  expect(await statusOf(subscriber_id)).toBe('active')
  expect(await consentsOf(subscriber_id)).toEqual([
    { list_id, action: 'unsubscribed', source: `unsubscribe link, campaign ${campaign_id}`, at: AT },
  ])
})

test('scope lists: every included list is left, also one without a membership', async () => {
  const { campaign_id, list_id, subscriber_id } = await seed()
  const other = await seed()
  await t.sql(`update campaigns set audience = jsonb_set(audience, '{include}', $2::jsonb) where id = $1`, [
    campaign_id,
    JSON.stringify([list_id, other.list_id, 999_999]),
  ])
  await flushEvents(t.db, [event('unsubscribe', campaign_id, subscriber_id)])
  expect(await membersOf(subscriber_id)).toEqual([
    { list_id, status: 'unsubscribed', at: AT },
    { list_id: other.list_id, status: 'unsubscribed', at: AT },
  ])
})

test('scope all: the subscriber is unsubscribed, memberships stay as they are', async () => {
  const { campaign_id, list_id, subscriber_id } = await seed()
  await flushEvents(t.db, [event('unsubscribe', campaign_id, subscriber_id, { scope: 'all' })])
  expect(await statusOf(subscriber_id)).toBe('unsubscribed')
  expect(await membersOf(subscriber_id)).toEqual([{ list_id, status: 'subscribed', at: null }])
  expect(await consentsOf(subscriber_id)).toMatchObject([{ list_id: null, action: 'unsubscribed', at: AT }])
})

test.each(['bounced', 'complained'])('scope all: %s says more and stays', async (status) => {
  const { campaign_id, subscriber_id } = await seed()
  await t.sql('update subscribers set status = $2 where id = $1', [subscriber_id, status])
  await flushEvents(t.db, [event('unsubscribe', campaign_id, subscriber_id, { scope: 'all' })])
  expect(await statusOf(subscriber_id)).toBe(status)
})

test('both scopes in one flush act both', async () => {
  const { campaign_id, list_id, subscriber_id } = await seed()
  await flushEvents(t.db, [
    event('unsubscribe', campaign_id, subscriber_id, { scope: 'all' }),
    event('unsubscribe', campaign_id, subscriber_id),
  ])
  expect(await statusOf(subscriber_id)).toBe('unsubscribed')
  expect(await membersOf(subscriber_id)).toMatchObject([{ list_id, status: 'unsubscribed' }])
  const [stats] = await t.sql('select * from campaign_stats where campaign_id = $1', [campaign_id])
  expect(stats).toMatchObject({ unsubscribes: 2, unique_unsubscribes: 1 })
})

test('who leaves again has left when they first did', async () => {
  const { campaign_id, list_id, subscriber_id } = await seed()
  await flushEvents(t.db, [event('unsubscribe', campaign_id, subscriber_id)])
  await flushEvents(t.db, [
    event('unsubscribe', campaign_id, subscriber_id, { occurred_at: '2026-11-25T00:00:00.000Z' }),
  ])
  expect(await membersOf(subscriber_id)).toEqual([{ list_id, status: 'unsubscribed', at: AT }])
  expect(await consentsOf(subscriber_id)).toHaveLength(2)
})

test('a replay after the person came back changes nothing', async () => {
  const { campaign_id, list_id, subscriber_id } = await seed()
  const left = event('unsubscribe', campaign_id, subscriber_id)
  await flushEvents(t.db, [left])
  await t.sql(
    `update list_members set status = 'subscribed', unsubscribed_at = null where list_id = $1 and subscriber_id = $2`,
    [list_id, subscriber_id],
  )
  expect((await flushEvents(t.db, [left])).inserted).toBe(0)
  expect(await membersOf(subscriber_id)).toMatchObject([{ status: 'subscribed' }])
  expect(await consentsOf(subscriber_id)).toHaveLength(1)
})

test('a late opt-out does not undo a consent that was given after it; a plain import is no such consent', async () => {
  const { campaign_id, list_id, subscriber_ids } = await seed(2)
  const [back = 0, imported = 0] = subscriber_ids
  await t.sql(
    `insert into consents (subscriber_id, list_id, action, occurred_at) values
     ($1, $3, 'resubscribed', '2026-11-24T12:00:00Z'), ($2, $3, 'subscribed', '2026-11-24T12:00:00Z')`,
    [back, imported, list_id],
  )
  await flushEvents(t.db, [event('unsubscribe', campaign_id, back), event('unsubscribe', campaign_id, imported)])
  expect(await membersOf(back)).toMatchObject([{ status: 'subscribed' }])
  expect(await membersOf(imported)).toMatchObject([{ status: 'unsubscribed' }])
  await flushEvents(t.db, [event('unsubscribe', campaign_id, back, { occurred_at: '2026-11-24T12:00:01.000Z' })])
  expect(await membersOf(back)).toMatchObject([{ status: 'unsubscribed' }])
})

test('an opt-out that comes while someone is brought back by an older consent is honoured', async () => {
  const { campaign_id, list_id, subscriber_id } = await seed()
  await t.sql(`update subscribers set status = 'unsubscribed' where id = $1`, [subscriber_id])
  const writer = new Client(t.url)
  await writer.connect()
  try {
    await writer.query('begin')
    await writer.query(`update subscribers set status = 'active' where id = $1`, [subscriber_id])
    await writer.query(
      `insert into consents (subscriber_id, action, occurred_at) values ($1, 'resubscribed', '2026-11-24T09:00:00Z')`,
      [subscriber_id],
    )
    const flush = flushEvents(t.db, [event('unsubscribe', campaign_id, subscriber_id, { scope: 'all' })])
    const waits = async () =>
      (await t.sql(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`))
        .length
    while ((await waits()) === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    await writer.query('commit')
    await flush
  } finally {
    await writer.end()
  }
  expect(await statusOf(subscriber_id)).toBe('unsubscribed')
  expect(await membersOf(subscriber_id)).toMatchObject([{ list_id }])
})

test('a deleted subscriber is counted, and nothing refers to them', async () => {
  const { campaign_id, subscriber_id } = await seed()
  await t.sql('delete from subscribers where id = $1', [subscriber_id])
  const flushed = await flushEvents(t.db, [event('unsubscribe', campaign_id, subscriber_id)])
  expect(flushed.inserted).toBe(1)
  expect(await consentsOf(subscriber_id)).toEqual([])
})

test('hundreds leave at once by overlapping flushes: each leaves once, nobody waits for ever', async () => {
  const { campaign_id, subscriber_ids } = await seed(300)
  const events = subscriber_ids.map((id, i) => event('unsubscribe', campaign_id, id, i % 3 ? {} : { scope: 'all' }))
  const shuffled = () => [...events].sort(() => Math.random() - 0.5)
  const flushes = await Promise.all(Array.from({ length: 5 }, () => flushEvents(t.db, shuffled())))
  expect(flushes.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(300)
  const [row] = await t.sql(
    `select (select count(*) from consents where subscriber_id = any($1::bigint[]))::int as proofs,
       (select count(*) from list_members where subscriber_id = any($1::bigint[]) and status = 'unsubscribed')::int as left_list,
       (select count(*) from subscribers where id = any($1::bigint[]) and status = 'unsubscribed')::int as left_all`,
    [subscriber_ids],
  )
  expect(row).toEqual({ proofs: 300, left_list: 200, left_all: 100 })
  expect(await differences(t)).toEqual([])
})
