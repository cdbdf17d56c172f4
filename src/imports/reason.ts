import { sql } from 'drizzle-orm'
import { ATTRIBUTE_TYPES } from '../attributes/type.ts'
import { mustBe, REASONS } from '../subscribers/refusal.ts'

const TYPES = JSON.stringify(Object.fromEntries(ATTRIBUTE_TYPES.map((type) => [type, mustBe(type)])))

/** Of a row of somebody who was deleted: a file has no way to bring them back. */
export const WAS_DELETED = 'email belongs to someone who was deleted here: they come back by signing up'

const WORDS = { ...REASONS, deleted_before: WAS_DELETED }

/** In SQL: why a row was refused, in words, from the columns `refusal`, `attribute` and `attribute_type` of `judged`. */
export const refusalReason = sql`
  case refusal
    when 'attribute_type' then 'attributes.' || attribute || ' ' || (${TYPES}::jsonb ->> attribute_type)
    else ${JSON.stringify(WORDS)}::jsonb ->> refusal
  end`
