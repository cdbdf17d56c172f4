import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Audience } from '../../../src/campaigns/audience.ts'
import { type AudienceNumbers, countAudience, type LookedAt } from '../../../src/campaigns/check/audience.ts'
import { somePeople } from '../../../src/campaigns/check/people.ts'
import { readSpread } from '../../../src/campaigns/check/spread.ts'
import { freezePage } from '../../../src/ledger/freeze.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

/** List 1: 4,000 people, the first 1,000 of them and nobody else on list 2; list 3: ten, of whom some left; list 4: none. */
let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
  await t.sql(`insert into mailing_lists (name) values ('large'), ('part'), ('left'), ('empty')`)
  await t.sql(`insert into subscribers (email, first_name, attributes)
    select 'P' || i || '@' || case i % 10 when 0 then 'gmail.com' when 1 then 'googlemail.com' when 2 then 'gmx.de'
        when 3 then 'acme.example' else 'firm' || i % 40 || '.example' end,
      case when i % 4 > 0 then 'Ada' end,
      case when i % 100 = 0 then '{"plan": "pro", "tags": ["a"]}' else '{"plan": "", "tags": []}' end::jsonb
    from generate_series(1, 4000) i`)
  await t.sql(`insert into list_members (list_id, subscriber_id) select 1, i from generate_series(1, 4000) i`)
  await t.sql(`insert into list_members (list_id, subscriber_id) select 2, i from generate_series(1, 1000) i`)
  await t.sql(`insert into list_members (list_id, subscriber_id, status, unsubscribed_at)
    select 3, i, case when i > 7 then 'unsubscribed' else 'subscribed' end, case when i > 7 then now() end from generate_series(1, 10) i`)
  await t.sql(`update subscribers set status = 'bounced' where id = 1`)
  await t.sql(`insert into suppressions (kind, value) values ('address', 'p10@gmail.com'), ('address', 'p3@acme.example'),
    ('domain', 'acme.example'), ('address', 'nobody@gmail.com')`)
  await t.sql('analyze')
})
afterAll(() => t.close())

const audienceOf = (fields: Partial<Audience> = {}): Audience => ({
  include: [1],
  exclude: [],
  where: {},
  sample: null,
  ...fields,
})
const count = async (audience: Audience, asked: Parameters<typeof countAudience>[3] = {}) =>
  countAudience(t.db, audience, await readSpread(t.db, audience), asked)
const FEW: LookedAt = { all_up_to: 100, sample: 1_000 }

const AUDIENCES: [string, Partial<Audience>][] = [
  ['one list', {}],
  ['two lists that overlap', { include: [1, 2] }],
  ['with a list left out, those who left it included', { exclude: [3] }],
  ['those who stayed', { include: [3] }],
  ['with an attribute', { where: { plan: 'pro' } }],
  ['a share', { sample: { percent: 25, seed: 3 } }],
  ['nobody', { include: [4] }],
]

describe.each(AUDIENCES)('%s', (_, fields) => {
  const audience = audienceOf(fields)

  test('are as many as are frozen', async () => {
    const [campaign] = await t.sql(
      `with s as (insert into senders (name, from_name, from_email, postal_address) values (gen_random_uuid(), 'A', 'a@b.example', 'S') returning id),
        t as (insert into templates (name) values ('t') returning id)
       insert into campaigns (name, subject, template_id, sender_id, audience, status, snapshot, audience_max_id, started_at)
       select 'n', 's', t.id, s.id, $1::jsonb, 'sending', '{}', (select max(id) from subscribers), now() from s, t returning id`,
      [JSON.stringify(audience)],
    )
    const id = Number(campaign?.id)
    await freezePage(t.db, id, 0, audience)
    const [frozen] = await t.sql('select count(*)::int as n from deliveries where campaign_id = $1', [id])
    const counted = await count(audience)
    expect(counted).toMatchObject({ count: frozen?.n, looked_at: frozen?.n, estimated: false })
    expect(counted.by_provider.reduce((sum, { count }) => sum + count, 0)).toBe(frozen?.n)
  })

  test('are nearly as many when some are looked at', async () => {
    const [exact, estimated] = [await count(audience), await count(audience, { looked_at: FEW })]
    if (estimated.estimated) expect(estimated.looked_at).toBeLessThan(1_300)
    const near = (n: number) => Math.abs(n - exact.count) <= Math.max(60, exact.count * 0.05)
    expect(near(estimated.count), `${estimated.count} for ${exact.count}`).toBe(true)
  })

  test('are those for whom the mail is tried, and nobody else', async () => {
    const people = await somePeople(t.db, audience, await readSpread(t.db, audience))
    const { count: all } = await count(audience)
    expect(people.length).toBe(Math.min(100, all))
    expect(new Set(people.map(({ subscriber_id }) => subscriber_id)).size).toBe(people.length)
    const ids = people.map(({ subscriber_id }) => subscriber_id)
    if (audience.include.includes(1) && all > 1_000) expect(Math.max(...ids) - Math.min(...ids)).toBeGreaterThan(3_000)
  })
})

const by = ({ by_provider }: AudienceNumbers) =>
  Object.fromEntries(by_provider.map(({ provider, count }) => [provider, count]))

test('mailbox providers go by the domain, others by their own, ten at most', async () => {
  const counted = await count(audienceOf())
  expect(by(counted)).toMatchObject({
    Gmail: 799,
    'GMX and Web.de': 400,
    'acme.example': 400,
    others: expect.any(Number),
  })
  const sizes = counted.by_provider.slice(0, -1).map(({ count }) => count)
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
  expect(counted.by_provider).toHaveLength(2 + 10 + 1)
})

test('who is suppressed, by address or domain, or not in the allow-list, counts once', async () => {
  expect(await count(audienceOf())).toMatchObject({ suppressed: 401, not_in_allowlist: 0 })
  const allowlist = 'p10@gmail.com, P20@gmail.com, @acme.example, @gmx.de'
  // 3,999 people, without 401 who are suppressed, 400 at gmx.de and one address.
  expect(await count(audienceOf(), { allowlist })).toMatchObject({ suppressed: 401, not_in_allowlist: 3_197 })
  expect(await count(audienceOf({ include: [3] }), { allowlist: '' })).toMatchObject({ count: 6, not_in_allowlist: 5 })
})

test('what people lack is counted: nothing, empty text, empty lists', async () => {
  const paths = [
    ['first_name'],
    ['attributes', 'plan'],
    ['attributes', 'tags'],
    ['attributes', 'x', 'y'],
    ['last_name'],
  ]
  const { looked_at, lacking } = await count(audienceOf(), { paths })
  expect([looked_at, lacking]).toEqual([3_999, [1_000, 3_959, 3_959, 3_999, 3_999]])
  const some = await count(audienceOf(), { paths, looked_at: FEW })
  expect(some.lacking[3]).toBe(some.looked_at)
  expect(Math.abs((some.lacking[0] ?? 0) / some.looked_at - 0.25)).toBeLessThan(0.05)
})
