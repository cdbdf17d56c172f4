// What is exported here comes back as it was: by the engine of the import, into an empty installation.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAttributeTypes } from '../../src/attributes/store.ts'
import { attribute_definitions } from '../../src/attributes/table.ts'
import { exportSubscribers } from '../../src/exports/subscribers.ts'
import { holdImport } from '../../src/imports/lease.ts'
import { receivePart } from '../../src/imports/receive.ts'
import { findImport, insertImport } from '../../src/imports/store.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

const HASH_KEY = 'a key of this test, long enough to be one'

let from: TestDatabase
let to: TestDatabase
beforeAll(async () => {
  from = await openTestDatabase()
  to = await openTestDatabase()
  for (const { db } of [from, to]) {
    await db.insert(attribute_definitions).values([
      { name: 'seats', type: 'number' },
      { name: 'vip', type: 'boolean' },
      { name: 'interests', type: 'list' },
    ])
  }
})
afterAll(async () => {
  await from.close()
  await to.close()
})

/** Imports a file in one part; its people join a list of the installation. */
async function take({ db, sql }: TestDatabase, file: ReadableStream<Uint8Array>) {
  const [list] = await sql<{ id: number }>(`insert into mailing_lists (name) values ('All') returning id::int as id`)
  const id = await insertImport(db, {
    kind: 'subscribers',
    dry_run: false,
    file_name: 'people.csv',
    size: null,
    options: {
      policy: 'fill',
      list_ids: [list?.id ?? 0],
      tags: [],
      consent_source: null,
      mapping: {},
      encoding: null,
      delimiter: null,
    },
  })
  const hold = { import_id: id, token: crypto.randomUUID() }
  await receivePart({ db, hash_key: HASH_KEY }, await holdImport(db, hold, 0), hold, file, true)
  return findImport(db, id)
}

const exportOf = async ({ db }: TestDatabase, formula_safe: boolean) =>
  exportSubscribers(db, { people: {}, format: 'csv', formula_safe, types: await readAttributeTypes(db) })

/**
 * People without what is another here and there: ids, times of the rows, and the consent of those who took it back (an export
 * of everyone says of them that they left).
 */
const peopleOf = ({ sql }: TestDatabase) =>
  sql(`
    select s.email, s.first_name, s.last_name, s.status, s.attributes, s.timezone, s.locale, s.tags,
      m.status as standing, case when m.status = 'subscribed' then m.consented_at end as consented_at,
      case when m.status = 'subscribed' then m.consent_source end as consent_source
    from subscribers s join list_members m on m.subscriber_id = s.id order by s.email collate "C"`)

test('everyone comes back, with formulas guarded and without', async () => {
  const example = readFileSync(new URL('../../examples/subscribers.csv', import.meta.url), 'utf8')
  const [header = '', ...rows] = example.split('\r\n')
  const nasty = [
    `=x@example.com,=1+1,'-2,active,2024-01-02,"@form, here",,,"+49 30",,,,`,
    `-y@example.com,"'=quoted","  - spaced",unsubscribed,,,,,"'tis","a\nb",,no,"[""a;b"",""c""]"`,
    `'+z@example.com,"""quoted""",Ünï,complained,,,,,"=HYPERLINK(""x"")",001,-7,true,`,
  ]
  expect(await take(from, new Blob([[header, ...nasty, ...rows].join('\r\n')]).stream())).toMatchObject({ refused: 0 })
  await from.sql(`update subscribers set tags = '{"a, b","vip"}' where email like '%@example.com'`)
  await from.sql(`update subscribers set attributes = attributes || '{"empty": "", "deep": {"a": [1, {"b": " x "}]}}'
    where email like '%y@example.com'`)
  const before = await peopleOf(from)
  expect(before).toHaveLength(1_003)

  expect(await take(to, await exportOf(from, true))).toMatchObject({ rows: 1_003, created: 1_003, refused: 0 })
  expect(await peopleOf(to)).toEqual(before)

  // Without guards, an apostrophe before a formula cannot be told from one.
  await from.sql(`delete from subscribers where concat_ws(' ', email, first_name, last_name) ~ '(^| )''[=+-]'`)
  await to.sql('truncate subscribers, mailing_lists, imports cascade')
  expect(await take(to, await exportOf(from, false))).toMatchObject({ rows: 1_000, created: 1_000, refused: 0 })
  expect(await peopleOf(to)).toEqual(await peopleOf(from))
})
