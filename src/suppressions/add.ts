import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import type { FieldError } from '../http/problem.ts'
import { fieldErrors } from '../http/validation.ts'
import { eraseAlone } from '../subscribers/erasure.ts'
import { insertSuppressions, type SuppressionRow } from './insert.ts'
import { suppressHashed } from './match.ts'
import { newSuppression } from './schema.ts'

export interface SuppressionAnswer {
  index: number
  outcome: 'created' | 'unchanged' | 'refused'
  id: number | null
  errors: FieldError[]
}

/**
 * Suppresses addresses, domains and keyed hashes; each row is checked by itself and answered in order. One that is
 * suppressed already stays as it is, with its first reason. Subscribers keep their status: the next claim skips them.
 */
export async function addSuppressions(
  db: Database,
  hash_key: string,
  rows: readonly unknown[],
): Promise<SuppressionAnswer[]> {
  const answers: SuppressionAnswer[] = []
  const good: (SuppressionRow & { index: number })[] = []
  rows.forEach((row, index) => {
    const result = newSuppression.safeParse(row)
    if (result.success) good.push({ ...result.data, value: result.data.value.toLowerCase(), index })
    const errors = result.success ? [] : fieldErrors(result.error, 'row')
    answers.push({ index, outcome: 'refused', id: null, errors })
  })
  if (good.length === 0) return answers
  const json = JSON.stringify(good)
  const hashes = good.filter(({ kind }) => kind === 'hash').map(({ value }) => value)
  const [, created, stored] = await retryDeadlocks(() =>
    db.batch([
      // Whoever is writing subscribers now is seen by the search for hashed addresses; whoever comes later sees the hashes.
      db.execute(hashes.length > 0 ? eraseAlone() : sql`select`),
      db.execute<{ id: number }>(insertSuppressions(json)),
      // A statement of its own: it also sees what a parallel call wrote while this one waited for it.
      db.execute<{ index: number; id: number }>(sql`
        select i.index, s.id::float8 as id
        from jsonb_to_recordset(${json}::jsonb) as i (index int, kind text, value text)
        join suppressions s on s.kind = i.kind and s.value = i.value
        order by i.index`),
    ]),
  )
  await suppressHashed(db, hash_key, hashes)
  const fresh = new Set(created.rows.map(({ id }) => id))
  for (const { index, id } of stored.rows) {
    // The same value twice in one call: the first is `created`, the second finds it there.
    answers[index] = { index, outcome: fresh.delete(id) ? 'created' : 'unchanged', id, errors: [] }
  }
  return answers
}
