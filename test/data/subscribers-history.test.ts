import { afterAll, beforeAll, expect, test } from 'vitest'
import { flushEvents } from '../../src/events/flush.ts'
import { ensurePartitions } from '../../src/events/partitions.ts'
import { leaveList } from '../../src/lists/leave.ts'
import { type HistoryPlace, subscriberHistory } from '../../src/subscribers/history.ts'
import { writeSubscribers } from '../../src/subscribers/write.ts'
import { seedCampaign } from '../support/campaign.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { rowsReadBy } from '../support/rows-read.ts'
import { event } from './events/events.ts'

const HASH_KEY = 'a key of this test, long enough to be one'

let t: TestDatabase
let id: number
let campaign_id: number
beforeAll(async () => {
  t = await openTestDatabase()
  await ensurePartitions(t.db, new Date())
  const seeded = await seedCampaign(t, 1)
  campaign_id = seeded.campaign_id
  id = seeded.subscriber_ids[0] ?? 0
})
afterAll(() => t.close())

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
const write = (row: object) => writeSubscribers(t.db, HASH_KEY, 'update', [{ id, ...row }])

async function history(limit = 100, of = id) {
  const entries: NonNullable<Awaited<ReturnType<typeof subscriberHistory>>> = []
  let after: HistoryPlace | null = null
  for (let pages = 0; pages < 500; pages++) {
    const rows = await subscriberHistory(t.db, of, after, limit)
    if (!rows) return null
    entries.push(...rows.slice(0, limit))
    after = rows.length > limit ? (rows[limit - 1]?.place ?? null) : null
    if (!after) return entries
  }
  throw new Error('the pages do not end')
}

test('tells what happened, newest first, each thing once, whatever the size of a page', async () => {
  const [row] = await t.sql<{ email: string; list_id: string }>(
    `select email, list_id from subscribers s join list_members m on m.subscriber_id = s.id where s.id = $1`,
    [id],
  )
  const { email = '' } = row ?? {}
  const list_id = Number(row?.list_id)
  const [other] = await t.sql<{ id: string }>(`insert into mailing_lists (name) values ('other') returning id`)
  const other_id = Number(other?.id)
  await t.sql(`update subscribers set created_at = $2 where id = $1`, [id, ago(300)])
  await t.sql(`update list_members set created_at = $2 where subscriber_id = $1`, [id, ago(299)])
  await t.sql(
    `insert into signups (email, list_ids, wording, source, country, status, created_at, expires_at)
     values ($1, $2, 'Yes', 'https://shop.example/form', 'DE', 'confirmed', $3, now())`,
    [email.toUpperCase(), [other_id], ago(280)],
  )
  await write({
    list_ids: [other_id],
    consented_at: ago(270),
    consent_source: 'form',
    consent_wording: 'Yes',
    consent_country: 'DE',
  })
  await t.sql(`insert into transactional_sends (purpose) values ('confirmation')`)
  await t.sql(
    `insert into transactional_mails (send_id, email, state, sent_at, account, attempts)
     values ((select max(id) from transactional_sends), $1, 'sent', $2, 'main', 1)`,
    [email, ago(275)],
  )
  await t.sql(
    `insert into deliveries (campaign_id, subscriber_id, batch, state, sent_at, account, attempts, answer)
     values ($1, $2, 1, 'sent', $3, 'main', 2, '250 ok')`,
    [campaign_id, id, ago(200)],
  )
  await t.sql(
    `insert into deliveries (campaign_id, subscriber_id, batch, state, reason, updated_at)
     values (999, $1, 1, 'skipped', 'suppressed', $2)`,
    [id, ago(190)],
  )
  await t.sql(
    `insert into recipient_feedback (campaign_id, subscriber_id, accepted_at, delivered_at, soft_bounced_at, complained_at, diagnostic)
     values ($1, $2, $3, $3, $4, $5, '452 full')`,
    [campaign_id, id, ago(199), ago(198), ago(100)],
  )
  // The campaign's own mail was opened first at a time whose event is not kept any more.
  await t.sql(
    `insert into campaign_links (campaign_id, n, url, text) values ($1, 1, 'https://shop.example/sale', 'Sale')`,
    [campaign_id],
  )
  await flushEvents(t.db, [
    event('open', campaign_id, id, { occurred_at: ago(180), verdict: 'machine', reason: 'proxy' }),
    event('click', campaign_id, id, { occurred_at: ago(170), country: 'FR' }),
    event('unsubscribe', campaign_id, id, { occurred_at: ago(160), scope: 'lists' }),
  ])
  await t.sql(`update recipient_stats set first_opened_at = $2 where subscriber_id = $1`, [id, ago(195)])
  await leaveList(t.db, other_id, id)
  await write({ status: 'unsubscribed', consent_source: 'support' })

  const entries = (await history()) ?? []
  const short = entries.map(({ what, campaign, list, detail }) => [
    what,
    campaign?.id === campaign_id ? 'campaign' : campaign?.id,
    list?.id === list_id ? 'list' : list?.id === other_id ? 'other' : list?.id,
    detail,
  ])
  expect(short).toEqual([
    ['unsubscribed', undefined, undefined, null],
    ['unsubscribed', undefined, 'other', null],
    ['complained', 'campaign', undefined, null],
    ['unsubscribed', undefined, 'list', null],
    ['clicked', 'campaign', undefined, null],
    ['opened', 'campaign', undefined, 'proxy'],
    ['skipped', 999, undefined, 'suppressed'],
    ['opened', 'campaign', undefined, null],
    ['bounced', 'campaign', undefined, 'soft: 452 full'],
    ['delivered', 'campaign', undefined, null],
    ['sent', 'campaign', undefined, 'by account main: attempt 2: 250 ok'],
    ['subscribed', undefined, 'other', null],
    ['sent', undefined, undefined, 'by account main'],
    ['signed_up', undefined, 'other', 'confirmed'],
    ['joined', undefined, 'list', null],
    ['created', undefined, undefined, null],
  ])
  const of = (what: string) => entries.find((entry) => entry.what === what)
  expect(of('subscribed')).toMatchObject({ source: 'form', wording: 'Yes', country: 'DE', list: { name: 'other' } })
  expect(of('clicked')).toMatchObject({
    url: 'https://shop.example/sale',
    verdict: 'human',
    country: 'FR',
    campaign: { name: 'News' },
  })
  expect(of('opened')).toMatchObject({ verdict: 'machine' })
  expect(of('skipped')).toMatchObject({ campaign: { id: 999, name: null } })
  expect(entries.filter((e) => e.what === 'unsubscribed').map((e) => e.source)).toEqual([
    'support',
    'api',
    `unsubscribe link, campaign ${campaign_id}`,
  ])
  expect(entries.find((e) => e.purpose === 'confirmation')?.what).toBe('sent')
  expect(of('signed_up')).toMatchObject({ source: 'https://shop.example/form', wording: 'Yes', country: 'DE' })

  for (const limit of [1, 2, 5]) expect(await history(limit)).toEqual(entries)
})

