import { describe, expect, test } from 'vitest'
import type { AttributeType } from '../../../src/attributes/type.ts'
import { checkFilter } from '../../../src/segments/check.ts'
import { conditionsOf, FIELDS } from '../../../src/segments/filter.ts'
import { OPS_OF } from '../../../src/segments/ops.ts'

const TYPES = new Map<string, AttributeType>([
  ['plan', 'string'],
  ['seats', 'number'],
  ['member', 'boolean'],
  ['born', 'date'],
  ['colours', 'list'],
])
const PRO = { attribute: 'plan', op: 'eq', value: 'pro' }

/** The faults of a filter, as `path: detail`. */
function faults(filter: unknown): string[] {
  const read = checkFilter(filter, TYPES)
  return 'faults' in read ? read.faults.map(({ path, detail }) => `${path.join('.')}: ${detail}`) : []
}

describe('one spelling', () => {
  test.each([
    [
      { tags: [' VIP ', 'vip', 'Zoe\u0308'], op: 'any' },
      { tags: ['vip', 'zoë'], op: 'any' },
    ],
    [
      { field: 'domain', op: 'eq', value: '@Bücher.Example' },
      { field: 'domain', op: 'eq', value: 'xn--bcher-kva.example' },
    ],
    [
      { field: 'domain', op: 'in', value: ['A.example'] },
      { field: 'domain', op: 'in', value: ['a.example'] },
    ],
    [
      { field: 'email', op: 'eq', value: ' Ada@Bücher.example' },
      { field: 'email', op: 'eq', value: 'Ada@xn--bcher-kva.example' },
    ],
  ])('%j', (given, filter) => {
    expect(checkFilter(given)).toEqual({ filter })
  })

  test('every op that is listed passes with its value, and no other does', () => {
    const values: Record<string, unknown> = {
      text: 'a.example',
      status: 'active',
      moment: '2026-11-24',
      string: 'a',
      number: 1.5,
      boolean: true,
      date: '2026-11-24T08:30:00Z',
      list: 'a',
    }
    const valueFor = (kind: string, op: string): object => {
      const one = values[kind]
      if (/exists$/.test(op)) return {}
      if (/_days$/.test(op)) return { value: 7 }
      if (/^(?:in|not_in|any|all|none)$/.test(op)) return { value: [one] }
      if (op === 'between') return { value: [one, one] }
      return { value: one }
    }
    const subjects = [
      ...Object.entries(FIELDS).map(([field, kind]) => [{ field }, kind] as const),
      ...[...TYPES].map(([attribute, type]) => [{ attribute }, type] as const),
    ]
    for (const [subject, kind] of subjects) {
      for (const op of OPS_OF.any) {
        const value =
          'field' in subject && subject.field === 'email' && !/exists$/.test(op) ? emailFor(op) : valueFor(kind, op)
        const found = faults({ ...subject, op, ...value })
        if (OPS_OF[kind].includes(op)) expect(found, JSON.stringify({ ...subject, op, ...value })).toEqual([])
        else expect(found[0]).toMatch(/^op: must be one of .+: .+ is /)
      }
    }
  })
})

const emailFor = (op: string) => ({ value: /in$/.test(op) ? ['a@b.example'] : 'a@b.example' })

