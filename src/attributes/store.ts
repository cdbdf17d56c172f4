import { asc, gt } from 'drizzle-orm'
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
