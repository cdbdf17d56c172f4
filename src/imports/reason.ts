import { sql } from 'drizzle-orm'
import { ATTRIBUTE_TYPES } from '../attributes/type.ts'
import { mustBe, REASONS } from '../subscribers/refusal.ts'

const TYPES = JSON.stringify(Object.fromEntries(ATTRIBUTE_TYPES.map((type) => [type, mustBe(type)])))

/** A file has no way to bring them back. */
const WORDS = {
  ...REASONS,
  deleted_before: 'email belongs to someone who was deleted here: they come back by signing up',
}

/** In SQL: why a row was refused, in words, from the columns `refusal`, `attribute` and `attribute_type` of `judged`. */
export const refusalReason = sql`
  case refusal
    when 'attribute_type' then 'attributes.' || attribute || ' ' || (${TYPES}::jsonb ->> attribute_type)
    else ${JSON.stringify(WORDS)}::jsonb ->> refusal
  end`
