import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patterns, searchSubscribers } from '../../src/subscribers/search.ts'
import type { Place, SubscriberFilters } from '../../src/subscribers/store.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { rowsReadBy } from '../support/rows-read.ts'

let t: TestDatabase
/** So small that every way through the statement is taken. */
const STRETCH = { near: 40, far: 60 }
const NAMES = [
  'Ada',
  'ADA',
  'Zoë',
  'Ünal',
  'Мария',
  '東京',
  '山田',
  'नमस्ते',
  'I',
  'İrem',
  'ırmak',
  "O'Brien",
  '50%',
  'a_b',
  'c\\d',
]
const HOSTS = ['gmail.com', 'gmx.de', 'xn--mnchen-3ya.de', 'sub.example.org']

beforeAll(async () => {
  t = await openTestDatabase()
  await t.sql(
    `insert into subscribers (email, first_name, last_name, status, tags, created_at)
     select 'p' || i || substr(md5(i::text), 1, 4) || '@' || ($1::text[])[1 + i * 7 % 4],
       ($2::text[])[1 + i * i % 17], ($2::text[])[1 + i / 3 % 16],
       case when i % 11 = 0 then 'unsubscribed' else 'active' end,
       case when i % 5 = 0 then array['five', 'all'] else array['all'] end, now() - i % 3 * interval '1 hour'
     from generate_series(1, 400) i`,
    [HOSTS, NAMES],
  )
  await t.sql(`insert into mailing_lists (name) values ('third')`)
  await t.sql(`insert into list_members (list_id, subscriber_id) select 1, id from subscribers where id % 3 = 0`)
})
afterAll(() => t.close())

async function everyone(filters: SubscriberFilters, limit: number, stretch = STRETCH): Promise<number[]> {
  const ids: number[] = []
  let after: Place | null = null
  for (let pages = 0; pages < 1_000; pages++) {
    const { rows, next } = await searchSubscribers(t.db, filters, after, limit, stretch)
    expect(rows.length).toBeLessThanOrEqual(limit)
    ids.push(...rows.map((row) => row.id))
    if (next === null) return ids
    after = next
  }
  throw new Error('the pages do not end')
}

test('page after page gives everyone who matches, each once and in order, whatever is common or rare', async () => {
  const people = await t.sql<{ id: string; text: string; status: string; tags: string[]; created_at: string }>(
    `select id, lower(concat(email, ' ', first_name, ' ', last_name)) as text, status, tags, created_at
     from subscribers order by id`,
  )
  const part = fc
    .record({ who: fc.nat(people.length - 1), from: fc.nat(30), length: fc.integer({ min: 1, max: 9 }) })
    .map(({ who, from, length }) => {
      const letters = [...(people[who]?.text ?? '')]
      const start = from % letters.length
      return letters
        .slice(start, start + length)
        .join('')
        .trim()
    })
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        search: fc.option(fc.oneof(part, fc.constantFrom('gmail', 'gm', '%', '_', '\\', 'nowhere', 'q', 'zzz')), {
          nil: undefined,
        }),
        tag: fc.constantFrom(undefined, 'five', 'all', 'none'),
        status: fc.constantFrom(undefined, 'unsubscribed' as const),
        list_id: fc.constantFrom(undefined, 1),
        created_after: fc.constantFrom(undefined, '2020-01-01T00:00:00.000Z'),
        limit: fc.constantFrom(3, 50, 200),
        upper: fc.boolean(),
      }),
      async ({ limit, upper, ...filters }) => {
        fc.pre(filters.search !== '' && (filters.search !== undefined || filters.tag !== undefined))
        const [asked] = await t.sql<{ text: string }>('select lower($1) as text', [filters.search ?? ''])
        const expected = people.filter(
          ({ id, text, status, tags }) =>
            text.includes(asked?.text ?? '') &&
            (filters.tag === undefined || tags.includes(filters.tag)) &&
            (filters.status === undefined || status === filters.status) &&
            (filters.list_id === undefined || Number(id) % 3 === 0),
        )
        if (filters.created_after !== undefined) {
          expected.sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at) || Number(a.id) - Number(b.id))
        }
        const search = upper ? filters.search?.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : filters.search
        expect(await everyone({ ...filters, search }, limit)).toEqual(expected.map(({ id }) => Number(id)))
      },
    ),
    { numRuns: 60 },
  )
})

test('a search without three letters stops on its way and says where to go on', async () => {
  const { rows, next } = await searchSubscribers(t.db, { search: 'qq' }, null, 5, STRETCH)
  expect(rows).toEqual([])
  expect(next).toEqual({ id: 60, created_key: null })
  expect(await everyone({ search: 'qq' }, 5)).toEqual([])
})

describe('how a search is read', () => {
  test.each([
    ['ada', ['%ada%']],
    [' 50%_\\ ', ['%50\\%\\_\\\\%']],
    ['Zoe\u0308', ['%Zoë%', '%xn--zo-ija%']],
    ['ａｄａ＠ｇｍａｉｌ', ['%ａｄａ＠ｇｍａｉｌ%', '%ada@gmail%']],
    ['München', ['%München%', '%xn--mnchen-3ya%']],
    ['ada@münchen.de', ['%ada@münchen.de%', '%ada@xn--mnchen-3ya.de%']],
    ['例え。テスト', ['%例え。テスト%', '%xn--r8jz45g.xn--zckzah%']],
    ['Zoë Müller', ['%Zoë Müller%']],
    ['faß.example', ['%faß.example%', '%xn--fa-hia.example%']],
    ['\ud800', ['%\ud800%']],
  ])('%j', (search, expected) => {
    expect(patterns(search)).toEqual(expected)
  })

  test.each([
    ['münchen', 100],
    ['@MÜNCHEN.de', 100],
    ['İREM', 'İrem'],
    ['irem', 'İrem'],
    ['IRMAK', null],
    ['ÜNAL', 'Ünal'],
    ['мАРИЯ', 'Мария'],
    ["o'brien", "O'Brien"],
  ])('%s finds what it should', async (search, expected) => {
    const { rows } = await searchSubscribers(t.db, { search }, null, 200)
    if (typeof expected === 'number') expect(rows).toHaveLength(expected)
    else if (expected === null) expect(rows).toEqual([])
    else {
      expect(rows.length).toBeGreaterThan(10)
      for (const row of rows) expect([row.first_name, row.last_name]).toContain(expected)
    }
  })
})

test('a row of a search is the row of the list', async () => {
  const { rows } = await searchSubscribers(t.db, { search: 'p7' }, null, 1)
  expect(rows[0]).toMatchObject({
    id: 7,
    status: 'active',
    attributes: {},
    tags: ['all'],
    paused_until: null,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  })
})

test('neither what is common nor what is rare has all people read', async () => {
  const own = await openTestDatabase()
  await own.sql(`insert into subscribers (email) select md5(i::text) || '@gmail.com' from generate_series(1, 30000) i`)
  await own.sql('analyze subscribers')
  for (const [search, most] of [
    ['gmail', 200],
    ['abcde', 11_000],
    ['nowhere', 11_000],
  ] as const) {
    const read = await rowsReadBy(own, (db) => searchSubscribers(db, { search }, null, 50))
    expect(read, search).toBeGreaterThan(0)
    expect(read, search).toBeLessThan(most)
  }
  await own.close()
})
