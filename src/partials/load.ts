import { isNull, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { calledNames } from '../templates/calls.ts'
import { NO_PARTIALS, type Partial, type Partials } from '../templates/partial.ts'
import { partials } from './table.ts'

/** Reads the newest versions of the partials that sources call, and of those which these call. */
export async function loadPartials(db: Database, ...sources: (string | null)[]): Promise<Partials> {
  const called = calledNames(...sources)
  if (called.length === 0) return NO_PARTIALS
  const [found, names] = await db.batch([
    db.execute<Partial & Record<string, unknown>>(sql`
      with recursive called (name) as (
        select unnest(${sql.param(called)}::text[])
        union
        select unnest(v.uses) from called c
        join partials p on p.name = c.name and p.deleted_at is null
        join partial_versions v on v.partial_id = p.id and v.version = p.version
      )
      select p.id::float8 as id, p.name, p.version, v.format, v.source, v.text_source from called
      join partials p on p.name = called.name and p.deleted_at is null
      join partial_versions v on v.partial_id = p.id and v.version = p.version`),
    db.select({ name: partials.name }).from(partials).where(isNull(partials.deleted_at)).limit(MOST_NAMES),
  ])
  return {
    found: new Map(found.rows.map((partial) => [partial.name, partial])),
    names: names.map(({ name }) => name),
  }
}

/** Names that are looked through for the one that was meant. */
const MOST_NAMES = 1000
