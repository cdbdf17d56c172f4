// What a write does to tags, typed attributes and the proof of consent, and what each policy leaves alone.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ImportPolicy } from '../../src/imports/options.ts'
import { deleteSubscriber } from '../../src/subscribers/delete.ts'
import type { SubscriberRow } from '../../src/subscribers/row.ts'
import { writeSubscribers } from '../../src/subscribers/write.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { minutesAgo, peopleOf, someone } from '../support/people.ts'

const HASH_KEY = 'a key of this test, long enough to be one'

let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase()
  await database.sql(`insert into attribute_definitions (name, type) values
    ('city', 'string'), ('seats', 'number'), ('vip', 'boolean'), ('born', 'date'), ('likes', 'list')`)
})
afterAll(() => database.close())
const { newList, person } = peopleOf(() => database)

const write = (rows: SubscriberRow[], policy?: ImportPolicy) =>
  writeSubscribers(database.db, HASH_KEY, 'upsert', rows, policy && { policy })
const upsert = async (row: SubscriberRow, policy?: ImportPolicy) => {
  const [answer] = await write([row], policy)
  if (!answer) throw new Error('no answer')
  return answer
}

describe('tags', () => {
  test('are replaced, added and removed, kept in order and each once', async () => {
    const email = someone()
    const tagsAfter = async (row: Partial<SubscriberRow>) => {
      const { outcome } = await upsert({ email, ...row })
      return [outcome, (await person(email))?.tags]
    }
    expect(await tagsAfter({ tags: ['z', 'a', 'z', 'é'] })).toEqual(['created', ['a', 'z', 'é']])
    expect(await tagsAfter({ first_name: 'N' })).toEqual(['updated', ['a', 'z', 'é']])
    expect(await tagsAfter({ add_tags: ['b', 'a'], remove_tags: ['z'] })).toEqual(['updated', ['a', 'b', 'é']])
    expect(await tagsAfter({ add_tags: ['b'], remove_tags: ['never there'] })).toEqual(['unchanged', ['a', 'b', 'é']])
    expect(await tagsAfter({ tags: ['x'], add_tags: ['y', 'w'], remove_tags: ['w'] })).toEqual(['updated', ['x', 'y']])
    expect(await tagsAfter({ tags: [] })).toEqual(['updated', []])
  })

  test('are at most a hundred together with what is stored', async () => {
    const email = someone()
    await upsert({ email, tags: Array.from({ length: 99 }, (_, i) => `t${i}`) })
    expect(await upsert({ email, add_tags: ['t0', 'one more'] })).toMatchObject({ outcome: 'updated' })
    expect(await upsert({ email, add_tags: ['too many'] })).toMatchObject({ refusal: 'too_many_tags' })
    expect(await upsert({ email, add_tags: ['x'], remove_tags: ['t1'] })).toMatchObject({ outcome: 'updated' })
    expect((await person(email))?.tags).toHaveLength(100)
  })

  test('that several calls add at once are all there', async () => {
    const email = someone()
    await Promise.all(Array.from({ length: 8 }, (_, i) => upsert({ email, add_tags: [`t${i}`] })))
    expect((await person(email))?.tags).toEqual(Array.from({ length: 8 }, (_, i) => `t${i}`))
  })
})

describe('a defined attribute', () => {
  test.each<[string, unknown[], unknown[]]>([
    ['city', ['', 'Köln', '7'], [7, true, ['Köln'], {}]],
    ['seats', [0, -1.5, 1e300], ['3', true, [3], {}]],
    ['vip', [true, false], ['true', 1, 0, []]],
    [
      'born',
      ['2024-02-29', '0001-01-01', '2026-11-24T08:30Z', '2026-11-24T08:30:00Z', '2026-11-24T23:59:59.123456Z'],
      [
        ...['2026-02-30', '2025-02-29', '2026-13-01', '0000-01-01', '2026-1-1', '24.11.2026', '2026-11-24 08:30', ''],
        ...['2026-11-24T24:00:00Z', '2026-11-24T08:30:60Z', '2026-11-24T08:30:00+01:00', '2026-11-24T08:30:00'],
        ...['now', 'infinity', '2026-11-24\n', '٢٠٢٦-11-24', 20261124, ['2026-11-24']],
      ],
    ],
    ['likes', [[], ['a'], ['a', '']], ['a', [1], [['a']], ['a', null], [{}], {}]],
  ])('%s takes its type and nothing else', async (name, good, bad) => {
    const rows = [...good, ...bad].map((value) => ({ email: someone(), attributes: { [name]: value } }))
    const answers = await write(rows)
    const taken = rows.filter((_, i) => answers[i]?.outcome === 'created').map((row) => row.attributes[name])
    expect(taken).toEqual(good)
    for (const answer of answers.slice(good.length)) {
      expect(answer).toMatchObject({ outcome: 'refused', refusal: 'attribute_type', attribute: { name }, id: null })
    }
    expect(await person(rows.at(-1)?.email ?? '')).toBeUndefined()
  })

  test('is named, the first of several; null removes it; undeclared ones stay free', async () => {
    const email = someone()
    expect(await upsert({ email, attributes: { vip: 'x', seats: 'x', other: 'x' } })).toMatchObject({
      attribute: { name: 'seats', type: 'number' },
    })
    await upsert({ email, attributes: { seats: 3, other: { any: ['thing'] } } })
    expect(await upsert({ email, attributes: { seats: null, other: 1 } })).toMatchObject({ outcome: 'updated' })
    expect((await person(email))?.attributes).toEqual({ other: 1 })
  })
})

