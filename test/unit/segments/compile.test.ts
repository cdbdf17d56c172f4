import { PgDialect } from 'drizzle-orm/pg-core'
import { expect, test } from 'vitest'
import { inAudience } from '../../../src/campaigns/in-audience.ts'
import { segmentCondition, wholeSegment } from '../../../src/segments/compile.ts'
import type { Filter } from '../../../src/segments/filter.ts'
import { OPS_OF } from '../../../src/segments/ops.ts'

const dialect = new PgDialect()
const texts = (filter: Filter) => {
  const { joins, condition } = wholeSegment(filter)
  return [segmentCondition(filter), joins, condition].map((sql) => dialect.sqlToQuery(sql).sql)
}

/** Values that would show in the text of a statement. */
const EVIL = `x'); drop table subscribers; --`
const NUMBER = 987_654_321

test('nothing of a filter is in the text of the statement: neither values, nor names, nor ids', () => {
  const evil: Filter[] = [
    { field: 'email', op: 'in', value: [EVIL, EVIL] },
    { field: 'first_name', op: 'contains', value: EVIL },
    { field: 'status', op: 'eq', value: EVIL },
    { field: 'created_at', op: 'in_last_days', value: NUMBER },
    { tags: [EVIL], op: 'all' },
    { list: NUMBER, op: 'joined_in_last_days', value: NUMBER },
    { campaign: NUMBER, op: 'not_opened' },
    { campaign: NUMBER, op: 'clicked', link: NUMBER },
    { engagement: 'opened', op: 'in_last_days', value: NUMBER },
    { engagement: 'clicked', op: 'none_of_last_mails', value: NUMBER },
    ...OPS_OF.any.map((op) => ({
      attribute: EVIL,
      op,
      value: /days$/.test(op) ? NUMBER : /in$|any|all|none/.test(op) ? [EVIL, NUMBER] : EVIL,
    })),
    { attribute: EVIL, op: 'between', value: [NUMBER, NUMBER] },
  ]
  for (const filter of evil) {
    for (const text of texts({ or: [filter, { not: filter }] })) {
      expect(text, JSON.stringify(filter)).not.toMatch(/drop|987654321/)
    }
  }
})

test('the most that an audience may ask has fewer parameters than a statement may (65,535)', () => {
  const value = Array.from({ length: 100 }, (_, i) => `2026-11-${10 + (i % 10)}T08:30:${10 + (i % 50)}Z`)
  const filter: Filter = { or: Array.from({ length: 100 }, () => ({ attribute: 'born', op: 'in', value })) }
  const ids = Array.from({ length: 10 }, (_, i) => i + 1)
  const audience = { include: [1], exclude: [], where: {}, sample: null, include_segments: ids, exclude_segments: ids }
  const segments = Object.fromEntries(ids.map((id) => [id, filter]))
  const { params } = dialect.sqlToQuery(inAudience({ ...audience, segments }))
  // Who is tried is looked for with each of them twice (campaigns/check/people.ts).
  expect(params.length * 2).toBeLessThan(65_535)
})
