import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { Problem } from '../http/problem.ts'
import { wholeSegment } from './compile.ts'
import { conditionsOf, type Filter } from './filter.ts'

/** Conditions whose cost is asked for. */
const MOST_ASKED = 30

/** The error for a segment that was given up, with the condition that Postgres expects to take longest. */
export async function tooSlow(db: Database, filter: Filter): Promise<Problem> {
  const conditions = conditionsOf(filter).slice(0, MOST_ASKED)
  const costs = await Promise.all(
    conditions.map(async ([condition, path]) => {
      const { joins, condition: tested } = wholeSegment(condition)
      const { rows } = await db.execute<{ 'QUERY PLAN': [{ Plan: { 'Total Cost': number } }] }>(
        sql`explain (format json) select count(*) from subscribers s ${joins} where ${tested}`,
      )
      return { path, cost: rows[0]?.['QUERY PLAN'][0].Plan['Total Cost'] ?? 0 }
    }),
  )
  const [slowest] = costs.toSorted((a, b) => b.cost - a.cost)
  const sum = costs.reduce((total, { cost }) => total + cost, 0)
  const share = slowest && sum > 0 ? Math.round((slowest.cost / sum) * 100) : 0
  const errors =
    slowest && conditions.length > 1
      ? [
          {
            field: ['filter', ...slowest.path].join('.'),
            detail: `takes longest, as Postgres expects: ${share} % of what all conditions cost one by one`,
          },
        ]
      : []
  return new Problem(
    'segment_too_slow',
    `Postgres could not tell in time who is in this segment.${errors[0] ? ` ${errors[0].field} ${errors[0].detail}.` : ''}`,
    { errors },
  )
}
