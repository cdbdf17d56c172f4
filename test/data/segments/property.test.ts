// Random filters over random people: who Postgres finds, person by person and all at once, is whom the definition means.
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkFilter } from '../../../src/segments/check.ts'
import { segmentCondition, wholeSegment } from '../../../src/segments/compile.ts'
import { conditionsOf, type Filter } from '../../../src/segments/filter.ts'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { conditions } from './conditions.ts'
import { fill } from './fill.ts'
import { isIn, makePeople, type Person } from './people.ts'

const SEED = 20_261_124

let t: TestDatabase
let people: Person[]
const start = Date.now()
beforeAll(async () => {
  t = await openTestDatabase()
  people = makePeople(80, start, SEED)
  await fill(t, people, start)
})
afterAll(() => t.close())

/** Whom Postgres finds in both ways, and its clock. */
async function found(filter: Filter) {
  const { joins, condition } = wholeSegment(filter)
  const { rows } = await t.db.execute<{ one_by_one: number[]; at_once: number[]; now: number }>(sql`
    select extract(epoch from now())::float8 * 1000 as now,
      array(select s.id::int from subscribers s where ${segmentCondition(filter)} order by s.id) as one_by_one,
      array(select s.id::int from subscribers s ${joins} where ${condition} order by s.id) as at_once`)
  if (!rows[0]) throw new Error('no row')
  return rows[0]
}

async function expectTheMeant(given: unknown) {
  const read = checkFilter(given)
  if ('faults' in read) throw new Error(`${JSON.stringify(given)}: ${JSON.stringify(read.faults)}`)
  const { one_by_one, at_once, now } = await found(read.filter)
  const meant = people.filter((person) => isIn(person, read.filter, now)).map(({ id }) => id)
  expect({ one_by_one, at_once }, JSON.stringify(given)).toEqual({ one_by_one: meant, at_once: meant })
  return meant.length
}

test('every kind of condition finds some and leaves some out', async () => {
  const some = new Map<string, number>()
  const samples = fc.sample(conditions(start), { seed: SEED, numRuns: 1800 })
  const all = { or: samples.slice(0, 100) }
  expect(conditionsOf(checkFilterOf(all))).toHaveLength(100)
  for (let i = 0; i < samples.length; i += 60) {
    const slice = samples.slice(i, i + 60)
    // One statement tells of many.
    const { rows } = await t.db.execute<Record<string, number[]> & { now: number }>(sql`
      select extract(epoch from now())::float8 * 1000 as now, ${sql.join(
        slice.flatMap((filter, n) => {
          const read = checkFilterOf(filter)
          const { joins, condition } = wholeSegment(read)
          return [
            sql`array(select s.id::int from subscribers s where ${segmentCondition(read)} order by 1) as ${sql.raw(`k${n}`)}`,
            sql`array(select s.id::int from subscribers s ${joins} where ${condition} order by 1) as ${sql.raw(`w${n}`)}`,
          ]
        }),
        sql`, `,
      )}`)
    for (const [n, filter] of slice.entries()) {
      const read = checkFilterOf(filter)
      const meant = people.filter((person) => isIn(person, read, rows[0]?.now ?? 0)).map(({ id }) => id)
      expect({ k: rows[0]?.[`k${n}`], w: rows[0]?.[`w${n}`] }, JSON.stringify(filter)).toEqual({ k: meant, w: meant })
      const kind = kindOf(filter)
      if (meant.length > 0 && meant.length < people.length) some.set(kind, (some.get(kind) ?? 0) + 1)
      else some.set(kind, some.get(kind) ?? 0)
    }
  }
  const trivial = /^(?:email|domain) (?:not_)?exists|^nobody /
  expect([...some].filter(([kind, n]) => n === 0 && !trivial.test(kind))).toEqual([])
  expect(some.size).toBeGreaterThan(90)
})

test('trees of and, or and not are two-valued', async () => {
  const { filter } = fc.letrec<{ filter: unknown }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 4, depthSize: 'medium' },
      { weight: 2, arbitrary: conditions(start) },
      { weight: 2, arbitrary: fc.record({ and: fc.array(tie('filter'), { minLength: 1, maxLength: 4 }) }) },
      { weight: 2, arbitrary: fc.record({ or: fc.array(tie('filter'), { minLength: 1, maxLength: 4 }) }) },
      { weight: 2, arbitrary: fc.record({ not: tie('filter') }) },
    ),
  }))
  await fc.assert(
    fc.asyncProperty(filter, async (one) => {
      const inside = await expectTheMeant(one)
      const outside = await expectTheMeant({ not: one })
      expect(inside + outside).toBe(people.length)
    }),
    { seed: SEED, numRuns: 100 },
  )
})

function checkFilterOf(given: unknown): Filter {
  const read = checkFilter(given)
  if ('faults' in read) throw new Error(`${JSON.stringify(given)}: ${JSON.stringify(read.faults)}`)
  return read.filter
}

/** Subject, op, and what is compared. */
function kindOf(filter: Record<string, unknown>): string {
  const { field, attribute, engagement, link, op } = filter
  return [field ?? attribute ?? engagement ?? Object.keys(filter)[0], op, link === undefined ? '' : 'link'].join(' ')
}
