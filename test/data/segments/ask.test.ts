// Counting and paging, over more people than are looked at one by one.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countSegment, pageOfSegment } from '../../../src/segments/ask.ts'
import { segmentCondition, wholeSegment } from '../../../src/segments/compile.ts'
import type { Filter } from '../../../src/segments/filter.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

const PEOPLE = 30_000

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
  await t.sql(`insert into mailing_lists (name) values ('all'), ('last'), ('few')`)
  await t.sql(`insert into subscribers (email, attributes, tags, status)
    select 'p' || i || '@' || case when i % 10000 = 0 then 'rare.example' else 'gmail.com' end,
      jsonb_build_object('n', i, 'plan', case when i % 2 = 0 then 'pro' when i = 29999 then 'single' else 'free' end),
      case when i % 3000 = 0 then '{rare}' else '{}' end::text[], case when i % 4 = 0 then 'bounced' else 'active' end
    from generate_series(1, ${PEOPLE}) i`)
  await t.sql(`insert into list_members (list_id, subscriber_id) select 1, i from generate_series(1, ${PEOPLE}) i
    union all select 2, i from generate_series(${PEOPLE - 5_000}, ${PEOPLE}) i union all select 3, i from generate_series(500, ${PEOPLE}, 7000) i`)
  await t.sql('analyze')
})
afterAll(() => t.close())

const SEGMENTS: [string, Filter, (i: number) => boolean][] = [
  ['half of all', { attribute: 'plan', op: 'eq', value: 'PRO' }, (i) => i % 2 === 0],
  ['everybody', { list: 1, op: 'subscribed' }, () => true],
  ['nobody', { attribute: 'n', op: 'gt', value: PEOPLE }, () => false],
  ['few, far apart', { tags: ['rare'], op: 'any' }, (i) => i % 3000 === 0],
  ['three of a domain', { field: 'domain', op: 'eq', value: 'rare.example' }, (i) => i % 10000 === 0],
  ['one, near the end', { attribute: 'plan', op: 'eq', value: 'single' }, (i) => i === 29_999],
  ['the last of all', { list: 2, op: 'subscribed' }, (i) => i >= PEOPLE - 5_000],
  [
    'some at the beginning and the last of all',
    { or: [{ attribute: 'n', op: 'lt', value: 20 }, { not: { list: 2, op: 'never' } }] },
    (i) => i < 20 || i >= PEOPLE - 5_000,
  ],
]

const members = (who: (i: number) => boolean) => Array.from({ length: PEOPLE }, (_, i) => i + 1).filter(who)

describe.each(SEGMENTS)('%s', (_, filter, who) => {
  test('is counted, with whom campaigns may mail', async () => {
    const ids = members(who)
    expect(await countSegment(t.db, filter)).toEqual({
      count: ids.length,
      active: ids.filter((i) => i % 4 !== 0).length,
    })
  })

  test('is listed from page to page, each once, in order', async () => {
    const ids = members(who)
    const limit = Math.max(3, Math.ceil(ids.length / 4))
    const listed: number[] = []
    for (let after = 0; ; ) {
      const rows = await pageOfSegment(t.db, filter, after, limit)
      expect(rows.length).toBeLessThanOrEqual(limit + 1)
      listed.push(...rows.slice(0, limit).map(({ id }) => id))
      if (rows.length <= limit) break
      after = listed.at(-1) ?? 0
    }
    expect(listed).toEqual(ids)
  })
})

test('what takes too long is given up, and the slowest condition is named', async () => {
  const filter: Filter = {
    and: [
      { field: 'status', op: 'eq', value: 'active' },
      { or: Array.from({ length: 98 }, (_, n) => ({ attribute: 'plan', op: 'contains', value: `x${n}` })) },
      { not: { engagement: 'opened', op: 'none_of_last_mails', value: 3 } },
    ],
  }
  for (const ask of [() => countSegment(t.db, filter, 1), () => pageOfSegment(t.db, filter, 0, 50, 1)]) {
    await expect(ask()).rejects.toMatchObject({
      code: 'segment_too_slow',
      errors: [{ field: expect.stringMatching(/^filter\.and\./), detail: expect.stringContaining('takes longest') }],
    })
  }
  await expect(countSegment(t.db, { not: { field: 'email', op: 'contains', value: 'x' } }, 1)).rejects.toMatchObject({
    code: 'segment_too_slow',
    errors: [],
  })
  // The limit held for that transaction only.
  expect(await t.sql('show statement_timeout')).toEqual([{ statement_timeout: '0' }])
  expect(await countSegment(t.db, { list: 3, op: 'ever' })).toEqual({ count: 5, active: 0 })
})

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Parent Relationship'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  Plans?: PlanNode[]
}

async function nodesOf(query: ReturnType<typeof sql>): Promise<PlanNode[]> {
  const { rows } = await t.db.execute<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    sql`explain (analyze, format json) ${query}`,
  )
  const all = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)]
  return rows.flatMap((row) => all(row['QUERY PLAN'][0].Plan))
}

test('for a page of people, other tables are read by their keys, wherever in the tree the condition is', async () => {
  const filter: Filter = {
    or: [
      { list: 2, op: 'subscribed' },
      {
        not: {
          or: [
            { list: 1, op: 'ever' },
            { engagement: 'sent', op: 'ever' },
          ],
        },
      },
    ],
  }
  const nodes = await nodesOf(sql`
    select s.id from (select * from subscribers order by id limit 100) s where ${segmentCondition(filter)}`)
  const reads = nodes.filter((node) => node['Relation Name'] === 'list_members')
  expect(reads.length).toBeGreaterThan(0)
  for (const node of reads) expect(node['Actual Rows']).toBeLessThanOrEqual(1)
})

test('as a whole, other tables are read once, wherever in the tree the condition is', async () => {
  const filter: Filter = {
    or: [
      { list: 2, op: 'subscribed' },
      {
        not: {
          or: [
            { list: 1, op: 'ever' },
            {
              and: [
                { list: 3, op: 'never' },
                { engagement: 'opened', op: 'never' },
              ],
            },
          ],
        },
      },
    ],
  }
  const { joins, condition } = wholeSegment(filter)
  const nodes = await nodesOf(sql`select count(*) from subscribers s ${joins} where ${condition}`)
  for (const node of nodes.filter(
    ({ 'Relation Name': name }) => name === 'list_members' || name === 'subscriber_activity',
  )) {
    expect(node['Actual Loops']).toBeLessThanOrEqual(3)
  }
  expect(nodes.filter((node) => node['Parent Relationship'] === 'SubPlan')).toEqual([])
})

test('tags, domains and addresses are found by their indexes', async () => {
  for (const [filter, index] of [
    [{ tags: ['rare'], op: 'any' }, 'subscribers_tags'],
    [{ field: 'domain', op: 'in', value: ['rare.example'] }, 'subscribers_domain'],
    [{ field: 'email', op: 'eq', value: 'P7@gmail.com' }, 'subscribers_email'],
    [{ attribute: 'n', op: 'eq', value: 7 }, 'subscribers_attributes'],
  ] satisfies [Filter, string][]) {
    const { joins, condition } = wholeSegment(filter)
    const nodes = await nodesOf(sql`select count(*) from subscribers s ${joins} where ${condition}`)
    expect(nodes.map((node) => node['Index Name'])).toContain(index)
  }
})
