import { desc, eq, lt, sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { ImportOptions } from './options.ts'
import type { ImportKind } from './status.ts'
import { imports } from './table.ts'

export type StoredImport = NonNullable<Awaited<ReturnType<typeof findImport>>>

const columns = {
  id: imports.id,
  kind: imports.kind,
  status: imports.status,
  dry_run: imports.dry_run,
  options: imports.options,
  file_name: imports.file_name,
  size: imports.size,
  state: imports.state,
  columns: imports.columns,
  next_offset: imports.next_offset,
  line: imports.line,
  rows: imports.rows,
  created: imports.created,
  updated: imports.updated,
  unchanged: imports.unchanged,
  skipped: imports.skipped,
  refused: imports.refused,
  kept: imports.kept,
  sample: imports.sample,
  lease_token: imports.lease_token,
  /** Whether a part is being read at this moment. */
  is_busy: sql<boolean>`${imports.lease_until} is not null and ${imports.lease_until} > now()`,
  error: imports.error,
  created_at: imports.created_at,
  updated_at: imports.updated_at,
  finished_at: imports.finished_at,
}

export interface NewImport {
  kind: ImportKind
  dry_run: boolean
  options: ImportOptions
  file_name: string | null
  /** Bytes of the whole file. */
  size: number | null
}

/** @returns the import's id */
export async function insertImport(db: Database, values: NewImport): Promise<number> {
  const [row] = await db.insert(imports).values(values).returning({ id: imports.id })
  if (!row) throw new Error('insert into imports returned nothing')
  return row.id
}

export async function findImport(db: Database, id: number) {
  const [row] = await db.select(columns).from(imports).where(eq(imports.id, id))
  return row
}

/** The newest first, one more than `limit`. */
export async function listImports(db: Database, before_id: number | null, limit: number) {
  return db
    .select(columns)
    .from(imports)
    .where(before_id === null ? undefined : lt(imports.id, before_id))
    .orderBy(desc(imports.id))
    .limit(limit + 1)
}

/** Those of the ids that no list has. */
export async function unknownLists(db: Database, ids: readonly number[]): Promise<number[]> {
  const { rows } = await db.execute<{ id: number }>(sql`
    select g.id::float8 as id from unnest(${sql.param([...ids])}::bigint[]) as g(id)
    where not exists (select from mailing_lists l where l.id = g.id)`)
  return rows.map(({ id }) => id)
}