const REFUSED: [filter: unknown, fault: string][] = [
  [null, ': must be an object with one of and, or, not, field, attribute, tags, list, campaign, engagement'],
  [[PRO], ': must be an object'],
  [{}, ': must have exactly one of and, or, not'],
  [{ op: 'eq', value: 1 }, ': must have exactly one of'],
  [{ ...PRO, field: 'email' }, 'not field and attribute'],
  [{ and: PRO }, 'and: must be an array of filters'],
  [{ or: [] }, 'or: must have at least one filter'],
  [{ not: [PRO] }, 'not: must be an object'],
  [{ and: [PRO], value: 1 }, 'value: is not known here: remove it'],
  [
    { and: [PRO, { or: [PRO, { not: { field: 'plan', op: 'eq', value: 'x' } }] }] },
    'and.1.or.1.not.field: must be one of email, domain',
  ],
  [
    { field: 'email', op: 'gt', value: 'a' },
    'op: must be one of eq, ne, in, not_in, contains, starts_with, ends_with, exists, not_exists: email is a text',
  ],
  [{ field: 'email', value: 'a' }, 'op: must be one of eq'],
  [{ field: 'email', op: 'toString', value: 'a' }, 'op: must be one of eq'],
  [{ field: 'constructor', op: 'eq', value: 'a' }, 'field: must be one of'],
  [{ field: 'email', op: 'eq' }, 'value: must be a string'],
  [{ field: 'email', op: 'eq', value: 'ada' }, 'value: must contain exactly one @'],
  [{ field: 'email', op: 'contains', value: 'bücher' }, 'value: must be ASCII'],
  [{ field: 'domain', op: 'in', value: ['a.example', 'b'] }, 'value.1: has no dot'],
  [{ field: 'first_name', op: 'eq', value: '' }, 'value: must not be empty: not_exists asks for what is'],
  [{ field: 'first_name', op: 'in', value: [] }, 'value: must be an array of 1 to 100 values'],
  [
    { field: 'first_name', op: 'in', value: Array.from({ length: 101 }, String) },
    'value: must be an array of 1 to 100 values',
  ],
  [{ field: 'first_name', op: 'in', value: ['a', 7] }, 'value.1: must be a string'],
  [{ field: 'first_name', op: 'contains', value: 'x'.repeat(1001) }, 'value: must have at most 1000 characters'],
  [{ field: 'first_name', op: 'exists', value: true }, 'value: is not known here'],
  [{ field: 'status', op: 'eq', value: 'deleted' }, 'value: must be one of active, unsubscribed, bounced, complained'],
  [{ field: 'created_at', op: 'eq', value: '2026-11-24T00:00:00Z' }, 'value: must be a day such as'],
  [
    { field: 'created_at', op: 'gt', value: '24.11.2026' },
    'value: must be a day such as 2026-11-24, or a moment in UTC',
  ],
  [{ field: 'created_at', op: 'gt', value: '2026-02-30' }, 'value: must be a day'],
  [{ field: 'created_at', op: 'gt', value: '2026-11-24T25:00:00Z' }, 'value: must be a day'],
  [{ field: 'created_at', op: 'gt', value: '2026-11-24T08:00:00+01:00' }, 'value: must be a day'],
  [{ field: 'created_at', op: 'in_last_days', value: 0 }, 'value: must be a whole number from 1 to 3650'],
  [{ field: 'created_at', op: 'in_last_days', value: '7' }, 'value: must be a whole number from 1 to 3650'],
  [{ field: 'created_at', op: 'between', value: ['2026-11-24'] }, 'value: must be an array of two'],
  [
    { field: 'created_at', op: 'between', value: ['2026-11-24', '2026-11-23'] },
    'value.1: must not be less than the first',
  ],
  [
    { field: 'created_at', op: 'between', value: ['2026-11-23', '2026-11-24T00:00:00Z'] },
    'value.1: must be a day or a moment as the first is',
  ],
  [{ attribute: 'no name', op: 'exists' }, 'attribute: must be the name of an attribute'],
  [{ attribute: "x' or 1=1 --", op: 'exists' }, 'attribute: must be the name of an attribute'],
  [{ attribute: 'x'.repeat(65), op: 'exists' }, 'attribute: must be the name of an attribute'],
  [
    { attribute: 'seats', op: 'contains', value: '1' },
    'op: must be one of eq, ne, in, not_in, gt, gte, lt, lte, between, exists, not_exists: the attribute seats is a number',
  ],
  [{ attribute: 'seats', op: 'gt', value: '1' }, 'value: must be a number'],
  [{ attribute: 'seats', op: 'gt', value: Number.NaN }, 'value: must be a number'],
  [{ attribute: 'seats', op: 'between', value: [2, 1] }, 'value.1: must not be less than the first'],
  [{ attribute: 'member', op: 'eq', value: 'yes' }, 'value: must be true or false'],
  [{ attribute: 'born', op: 'eq', value: 'yesterday' }, 'value: must be a day'],
  [{ attribute: 'born', op: 'anniversary_in_next_days', value: 32 }, 'value: must be a whole number from 0 to 31'],
  [
    { attribute: 'colours', op: 'eq', value: 'red' },
    'op: must be one of any, all, none, exists, not_exists: the attribute colours is a list',
  ],
  [{ attribute: 'colours', op: 'any', value: 'red' }, 'value: must be an array of 1 to 100 values'],
  [{ attribute: 'other', op: 'gt', value: 'b' }, 'value: must be a number; or a day'],
  [{ attribute: 'other', op: 'eq', value: null }, 'value: must be a string, a number, true or false'],
  [{ attribute: 'other', op: 'between', value: [1, '2026-11-24'] }, 'value.1: must be of the same kind as the first'],
  [{ tags: 'vip', op: 'any' }, 'tags: must be an array of 1 to 100 tags'],
  [{ tags: ['vip', ' '], op: 'any' }, 'tags.1: must not be empty'],
  [{ tags: [7], op: 'any' }, 'tags.0: must be a string'],
  [{ tags: ['vip'], op: 'eq' }, 'op: must be one of any, all, none'],
  [{ list: '7', op: 'ever' }, 'list: must be the id of a mailing list'],
  [{ list: 1.5, op: 'ever' }, 'list: must be the id of a mailing list'],
  [{ list: 7, op: 'on' }, 'op: must be one of subscribed, unsubscribed, ever, never, joined_in_last_days'],
  [{ list: 7, op: 'ever', value: 1 }, 'value: is not known here'],
  [{ list: 7, op: 'joined_in_last_days' }, 'value: must be a whole number from 1 to 3650'],
  [{ campaign: 0, op: 'sent' }, 'campaign: must be the id of a campaign'],
  [{ campaign: 1, op: 'opened', link: 2 }, 'link: is not known here'],
  [{ campaign: 1, op: 'clicked', link: 2 ** 31 }, 'link: must be the number of a link of the campaign'],
  [{ engagement: 'read', op: 'ever' }, 'engagement: must be one of sent, opened, clicked'],
  [
    { engagement: 'sent', op: 'none_of_last_mails', value: 3 },
    'op: must be one of ever, never, in_last_days, not_in_last_days',
  ],
  [{ engagement: 'opened', op: 'none_of_last_mails', value: 0 }, 'value: must be a whole number from 1 to 100'],
  [{ engagement: 'opened', op: 'never', value: 3 }, 'value: is not known here'],
]

