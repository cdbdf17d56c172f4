import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { retryDeadlocks } from '../db/retry.ts'
import type { FieldError } from '../http/problem.ts'
import { fieldErrors } from '../http/validation.ts'
import { newSuppression } from './schema.ts'

export interface SuppressionAnswer {
  index: number
  outcome: 'created' | 'unchanged' | 'refused'
  id: number | null
  errors: FieldError[]
}

/**
 * Suppresses addresses and domains; each row is checked by itself and answered in order. One that is suppressed already
 * stays as it is, with its first reason. Subscribers keep their status: the next claim skips them.
 */
export async function addSuppressions(db: Database, rows: readonly unknown[]): Promise<SuppressionAnswer[]> {
  const answers: SuppressionAnswer[] = []
  const good: { index: number; kind: string; value: string; reason: string; source: string | null }[] = []
  rows.forEach((row, index) => {
    const result = newSuppression.safeParse(row)
    if (result.success) good.push({ ...result.data, value: result.data.value.toLowerCase(), index })
    const errors = result.success ? [] : fieldErrors(result.error, 'row')
    answers.push({ index, outcome: 'refused', id: null, errors })
  })
  if (good.length === 0) return answers
  const json = JSON.stringify(good)
  const input = sql`jsonb_to_recordset(${json}::jsonb) as i(index int, kind text, value text, reason text, source text)`
  const [created, stored] = await retryDeadlocks(() =>
    db.batch([
      db.execute<{ id: number }>(sql`
        insert into suppressions (kind, value, reason, source)
        select distinct on (i.kind, i.value) i.kind, i.value, i.reason, i.source from ${input}
        order by i.kind, i.value, i.index
        on conflict (kind, value) do nothing
        returning id::float8 as id`),
      // A statement of its own: it also sees what a parallel call wrote while this one waited for it.
      db.execute<{ index: number; id: number }>(sql`
        select i.index, s.id::float8 as id from ${input} join suppressions s on s.kind = i.kind and s.value = i.value
        order by i.index`),
    ]),
  )
  const fresh = new Set(created.rows.map(({ id }) => id))
  for (const { index, id } of stored.rows) {
    // The same value twice in one call: the first is `created`, the second finds it there.
    answers[index] = { index, outcome: fresh.delete(id) ? 'created' : 'unchanged', id, errors: [] }
  }
  return answers
}
