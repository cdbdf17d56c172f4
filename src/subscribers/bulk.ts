import type * as z from 'zod'
import type { Database } from '../db/client.ts'
import type { FieldError } from '../http/problem.ts'
import { fieldErrors } from '../http/validation.ts'
import type { ImportPolicy } from '../imports/options.ts'
import { refusedField } from './refusal.ts'
import type { RowAnswer, SubscriberRow } from './row.ts'
import { newSubscriber } from './schema.ts'
import { writeSubscribers } from './write.ts'

/** One row's answer on the wire. */
export interface IndexedAnswer extends Omit<RowAnswer, 'refusal' | 'attribute'> {
  index: number
  code: string | null
  errors: FieldError[]
}

/** Checks each row by itself and writes those that pass. One answer per row, in order. */
export async function upsertInBulk(
  db: Database,
  hash_key: string,
  rows: readonly unknown[],
  policy: ImportPolicy,
): Promise<IndexedAnswer[]> {
  const checked = rows.map((row) => newSubscriber.safeParse(row))
  const good: SubscriberRow[] = checked.flatMap((result) => (result.success ? [result.data] : []))
  const written = (await writeSubscribers(db, hash_key, 'upsert', good, { policy })).values()
  return checked.map((result, index) => {
    if (!result.success) return invalidRow(index, result.error)
    const answer = written.next().value
    if (!answer) throw new Error('a row of a bulk call got no answer')
    return indexedAnswer(index, answer)
  })
}

export function indexedAnswer(index: number, { refusal, attribute, ...answer }: RowAnswer): IndexedAnswer {
  return { index, ...answer, code: refusal, errors: refusal ? [refusedField(refusal, attribute)] : [] }
}

function invalidRow(index: number, error: z.core.$ZodError): IndexedAnswer {
  const errors = fieldErrors(error, 'row')
  return { index, outcome: 'refused', id: null, kept: null, kept_lists: [], code: 'validation_failed', errors }
}
