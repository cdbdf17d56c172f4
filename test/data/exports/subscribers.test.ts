import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readAttributeTypes } from '../../../src/attributes/store.ts'
import type { Database } from '../../../src/db/client.ts'
import { exportSubscribers, type SubscribersExport } from '../../../src/exports/subscribers.ts'
import { PAGE, type PageSize } from '../../../src/exports/subscribers-page.ts'
import type { Filter } from '../../../src/segments/filter.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
})
afterAll(() => t.close())
beforeEach(async () => {
  await t.sql('truncate subscribers, mailing_lists, attribute_definitions cascade')
})

const file = async (wanted: Partial<SubscribersExport> = {}, size?: PageSize, db: Database = t.db) =>
  exportSubscribers(
    db,
    { people: {}, format: 'csv', formula_safe: true, types: await readAttributeTypes(t.db), ...wanted },
    size,
  )
const read = async (...args: Parameters<typeof file>) => new Response(await file(...args)).text()
/** As another reader of CSV has it. */
const records = async (...args: Parameters<typeof file>): Promise<Record<string, string>[]> =>
  parse(await read(...args), { columns: true, record_delimiter: '\r\n' })
const emails = async (...args: Parameters<typeof file>) => (await records(...args)).map(({ email }) => email)

const insert = async (fields: Record<string, unknown>) => {
  const [row] = await t.sql<{ id: string }>(
    `insert into subscribers (email, first_name, last_name, status, attributes, tags, created_at)
     select email, first_name, last_name, coalesce(status, 'active'), coalesce(attributes, '{}'), coalesce(tags, '{}'),
       coalesce(created_at, now())
     from jsonb_to_record($1::jsonb) as r (email text, first_name text, last_name text, status text, attributes jsonb,
       tags text[], created_at timestamptz)
     returning id`,
    [JSON.stringify(fields)],
  )
  return Number(row?.id)
}
const listOf = async (name: string, ...members: [number, 'subscribed' | 'unsubscribed'][]) => {
  const [row] = await t.sql<{ id: string }>('insert into mailing_lists (name) values ($1) returning id', [name])
  for (const [id, status] of members) {
    await t.sql(
      `insert into list_members (list_id, subscriber_id, status, consented_at, consent_source, unsubscribed_at)
       values ($1, $2, $3, '2026-01-02T03:04:05Z', 'form', case when $3 = 'unsubscribed' then now() end)`,
      [row?.id, id, status],
    )
  }
  return Number(row?.id)
}
const define = (name: string, type: string) =>
  t.sql('insert into attribute_definitions (name, type) values ($1, $2)', [name, type])

test('every field, with lists and the latest consent', async () => {
  const id = await insert({ email: 'Ada@example.com', first_name: 'Ada', tags: ['vip', 'x'], attributes: { seats: 3 } })
  const list_id = await listOf('News, weekly', [id, 'subscribed'])
  for (const [action, day] of [
    ['subscribed', 1],
    ['resubscribed', 2],
    ['unsubscribed', 3],
  ]) {
    await t.sql(
      `insert into consents (subscriber_id, action, source, occurred_at) values ($1, $2, 'day ' || $3::int, make_date(2026, 3, $3::int))`,
      [id, action, day],
    )
  }
  const [row] = await records()
  expect(row).toEqual({
    ...{
      id: String(id),
      email: 'Ada@example.com',
      first_name: 'Ada',
      last_name: '',
      status: 'active',
      timezone: '',
      locale: '',
    },
    ...{ tags: 'vip; x', paused_until: '', created_at: expect.any(String), updated_at: expect.any(String) },
    ...{ consented_at: '2026-03-02T00:00:00.000Z', consent_source: 'day 2', lists: expect.any(String) },
    attributes: '{"seats":3}',
  })
  const lists = [
    {
      ...{ list_id, name: 'News, weekly', status: 'subscribed', consented_at: '2026-01-02T03:04:05.000Z' },
      ...{ consent_source: 'form', unsubscribed_at: null },
    },
  ]
  expect(JSON.parse(row?.lists ?? '')).toEqual(lists)
  const text = await read({ format: 'ndjson' })
  expect(text.endsWith('}\n')).toBe(true)
  expect(JSON.parse(text)).toMatchObject({ id, tags: ['vip', 'x'], attributes: { seats: 3 }, lists, last_name: null })
})

