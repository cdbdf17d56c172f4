import { eq, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { iso } from '../db/iso.ts'
import { sqlState } from '../db/retry.ts'
import { eraseAlone } from '../subscribers/erasure.ts'
import { mismatches } from './mismatch.ts'
import { attribute_definitions } from './table.ts'
import { type AttributeType, DEFINITIONS_LIMIT } from './type.ts'

export interface Definition {
  name: string
  type: AttributeType
  description: string | null
}

export type DefineOutcome =
  | { outcome: 'created'; definition: Definition & { created_at: string } }
  /** `too_slow`: Postgres could not look at everyone while writers wait. */
  | { outcome: 'exists' | 'too_many' | 'too_slow' }
  /** How many subscribers hold a value of another type, and the first of them. */
  | { outcome: 'conflict'; count: number; ids: number[] }

/** So many of those in conflict are named. */
const NAMED = 10
/** Ms that writers wait at most, and once more before it for those that are under way: together less than a call may take. */
const PATIENCE = 12_000
/** query_canceled: by the time limit. */
const CANCELED = '57014'

/**
 * Fixes the type of an attribute, if everything that is stored fits it. Writers wait meanwhile (they share the lock that
 * this takes alone), so that none brings a value which neither this check nor the definition sees. It reads every
 * subscriber: about a second per million.
 *
 * @param patience - ms for the writers under way to end, and as many again for the check that others wait for
 */
export async function defineAttribute(
  db: Database,
  { name, type, description }: Definition,
  patience = PATIENCE,
): Promise<DefineOutcome> {
  const value = sql`(s.attributes -> ${name}::text)`
  const looked = await db
    .batch([
      db.execute(sql`select set_config('statement_timeout', ${String(patience)}, true)`),
      db.execute(eraseAlone()),
      db.execute<{
        known: boolean
        definitions: number
        count: number
        ids: number[]
        created_at: string | null
      }>(sql`
      with stored as materialized (
        select count(*)::int as definitions, coalesce(bool_or(name = ${name}), false) as known
        from attribute_definitions
      ),
      conflicting as materialized (
        select count(*)::int as count, coalesce((array_agg(s.id::float8 order by s.id))[:${NAMED}::int], '{}') as ids
        from subscribers s
        where s.attributes ? ${name}::text and ${mismatches(sql`${type}::text`, value)}
          and (select not known and definitions < ${DEFINITIONS_LIMIT} from stored)
      ),
      created as (
        insert into attribute_definitions (name, type, description)
        select ${name}, ${type}, ${description} from stored, conflicting
        where not known and definitions < ${DEFINITIONS_LIMIT} and count = 0
        returning created_at
      )
      select known, definitions, count, ids, (select ${iso(sql`created_at`)} from created) as created_at
      from stored, conflicting`),
    ])
    .catch((error: unknown) => {
      if (sqlState(error) === CANCELED) return null
      throw error
    })
  if (looked === null) return { outcome: 'too_slow' }
  const [found] = looked[2].rows
  if (!found) throw new Error('the check of an attribute gave no answer')
  if (found.known) return { outcome: 'exists' }
  if (found.definitions >= DEFINITIONS_LIMIT) return { outcome: 'too_many' }
  if (found.created_at === null) return { outcome: 'conflict', count: found.count, ids: found.ids }
  return { outcome: 'created', definition: { name, type, description, created_at: found.created_at } }
}

/** Forgets the type; what is stored stays. @returns whether there was such a definition */
export async function deleteDefinition(db: Database, name: string): Promise<boolean> {
  const gone = await db
    .delete(attribute_definitions)
    .where(eq(attribute_definitions.name, name))
    .returning({ name: attribute_definitions.name })
  return gone.length > 0
}
