import { asc, gt, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { attribute_definitions } from './table.ts'
import { type AttributeType, DEFINITIONS_LIMIT } from './type.ts'

const columns = {
  name: attribute_definitions.name,
  type: attribute_definitions.type,
  description: attribute_definitions.description,
  created_at: attribute_definitions.created_at,
}

/** Definitions by name, one more than `limit`. */
export const listDefinitions = (db: Database, after_name: string | null, limit: number) =>
  db
    .select(columns)
    .from(attribute_definitions)
    .where(after_name === null ? undefined : gt(attribute_definitions.name, after_name))
    .orderBy(asc(attribute_definitions.name))
    .limit(limit + 1)

/** The type of each attribute that has one. */
export async function readAttributeTypes(db: Database): Promise<ReadonlyMap<string, AttributeType>> {
  const definitions = await listDefinitions(db, null, DEFINITIONS_LIMIT)
  return new Map(definitions.map(({ name, type }) => [name, type]))
}

/** So many of the newest subscribers are looked at for attributes without a type, whatever the number of all. */
export const SAMPLE = 1_000
/** So many attributes are told, the most frequent first. */
const MOST = 200

/** An attribute without a type, how many of the sample have it, and with what kinds of JSON. */
export interface UndeclaredAttribute {
  name: string
  subscribers: number
  types: Partial<Record<'string' | 'number' | 'boolean' | 'array' | 'object' | 'null', number>>
}

/** The attributes that the newest subscribers have and no definition names. */
export async function undeclaredAttributes(db: Database): Promise<UndeclaredAttribute[]> {
  const { rows } = await db.execute<UndeclaredAttribute & Record<string, unknown>>(sql`
    with seen as (
      select a.key as name, jsonb_typeof(a.value) as type, count(*)::int as n
      from (select attributes from subscribers order by id desc limit ${SAMPLE}) s
      cross join lateral jsonb_each(s.attributes) a
      where not exists (select from attribute_definitions d where d.name = a.key)
      group by 1, 2
    )
    select name, sum(n)::int as subscribers, jsonb_object_agg(type, n) as types from seen
    group by name order by sum(n) desc, name limit ${MOST}`)
  return rows
}