describe('attributes', () => {
  test('a column for each that is declared; what its cell would not give back stands with the rest', async () => {
    for (const [name, type] of Object.entries({
      born: 'date',
      interests: 'list',
      paid: 'boolean',
      plan: 'string',
      seats: 'number',
    })) {
      await define(name, type)
    }
    await insert({
      email: 'a@example.com',
      attributes: {
        plan: 'pro, "big"\nline',
        seats: -3,
        paid: false,
        born: '2026-02-03',
        interests: ['a;b', 'c'],
        other: '7',
      },
    })
    await insert({
      email: 'b@example.com',
      attributes: {
        plan: ' blank ',
        seats: '12',
        paid: 'yes',
        born: '2026-02-03T04:05:06+02:00',
        interests: [1],
        other: '',
      },
    })
    await insert({ email: 'c@example.com', attributes: { plan: '', seats: 1e20, deep: { a: [null] } } })
    const attributes = (await records()).map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => name.startsWith('attributes'))),
    )
    expect(attributes).toEqual([
      {
        ...{ 'attributes.born': '2026-02-03', 'attributes.interests': '["a;b","c"]', 'attributes.paid': 'false' },
        ...{ 'attributes.plan': 'pro, "big"\nline', 'attributes.seats': '-3', attributes: '{"other":"7"}' },
      },
      {
        ...{ 'attributes.born': '', 'attributes.interests': '', 'attributes.paid': '', 'attributes.plan': '' },
        ...{ 'attributes.seats': '', attributes: expect.stringContaining('" blank "') },
      },
      expect.objectContaining({
        'attributes.plan': '',
        'attributes.seats': '',
        attributes: expect.stringContaining('deep'),
      }),
    ])
    expect(JSON.parse(attributes[1]?.attributes ?? '')).toEqual({
      ...{ plan: ' blank ', seats: '12', paid: 'yes', born: '2026-02-03T04:05:06+02:00', interests: [1], other: '' },
    })
  })

  test('tags that hold what separates are a JSON array', async () => {
    await insert({ email: 'a@example.com', tags: ['a, b', 'c'] })
    expect((await records())[0]?.tags).toBe('["a, b","c"]')
  })
})

test('formulas are guarded in every cell of text, unless values are asked for as they are', async () => {
  await define('note', 'string')
  const id = await insert({
    email: '+a@example.com',
    first_name: '=1+1',
    last_name: ' @x',
    tags: ['-t'],
    attributes: { note: '\t=2', '=k': '' },
  })
  await t.sql(`insert into consents (subscriber_id, action, source) values ($1, 'subscribed', '"=HYPERLINK(1)"')`, [id])
  const guarded = {
    email: "'+a@example.com",
    first_name: "'=1+1",
    last_name: "' @x",
    tags: "'-t",
    consent_source: `'"=HYPERLINK(1)"`,
  }
  expect((await records())[0]).toMatchObject({ ...guarded, attributes: expect.stringContaining('=2') })
  expect((await records({ formula_safe: false }))[0]).toMatchObject({
    ...{ email: '+a@example.com', first_name: '=1+1', last_name: ' @x', tags: '-t', consent_source: '"=HYPERLINK(1)"' },
  })
})

describe('filters', () => {
  test('status, tag, time of creation and segment, alone and together', async () => {
    await insert({ email: 'a@example.com', tags: ['vip'], created_at: '2026-01-01T00:00:00Z' })
    await insert({ email: 'b@example.com', status: 'bounced', tags: ['vip'] })
    await insert({ email: 'c@example.com', attributes: { plan: 'pro' } })
    expect(await emails({ people: { status: 'bounced' } })).toEqual(['b@example.com'])
    expect(await emails({ people: { tag: 'vip' } })).toEqual(['a@example.com', 'b@example.com'])
    expect(await emails({ people: { created_after: '2026-01-01T00:00:00.000Z' } })).toEqual([
      'b@example.com',
      'c@example.com',
    ])
    const segment: Filter = { attribute: 'plan', op: 'eq', value: 'pro' }
    expect(await emails({ people: { segment } })).toEqual(['c@example.com'])
    expect(await emails({ people: { segment, tag: 'vip' } })).toEqual([])
  })

  test('a list with its own consent, by standing', async () => {
    const [a, b] = [await insert({ email: 'a@example.com' }), await insert({ email: 'b@example.com' })]
    await insert({ email: 'c@example.com' })
    const id = await listOf('News', [a, 'subscribed'], [b, 'unsubscribed'])
    await listOf('Other', [b, 'subscribed'])
    const people = (standing: 'subscribed' | 'unsubscribed' | 'any') => ({ people: { list: { id, standing } } })
    expect(await records(people('subscribed'))).toMatchObject([
      {
        email: 'a@example.com',
        list_status: 'subscribed',
        consented_at: '2026-01-02T03:04:05.000Z',
        consent_source: 'form',
      },
    ])
    expect(await emails(people('unsubscribed'))).toEqual(['b@example.com'])
    expect(await emails(people('any'))).toEqual(['a@example.com', 'b@example.com'])
    expect(await emails({ people: { list: { id: id + 100, standing: 'any' } } })).toEqual([])
  })
})

