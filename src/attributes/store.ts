import { asc } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { attribute_definitions } from './table.ts'
import type { AttributeType } from './type.ts'

export const definitionColumns = {
  name: attribute_definitions.name,
  type: attribute_definitions.type,
  description: attribute_definitions.description,
  created_at: attribute_definitions.created_at,
}

/** Every definition, by name: there are few (`DEFINITIONS_LIMIT`). */
export const listDefinitions = (db: Database) =>
  db.select(definitionColumns).from(attribute_definitions).orderBy(asc(attribute_definitions.name))

/** The type of each attribute that has one. */
export async function readAttributeTypes(db: Database): Promise<ReadonlyMap<string, AttributeType>> {
  return new Map((await listDefinitions(db)).map(({ name, type }) => [name, type]))
}
