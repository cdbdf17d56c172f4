import { neon } from '@neondatabase/serverless'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { defineAttribute, deleteDefinition } from '../../src/attributes/define.ts'
import { readAttributeTypes } from '../../src/attributes/store.ts'
import { ATTRIBUTE_TYPES, DEFINITIONS_LIMIT } from '../../src/attributes/type.ts'
import { writeSubscribers } from '../../src/subscribers/write.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

const HASH_KEY = 'a key of this test, long enough to be one'

let database: TestDatabase
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

const write = (values: Record<string, unknown>[]) =>
  writeSubscribers(
    database.db,
    HASH_KEY,
    'upsert',
    values.map((attributes) => ({ email: `${crypto.randomUUID()}@example.com`, attributes })),
  )
const idsOf = (answers: { id: number | null }[]) => answers.map((a) => Number(a.id)).sort((a, b) => a - b)
const define = (name: string, type: (typeof ATTRIBUTE_TYPES)[number]) =>
  defineAttribute(database.db, { name, type, description: null })

test('a type is fixed where all that is stored fits, once, and forgotten without touching what is stored', async () => {
  const answers = await write([
    { born: '2000-02-29', n: 1, l: ['a'], b: true, s: 'x' },
    { born: '2026-11-24T10:00:00Z', n: 2.5, l: [], b: false },
    { other: 'x' },
  ])
  for (const [name, type] of [
    ['born', 'date'],
    ['n', 'number'],
    ['l', 'list'],
    ['b', 'boolean'],
    ['s', 'string'],
  ] as const) {
    for (const wrong of ATTRIBUTE_TYPES.filter((one) => one !== type && !(name === 'born' && one === 'string'))) {
      expect(await define(name, wrong), `${name} as ${wrong}`).toEqual({
        outcome: 'conflict',
        count: name === 's' ? 1 : 2,
        ids: idsOf(answers.slice(0, name === 's' ? 1 : 2)),
      })
    }
    expect(await define(name, type)).toMatchObject({ outcome: 'created', definition: { name, type } })
    expect(await define(name, type)).toEqual({ outcome: 'exists' })
  }
  expect([...(await readAttributeTypes(database.db))]).toEqual([
    ['b', 'boolean'],
    ['born', 'date'],
    ['l', 'list'],
    ['n', 'number'],
    ['s', 'string'],
  ])
  expect(await write([{ n: 'x' }])).toMatchObject([{ refusal: 'attribute_type' }])
  expect(await deleteDefinition(database.db, 'n')).toBe(true)
  expect(await deleteDefinition(database.db, 'n')).toBe(false)
  expect(await write([{ n: 'x' }])).toMatchObject([{ outcome: 'created' }])
})

test('a conflict names the first few and counts all', async () => {
  const answers = await write(Array.from({ length: 25 }, (_, i) => ({ mixed: i < 20 ? 'text' : i })))
  const named = idsOf(answers.slice(0, 20)).slice(0, 10)
  expect(await define('mixed', 'number')).toEqual({ outcome: 'conflict', count: 20, ids: named })
})

test('writes beside a definition: nothing that does not fit stays, whoever comes first', async () => {
  for (let round = 0; round < 12; round++) {
    const name = `race_${round}`
    const some = () => write([{ [name]: 'text' }])
    const [, , made] = await Promise.all([some(), some(), define(name, 'number'), some(), some()])
    const [{ held } = { held: -1 }] = await database.sql<{ held: number }>(
      `select count(*)::int as held from subscribers where attributes ? $1`,
      [name],
    )
    if (made.outcome === 'created') expect(held).toBe(0)
    else expect(made).toMatchObject({ outcome: 'conflict' })
  }
})

test('writers are not held up for long: the check gives up, and nothing is changed', async () => {
  const definition = { name: 'slow', type: 'number', description: null } as const
  const holding = neon(database.url).transaction((tx) => [
    tx`select pg_advisory_xact_lock_shared(718001)`,
    tx`select pg_sleep(0.5)`,
  ])
  await vi.waitUntil(async () => {
    const locks = await database.sql(
      `select 1 from pg_locks where locktype = 'advisory' and objid = 718001 and granted`,
    )
    return locks.length > 0
  })
  expect(await defineAttribute(database.db, definition, 50)).toEqual({ outcome: 'too_slow' })
  await holding
  expect((await readAttributeTypes(database.db)).has('slow')).toBe(false)
  expect(await defineAttribute(database.db, definition)).toMatchObject({ outcome: 'created' })
})

test('there is a limit, as every write reads them all', async () => {
  await database.sql(
    `insert into attribute_definitions (name, type)
     select 'd' || i, 'string' from generate_series(1, $1 - (select count(*)::int from attribute_definitions)) i`,
    [DEFINITIONS_LIMIT],
  )
  expect(await define('one_more', 'string')).toEqual({ outcome: 'too_many' })
  expect((await readAttributeTypes(database.db)).size).toBe(DEFINITIONS_LIMIT)
  expect(await write([{ d7: 'x' }])).toMatchObject([{ outcome: 'created' }])
})
