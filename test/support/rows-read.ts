// How many rows of tables a call has Postgres go through: what it costs when there is much, without a clock.
import type { Database } from '../../src/db/client.ts'
import type { TestDatabase } from './database.ts'

interface PlanNode {
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: PlanNode[]
}

/** Explains each statement of a call that only reads, then lets it run. */
export async function rowsReadBy(t: TestDatabase, call: (db: Database) => Promise<unknown>): Promise<number> {
  let sum = 0
  const execute = async (statement: Parameters<Database['execute']>[0]) => {
    const query = t.db.execute(statement).getQuery()
    const [row] = await t.sql(`explain (analyze, format json) ${query.sql}`, query.params)
    for (const { Plan } of (row?.['QUERY PLAN'] ?? []) as { Plan: PlanNode }[]) sum += rowsRead(Plan)
    return await t.db.execute(statement)
  }
  await call(Object.assign(Object.create(t.db), { execute }) as Database)
  return sum
}

/** Thrown away or not. */
function rowsRead(node: PlanNode): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  const own = node['Relation Name'] ? (node['Actual Rows'] + removed) * node['Actual Loops'] : 0
  return (node.Plans ?? []).reduce((total, plan) => total + rowsRead(plan), own)
}
