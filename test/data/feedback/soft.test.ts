import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FeedbackEvent, FeedbackKind } from '../../../src/feedback/event.ts'
import { recordFeedback } from '../../../src/feedback/record.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { later, news } from './news.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())

const HOUR = 60
const DAY = 24 * HOUR

/** One person who was sent so many campaigns. */
async function person(campaigns = 4) {
  const key = crypto.randomUUID()
  const [row] = await t.sql<{ id: number; email: string }>(
    'insert into subscribers (email) values ($1) returning id::int, email',
    [`Soft-${key}@example.com`],
  )
  if (!row) throw new Error('nobody')
  const [base] = await t.sql<{ n: number }>('select coalesce(max(campaign_id), 0)::int as n from deliveries')
  const ids = Array.from({ length: campaigns }, (_, i) => (base?.n ?? 0) + 1 + i)
  await t.sql(
    `insert into deliveries (campaign_id, subscriber_id, batch, state, lease_token)
     select c, $1, 0, 'sent', gen_random_uuid() from unnest($2::bigint[]) as c`,
    [row.id, ids],
  )
  return { ...row, campaign: (n: number) => ids[n] as number }
}

const standing = async ({ id, email }: { id: number; email: string }) => {
  const [row] = await t.sql(
    `select status, (select json_agg(json_build_array(reason, source)) from suppressions where value = lower($2)) as why
     from subscribers where id = $1`,
    [id, email],
  )
  return row
}

/** [campaign, minutes after the first, kind] */
type Told = [number, number, FeedbackKind?]

test.each<[string, Told[], boolean]>([
  [
    'three campaigns in three days',
    [
      [0, 0],
      [1, DAY],
      [2, 3 * DAY],
    ],
    true,
  ],
  [
    'three campaigns in a little more',
    [
      [0, 0],
      [1, DAY],
      [2, 3 * DAY + 1],
    ],
    false,
  ],
  [
    'two',
    [
      [0, 0],
      [1, DAY],
    ],
    false,
  ],
  [
    'the retries of one mail',
    [
      [0, 0],
      [0, 20],
      [0, 60],
      [0, 110],
      [0, 160],
    ],
    false,
  ],
  [
    'one mail that was sent again, hours apart',
    [
      [0, 0],
      [0, HOUR],
      [0, 2 * HOUR],
    ],
    true,
  ],
  [
    'three campaigns at once',
    [
      [0, 0],
      [1, 0],
      [2, 0],
    ],
    true,
  ],
  [
    'one delivered before',
    [
      [3, 0, 'delivered'],
      [0, 1],
      [1, DAY],
      [2, 2 * DAY],
    ],
    true,
  ],
  [
    'one delivered in between',
    [
      [0, 0],
      [1, DAY],
      [3, DAY + 1, 'delivered'],
      [2, 2 * DAY],
    ],
    false,
  ],
  [
    'three after one delivered',
    [
      [0, 0],
      [3, 1, 'delivered'],
      [1, 2],
      [2, HOUR],
      [1, 2 * HOUR],
    ],
    true,
  ],
  [
    'four in a long time',
    [
      [0, 0],
      [1, 2 * DAY],
      [2, 4 * DAY],
      [3, 6 * DAY],
    ],
    false,
  ],
  [
    'other kinds',
    [
      [0, 0],
      [1, 1, 'deferred'],
      [2, 2, 'blocked'],
      [3, 3, 'deferred'],
    ],
    false,
  ],
])('%s', async (_, told, suppressed) => {
  const events = (who: Awaited<ReturnType<typeof person>>) =>
    told.map(([n, minutes, kind]) =>
      news(kind ?? 'soft_bounce', who.campaign(n), who.id, { occurred_at: later(minutes) }),
    )
  const [forwards, backwards, together, parallel] = [await person(), await person(), await person(), await person()]
  // What was delivered in between is known in time.
  for (const event of events(forwards)) await recordFeedback(t.db, [event])
  const delivered = ({ kind }: FeedbackEvent) => (kind === 'delivered' ? 0 : 1)
  const reversed = events(backwards).reverse()
  for (const event of reversed.sort((a, b) => delivered(a) - delivered(b))) await recordFeedback(t.db, [event])
  await recordFeedback(t.db, events(together))
  const [first, ...rest] = events(parallel).sort((a, b) => delivered(a) - delivered(b))
  if (first) await recordFeedback(t.db, [first])
  await Promise.all(rest.map((event) => recordFeedback(t.db, [event])))
  for (const who of [forwards, backwards, together, parallel]) {
    const found = await standing(who)
    if (suppressed)
      expect(found).toMatchObject({
        status: 'bounced',
        why: [['bounce', expect.stringMatching(/^3 soft bounces in 3 days, campaign \d+$/)]],
      })
    else expect(found).toEqual({ status: 'active', why: null })
  }
})

test('bounces of an address that the subscriber has left do not count', async () => {
  const who = await person()
  const old = { recipient: 'left@example.com' }
  await recordFeedback(t.db, [
    news('soft_bounce', who.campaign(0), who.id, old),
    news('soft_bounce', who.campaign(1), who.id, old),
    news('soft_bounce', who.campaign(2), who.id),
  ])
  expect(await standing(who)).toEqual({ status: 'active', why: null })
  await recordFeedback(t.db, [
    news('soft_bounce', who.campaign(0), who.id, { recipient: who.email, occurred_at: later(HOUR) }),
    news('soft_bounce', who.campaign(1), who.id, { recipient: who.email, occurred_at: later(HOUR) }),
  ])
  expect(await standing(who)).toMatchObject({ status: 'bounced' })
})

test('an address that its owner freed is not suppressed again for what was long before', async () => {
  const who = await person()
  const before = [0, 1, 2].map((n) => news('soft_bounce', who.campaign(n), who.id, { occurred_at: later(n) }))
  await recordFeedback(t.db, before)
  await t.sql(`update subscribers set status = 'active' where id = $1`, [who.id])
  await t.sql('delete from suppressions where value = lower($1)', [who.email])
  await recordFeedback(t.db, [news('soft_bounce', who.campaign(3), who.id, { occurred_at: later(3 * DAY + 3) })])
  expect(await standing(who)).toEqual({ status: 'active', why: null })
})

test('what nobody was sent does not count', async () => {
  const who = await person(2)
  await recordFeedback(t.db, [
    news('soft_bounce', who.campaign(0), who.id),
    news('soft_bounce', who.campaign(1), who.id),
    news('soft_bounce', 999_999, who.id),
  ])
  expect(await standing(who)).toEqual({ status: 'active', why: null })
})