describe('pages', () => {
  const size = (change: Partial<PageSize>) => ({ ...PAGE, ...change })
  const crowd = (n: number) =>
    t.sql(
      `insert into subscribers (email, tags) select 'p' || n || '@example.com', case when n % 5 = 0 then '{vip}' else '{}' end::text[]
       from generate_series(1, $1) n`,
      [n],
    )

  test.each([
    { rows: 1 },
    { rows: 6 },
    { rows: 7 },
    { rows: 13 },
    { rows: 14 },
    { looked_at: 1 },
    { looked_at: 2 },
    { looked_at: 13 },
    { bytes: 1 },
    { rows: 2, looked_at: 3 },
    { rows: 3, looked_at: 3, bytes: 5 },
  ])('of any size make the same file: %j', async (change) => {
    await crowd(13)
    const list_id = await listOf('News')
    await t.sql(`insert into list_members (list_id, subscriber_id) select $1, id from subscribers where id % 2 = 0`, [
      list_id,
    ])
    for (const people of [{}, { tag: 'vip' }, { tag: 'none' }, { list: { id: list_id, standing: 'any' as const } }]) {
      expect(await read({ people }, size(change))).toBe(await read({ people }))
    }
  })

  test('end where people are on too many lists', async () => {
    await crowd(6)
    await t.sql(`insert into mailing_lists (name) select 'list ' || n from generate_series(1, 100) n`)
    await t.sql(
      `insert into list_members (list_id, subscriber_id) select l.id, s.id from mailing_lists l, subscribers s`,
    )
    const reader = (await file({ format: 'ndjson' }, size({ bytes: 20_000 }))).getReader()
    let parts = 0
    for (let part = await reader.read(); !part.done; part = await reader.read()) parts++
    expect(parts).toBe(3)
  })

  test('end where a page holds too many bytes', async () => {
    for (let n = 0; n < 6; n++) await insert({ email: `${n}@example.com`, attributes: { text: 'x'.repeat(16_000) } })
    const reader = (await file({}, size({ bytes: 40_000 }))).getReader()
    const lengths: number[] = []
    for (let part = await reader.read(); !part.done; part = await reader.read()) lengths.push(part.value.length)
    expect(lengths).toEqual([expect.any(Number), expect.any(Number)])
    expect(Math.max(...lengths)).toBeLessThan(60_000)
  })

  test('who is changed, deleted or added meanwhile is in it once at most', async () => {
    await crowd(6)
    const reader = (await file({}, size({ rows: 2 }))).getReader()
    const decoder = new TextDecoder()
    let text = decoder.decode((await reader.read()).value)
    await t.sql(`delete from subscribers where email in ('p1@example.com', 'p5@example.com')`)
    await t.sql(`update subscribers set email = 'changed@example.com' where email = 'p6@example.com'`)
    await crowd(1)
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value)
    const found = (parse(text, { columns: true }) as { id: string; email: string }[]).map(({ email }) => email)
    expect(found).toEqual(['p1', 'p2', 'p3', 'p4', 'changed', 'p1'].map((name) => `${name}@example.com`))
  })

  test('nothing is read for a reader who went away, and a failure is no end', async () => {
    await crowd(9)
    let asked = 0
    let fails = false
    const counting = Object.assign(Object.create(t.db), {
      execute: (statement: Parameters<Database['execute']>[0]) => {
        asked++
        return fails ? Promise.reject(new Error('gone')) : t.db.execute(statement)
      },
    }) as Database
    const left = (await file({}, size({ rows: 1 }), counting)).getReader()
    await left.read()
    await left.cancel()
    const before = asked
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(asked).toBe(before)
    // Also while it looks for the first who fits.
    const seeking = (await file({ people: { tag: 'none' } }, size({ looked_at: 1 }), counting)).getReader()
    const nothing = seeking.read()
    await seeking.cancel()
    expect(await nothing).toEqual({ done: true, value: undefined })
    const broken = (await file({}, size({ rows: 1 }), counting)).getReader()
    await broken.read()
    fails = true
    await expect(
      (async () => {
        while (!(await broken.read()).done);
      })(),
    ).rejects.toThrow('gone')
  })
})

test('200,000 people: all of them, in pages that stay small', async () => {
  await t.sql('drop index subscribers_search, subscribers_attributes, subscribers_tags')
  await t.sql(
    `insert into subscribers (email, first_name, attributes)
     select 'p' || n || '@example.com', 'Ada', jsonb_build_object('n', n) from generate_series(1, 200000) n`,
  )
  const reader = (await file({ format: 'ndjson' })).getReader()
  let lines = 0
  let largest = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    largest = Math.max(largest, part.value.length)
    for (const byte of part.value) if (byte === 10) lines++
  }
  expect(lines).toBe(200_000)
  expect(largest).toBeLessThan(1_500_000)
})