test('entries of one moment neither repeat nor get lost between pages; nobody else is told of', async () => {
  const { subscriber_ids } = await seedCampaign(t, 2)
  const [one = 0, two = 0] = subscriber_ids
  await t.sql(
    `insert into consents (subscriber_id, list_id, action, occurred_at)
     select s, n, case when n % 2 = 0 then 'subscribed' else 'unsubscribed' end, '2026-01-31T10:00:00.123456Z'
     from unnest($1::bigint[]) s, generate_series(1, 40) n`,
    [[one, two]],
  )
  await t.sql(
    `insert into campaign_events (event_id, occurred_at, kind, campaign_id, subscriber_id)
     select 'e' || n, '2026-01-31T10:00:00.123456Z'::timestamptz + n % 3 * interval '1 microsecond', 'open', 1, $1
     from generate_series(1, 40) n`,
    [one],
  )
  const all = (await history(200, one)) ?? []
  expect(all).toHaveLength(82)
  expect(new Set(all.map(({ place }) => `${place.at} ${place.key}`)).size).toBe(82)
  for (const limit of [1, 7, 50]) expect(await history(limit, one)).toEqual(all)
  expect(await history(200, two)).toHaveLength(42)
  expect(await history(100, 999_999_999)).toBeNull()
})

test('a page of an old account reads what it shows, not all there is', async () => {
  const { subscriber_ids } = await seedCampaign(t, 1)
  const [old = 0] = subscriber_ids
  await t.sql(
    `insert into campaign_events (event_id, occurred_at, kind, campaign_id, subscriber_id)
     select 'old' || n, now() - n * interval '1 minute', 'open', 1, $1 from generate_series(1, 10000) n`,
    [old],
  )
  await t.sql(
    `insert into consents (subscriber_id, action, occurred_at)
     select $1, 'subscribed', now() - n * interval '1 minute' from generate_series(1, 10000) n`,
    [old],
  )
  await t.sql('analyze')
  for (const after of [null, { at: new Date(Date.now() - 1e8).toISOString(), key: '21' }]) {
    const read = await rowsReadBy(t, (db) => subscriberHistory(db, old, after, 100))
    expect(read).toBeGreaterThan(100)
    expect(read).toBeLessThan(2_000)
  }
})
