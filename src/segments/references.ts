import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Fault } from './check.ts'
import { conditionsOf, type Filter } from './filter.ts'

/** The mailing lists that a filter names, each once. */
export const listsOf = (filter: Filter): number[] => [
  ...new Set(conditionsOf(filter).flatMap(([condition]) => ('list' in condition ? [condition.list] : []))),
]

/** Which of the lists and campaigns that a filter names are not there. */
export async function missingInFilter(db: Database, filter: Filter): Promise<Fault[]> {
  const conditions = conditionsOf(filter)
  const campaign_ids = conditions.flatMap(([condition]) => ('campaign' in condition ? [condition.campaign] : []))
  const [lists, campaigns] = await db.batch([
    db.execute<{ id: number }>(
      sql`select id::float8 as id from mailing_lists where id = any(${sql.param(listsOf(filter))}::bigint[])`,
    ),
    db.execute<{ id: number }>(
      sql`select id::float8 as id from campaigns where id = any(${sql.param(campaign_ids)}::bigint[])`,
    ),
  ])
  const known = {
    list: new Set(lists.rows.map(({ id }) => id)),
    campaign: new Set(campaigns.rows.map(({ id }) => id)),
  }
  return conditions.flatMap(([condition, path]) => {
    if ('list' in condition && !known.list.has(condition.list)) {
      return [{ path: [...path, 'list'], detail: `names no mailing list: there is no list ${condition.list}` }]
    }
    if ('campaign' in condition && !known.campaign.has(condition.campaign)) {
      return [{ path: [...path, 'campaign'], detail: `names no campaign: there is no campaign ${condition.campaign}` }]
    }
    return []
  })
}