test.each(REFUSED)('%j is refused', (filter, fault) => {
  expect(faults(filter).join('\n')).toContain(fault)
})

describe('size', () => {
  const nest = (levels: number, inner: unknown = PRO) => {
    let filter = inner
    for (let i = 0; i < levels; i++) filter = i % 2 ? { not: filter } : { and: [filter] }
    return filter
  }

  test('ten levels pass, eleven do not, and fifty thousand are not walked', () => {
    expect(faults(nest(9))).toEqual([])
    expect(faults(nest(10))[0]).toMatch(/is nested too deep: a filter has at most 10 levels$/)
    expect(faults(nest(50_000))).toEqual([expect.stringMatching(/is nested too deep/)])
  })

  test('a hundred conditions pass, a hundred and one do not, however they are spread', () => {
    const of = (n: number) => Array.from({ length: n }, () => PRO)
    const read = checkFilter({ or: [{ and: of(50) }, { not: { or: of(50) } }] })
    expect('filter' in read && conditionsOf(read.filter).length).toBe(100)
    expect(faults({ or: of(101) })).toEqual(['or: must have at most 100 filters'])
    expect(faults({ or: [{ and: of(60) }, { and: of(60) }] })).toEqual([
      'or.1.and.40: is one condition too many: a filter has at most 100',
    ])
    const wide = {
      or: Array.from({ length: 100 }, () => ({ and: Array.from({ length: 100 }, () => ({ or: of(100) })) })),
    }
    expect(faults(wide)).toHaveLength(1)
  })

  test('a filter with many faults names the first twenty', () => {
    expect(faults({ or: Array.from({ length: 100 }, () => ({ ...PRO, a: 1, b: 2 })) })).toHaveLength(20)
  })

  test('names of object methods are no conditions', () => {
    expect(faults(JSON.parse('{"__proto__": {"list": 1}, "op": "ever"}'))[0]).toContain('must have exactly one of')
    expect(faults({ hasOwnProperty: 1, attribute: 'x', op: 'exists' })).toEqual([
      'hasOwnProperty: is not known here: remove it',
    ])
  })
})
