import fc from 'fast-check'
import { CAMPAIGN_OPS, ENGAGEMENT_OPS, FIELDS, LIST_OPS, TAG_OPS } from '../../../src/segments/filter.ts'
import { DAYS, OPS_OF } from '../../../src/segments/ops.ts'
import { CAMPAIGNS, dates, LISTS, POOLS } from './people.ts'

type Json = Record<string, unknown>

const days = fc.constantFrom(1, 6, 8, 31, 92, 500)
const oneOf = <T>(values: readonly T[]) => fc.constantFrom(...values)
const several = <T>(one: fc.Arbitrary<T>) => fc.uniqueArray(one, { minLength: 1, maxLength: 7, size: 'max' })

/** Parts of texts where the op looks for them, and a few that are in none. */
const part = (op: string, texts: readonly string[]) => {
  const [from, to] = { starts_with: [0, 2], ends_with: [-3, undefined], contains: [1, 4] }[op] ?? []
  const pieces = filled(texts.map((text) => text.slice(from, to).toUpperCase()))
  return fc.oneof(
    { weight: 4, arbitrary: oneOf(pieces) },
    { weight: 1, arbitrary: oneOf(['%', '_', '\\', "'", 'zzz']) },
  )
}

const filled = (pool: readonly string[]) => pool.filter((text) => text !== '')

/** The value of an op, for a text, a number or a date. */
function valueFor(
  op: string,
  one: fc.Arbitrary<unknown>,
  texts: readonly string[],
  ordered: fc.Arbitrary<[unknown, unknown]>,
) {
  if (op === 'exists' || op === 'not_exists') return fc.constant(undefined)
  if (op === 'anniversary_in_next_days') return oneOf([0, 1, 2, 31])
  if (op in DAYS) return days
  if (op === 'in' || op === 'not_in' || op === 'any' || op === 'all' || op === 'none') return several(one)
  if (op === 'contains' || op === 'starts_with' || op === 'ends_with') return part(op, texts)
  if (op === 'between') return ordered
  return one
}

const compared = (
  subject: Json,
  ops: readonly string[],
  one: fc.Arbitrary<unknown>,
  texts: readonly string[] = [],
  ordered = range(one),
) =>
  oneOf(ops).chain((op) =>
    valueFor(op, one, texts, ordered).map((value) => ({ ...subject, op, ...(value === undefined ? {} : { value }) })),
  )

const range = (one: fc.Arbitrary<unknown>): fc.Arbitrary<[unknown, unknown]> =>
  fc.tuple(one, one).map(([a, b]) => (Number(a) <= Number(b) || String(a) <= String(b) ? [a, b] : [b, a]))

/** Conditions of every kind, about what people have and what nobody has. */
export function conditions(now: number): fc.Arbitrary<Json> {
  const all = dates(now)
  const daysOnly = oneOf(all.filter((date) => date.length === 10))
  const moments = oneOf(all.filter((date) => date.length > 10))
  const inOrder = (one: fc.Arbitrary<string>): fc.Arbitrary<[unknown, unknown]> =>
    fc.tuple(one, one).map(([a, b]) => (a <= b ? [a, b] : [b, a]))
  const ranges = fc.oneof(inOrder(daysOnly), inOrder(moments))

  const fields = Object.entries(FIELDS).map(([field, kind]) => {
    const subject = { field }
    if (kind === 'moment') {
      return oneOf(OPS_OF.moment).chain((op) =>
        valueFor(op, op === 'eq' || op === 'ne' ? daysOnly : oneOf(all), [], ranges).map((value) => ({
          ...subject,
          op,
          value,
        })),
      )
    }
    if (field === 'email') {
      return compared(subject, OPS_OF.text, oneOf(['P1@example.com', 'a_b2@mail.example.com', 'p3@Bücher.example']), [
        'p1@example.com',
        'a_b2@mail.example.com',
      ])
    }
    if (field === 'domain')
      return compared(subject, OPS_OF.text, oneOf(['Example.com', '@bücher.example', 'example.org']), POOLS.domain)
    if (kind === 'status') return compared(subject, OPS_OF.status, oneOf(POOLS.status))
    const pool: readonly string[] = {
      first_name: POOLS.first_name,
      last_name: POOLS.last_name,
      locale: POOLS.locale,
      timezone: POOLS.timezone,
    }[field as 'locale']
    return compared(subject, OPS_OF.text, oneOf(filled(pool).map((text) => text.toUpperCase())), pool)
  })

  const date = compared({ attribute: 'born' }, OPS_OF.date, oneOf(all), [], ranges)
  const numbers = fc.oneof(oneOf(POOLS.seats), fc.integer({ min: -5, max: 9 }))
  const numberRange: fc.Arbitrary<[unknown, unknown]> = fc
    .tuple(numbers, numbers)
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)])
  const attributes = [
    compared({ attribute: 'plan' }, OPS_OF.string, oneOf(filled(POOLS.plan)), POOLS.plan),
    compared({ attribute: 'plan' }, ['eq', 'in', 'ne'], fc.oneof(oneOf(filled(POOLS.plan)), oneOf([5, true]))),
    compared({ attribute: 'seats' }, OPS_OF.number, numbers, [], numberRange),
    compared({ attribute: 'member' }, OPS_OF.boolean, fc.boolean()),
    compared({ attribute: 'colours' }, OPS_OF.list, oneOf(POOLS.colours)),
    date,
    date,
    compared({ attribute: 'nobody' }, ['exists', 'not_exists', 'eq', 'ne'], oneOf(['x', 1])),
  ]

  const tags = fc.record({ tags: several(oneOf(['VIP', 'customer', 'Zoë', 'none'])), op: oneOf(TAG_OPS) })
  const lists = fc
    .record({ list: oneOf([...LISTS, 99]), op: oneOf(LIST_OPS), value: days })
    .map(({ value, ...rest }) => (rest.op === 'joined_in_last_days' ? { ...rest, value } : rest))
  const campaigns = fc
    .record({ campaign: oneOf([...CAMPAIGNS, 99]), op: oneOf(CAMPAIGN_OPS), link: oneOf([undefined, 1, 2, 3]) })
    .map(({ link, ...rest }) => (rest.op === 'clicked' && link !== undefined ? { ...rest, link } : rest))
  const engagement = fc
    .record({
      engagement: oneOf(['sent', 'opened', 'clicked']),
      op: oneOf(ENGAGEMENT_OPS),
      value: days,
      mails: oneOf([1, 2, 3]),
    })
    .filter(({ engagement, op }) => engagement !== 'sent' || op !== 'none_of_last_mails')
    .map(({ value, mails, ...rest }) => {
      if (rest.op === 'none_of_last_mails') return { ...rest, value: mails }
      return rest.op in DAYS ? { ...rest, value } : rest
    })
  return fc.oneof(...fields, ...attributes, tags, lists, campaigns, engagement) as fc.Arbitrary<Json>
}