test('a name is spelled one way, whatever way it came in', async () => {
  const [email, other] = [someone(), someone()]
  await write([
    { email, first_name: 'Zoe\u0308', last_name: null },
    { email: other, last_name: '\u1112\u1161\u11ab' },
  ])
  expect(await person(email)).toMatchObject({ first_name: 'Zo\u00eb', last_name: null })
  expect(await person(other)).toMatchObject({ first_name: null, last_name: '\ud55c' })
  expect(await upsert({ email, first_name: 'Zo\u00eb' })).toMatchObject({ outcome: 'unchanged' })
})

test('every record of consent carries wording and country; an opt-out the country only', async () => {
  const [email, list_id] = [someone(), await newList()]
  const told = { consent_source: 'form', consent_wording: 'Yes, write to me.\nOften.', consent_country: 'DE' }
  const { id } = await upsert({ email, list_ids: [list_id], consented_at: minutesAgo(9), ...told })
  await upsert({ email, consented_at: minutesAgo(8), ...told, consent_country: 'AT' })
  await upsert({ email, status: 'unsubscribed', ...told })
  await upsert({ email, resubscribe: true, list_ids: [list_id], consented_at: minutesAgo(-1), ...told })
  const gone = await upsert({ email: someone(), status: 'unsubscribed', consent_wording: 'x', consent_country: 'FR' })
  const { consent_wording: wording } = told
  const records = await database.sql(
    `select action, list_id::int, wording, country from consents where subscriber_id = any($1)
     order by id, list_id nulls last`,
    [[id, gone.id]],
  )
  const by = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  expect(records.sort(by)).toEqual(
    [
      { action: 'subscribed', list_id, wording, country: 'DE' },
      { action: 'subscribed', list_id: null, wording, country: 'AT' },
      { action: 'unsubscribed', list_id: null, wording: null, country: 'DE' },
      { action: 'resubscribed', list_id, wording, country: 'DE' },
      { action: 'resubscribed', list_id: null, wording, country: 'DE' },
      { action: 'unsubscribed', list_id: null, wording: null, country: 'FR' },
    ].sort(by),
  )
})

describe('an upsert by policy', () => {
  const before = { first_name: 'Old', attributes: { plan: 'free', seats: 1 }, tags: ['old'] }
  const after = {
    first_name: 'New',
    last_name: 'Name',
    timezone: 'Europe/Berlin',
    attributes: { plan: 'pro', city: 'Ulm' },
    tags: ['new'],
    consent_source: 'file',
  }

  test('skip leaves people alone who are there, and creates the others', async () => {
    const [email, other, list_id] = [someone(), someone(), await newList()]
    const { id } = await upsert({ email, ...before })
    const stored = await person(email)
    const rows = [email.toUpperCase(), other].map((e) => ({ email: e, ...after, list_ids: [list_id] }))
    expect(await write(rows, 'skip')).toMatchObject([
      { outcome: 'skipped', id, refusal: null, kept: null, kept_lists: [] },
      { outcome: 'created' },
    ])
    expect(await upsert({ email, attributes: { seats: 'no number' } }, 'skip')).toMatchObject({ outcome: 'skipped' })
    expect(await person(email)).toEqual(stored)
    expect(await database.sql(`select 1 from consents where subscriber_id = $1`, [id])).toEqual([])
    expect(await database.sql(`select 1 from list_members where subscriber_id = $1`, [id])).toEqual([])
    expect(await person(other)).toMatchObject({ first_name: 'New', tags: ['new'] })
  })

  test('skip counts an opt-out, and nothing else of its row', async () => {
    const [email, list_id] = [someone(), await newList()]
    const { id } = await upsert({ email, ...before })
    const stored = await person(email)
    const left = {
      email,
      ...after,
      list_ids: [list_id],
      attributes: { seats: 'no number' },
      consent_source: 'old file',
    }
    expect(await upsert({ ...left, status: 'bounced' }, 'skip')).toMatchObject({ outcome: 'updated', kept: null })
    expect(await person(email)).toEqual({ ...stored, status: 'bounced', updated_at: expect.anything() })
    expect(await upsert({ ...left, status: 'unsubscribed' }, 'skip')).toMatchObject({ outcome: 'skipped' })
    expect(await upsert({ ...left, status: 'complained' }, 'skip')).toMatchObject({ outcome: 'updated' })
    expect(await upsert({ ...left, status: 'active' }, 'skip')).toMatchObject({ outcome: 'skipped' })
    expect(await person(email)).toEqual({ ...stored, status: 'complained', updated_at: expect.anything() })
    expect(
      await database.sql(`select action, source from consents where subscriber_id = $1 order by id`, [id]),
    ).toEqual([
      { action: 'unsubscribed', source: 'old file' },
      { action: 'unsubscribed', source: 'old file' },
    ])
    expect(await database.sql(`select 1 from list_members where subscriber_id = $1`, [id])).toEqual([])
  })

  test('skip counts whom the same call created as there, and a refused row as not', async () => {
    const [email, twice] = [someone(), someone()]
    await upsert({ email })
    const rows = [
      { email: twice, attributes: { seats: 'no number' } },
      { email, first_name: 'A' },
      { email: twice, first_name: 'B', list_ids: [await newList()] },
      { email: twice.toUpperCase(), first_name: 'C' },
      { email, first_name: 'D' },
    ]
    expect((await write(rows, 'skip')).map((a) => a.outcome)).toEqual([
      ...['refused', 'skipped', 'created', 'skipped', 'skipped'],
    ])
    expect(await person(twice)).toMatchObject({ first_name: 'B' })
    const [joined] = await database.sql(
      `select count(*)::int as n from list_members m join subscribers s
      on s.id = m.subscriber_id where s.email = $1`,
      [twice],
    )
    expect(joined).toEqual({ n: 1 })
    // The note of who was created ends with its transaction, whichever connection comes next.
    expect((await write(rows.slice(1, 3), 'skip')).map((a) => a.outcome)).toEqual(['skipped', 'skipped'])
  })

  test('fill adds what is missing and replaces nothing', async () => {
    const [email, list_id] = [someone(), await newList()]
    const { id } = await upsert({ email, ...before })
    const row = { email, ...after, list_ids: [list_id], remove_tags: ['old'] }
    expect(await upsert(row, 'fill')).toMatchObject({ outcome: 'updated', id })
    expect(await person(email)).toMatchObject({
      first_name: 'Old',
      last_name: 'Name',
      timezone: 'Europe/Berlin',
      attributes: { plan: 'free', seats: 1, city: 'Ulm' },
      tags: ['new', 'old'],
    })
    expect(
      await database.sql(`select list_id::int, action, source from consents where subscriber_id = $1`, [id]),
    ).toEqual([{ list_id, action: 'subscribed', source: 'file' }])
    expect(await upsert({ email, first_name: null, attributes: { plan: null }, tags: [] }, 'fill')).toMatchObject({
      outcome: 'unchanged',
    })
    expect(await upsert({ email, status: 'unsubscribed' }, 'fill')).toMatchObject({ outcome: 'updated' })
  })

  test('overwrite replaces what a row names', async () => {
    const email = someone()
    await upsert({ email, ...before })
    await upsert({ email, ...after }, 'overwrite')
    expect(await person(email)).toMatchObject({
      first_name: 'New',
      attributes: { plan: 'pro', seats: 1, city: 'Ulm' },
      tags: ['new'],
    })
  })

  test.each(['skip', 'fill', 'overwrite'] as const)('%s makes nobody mailable again', async (policy) => {
    const [left, gone, list_id] = [someone(), someone(), await newList()]
    const { id } = await upsert({ email: left, status: 'unsubscribed' })
    await deleteSubscriber(database.db, HASH_KEY, (await upsert({ email: gone })).id ?? 0)
    const row = { status: 'active' as const, list_ids: [list_id], consented_at: minutesAgo(-1), consent_source: 'file' }
    expect(
      await write(
        [
          { email: gone, ...row },
          { email: left, ...row },
        ],
        policy,
      ),
    ).toMatchObject([
      { outcome: 'refused', refusal: 'deleted_before' },
      policy === 'skip' ? { outcome: 'skipped' } : { kept: 'unsubscribed' },
    ])
    expect(await person(left)).toMatchObject({ status: 'unsubscribed' })
    expect(await person(gone)).toBeUndefined()
    expect(
      await database.sql(`select 1 from list_members where subscriber_id = $1 and status = 'subscribed'`, [id]),
    ).toEqual([])
  })

  test('skip and creations of one address at once: one creates, the others skip', async () => {
    const email = someone()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => upsert({ email, first_name: `call ${i}` }, 'skip')),
    )
    const by = (outcome: string) => answers.filter((a) => a.outcome === outcome)
    expect([by('created').length, by('skipped').length]).toEqual([1, 7])
    expect((await person(email))?.first_name).toBe(`call ${answers.findIndex((a) => a.outcome === 'created')}`)
  })
})
