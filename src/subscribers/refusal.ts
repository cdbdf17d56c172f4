import type { AttributeType } from '../attributes/type.ts'
import type { ProblemCode } from '../http/problem.ts'
import { type FieldError, Problem } from '../http/problem.ts'
import { ATTRIBUTE_KEYS_LIMIT, ATTRIBUTES_LIMIT, type Refusal, type TypedAttribute } from './row.ts'
import { TAGS_LIMIT } from './tags.ts'

interface Explained extends FieldError {
  /** What a call that names one subscriber is answered. */
  problem: ProblemCode
}

const REFUSALS: Record<Refusal, Explained> = {
  exists: { problem: 'already_exists', field: 'email', detail: 'belongs to a subscriber already' },
  unknown_subscriber: { problem: 'not_found', field: 'id', detail: 'names no subscriber' },
  unknown_list: { problem: 'validation_failed', field: 'list_ids', detail: 'names a list that does not exist' },
  deleted_before: {
    problem: 'deleted_before',
    field: 'email',
    detail: 'belongs to someone who was deleted: needs resubscribe, consented_at and consent_source',
  },
  consent_in_future: { problem: 'validation_failed', field: 'consented_at', detail: 'must not lie in the future' },
  consent_too_old: {
    problem: 'validation_failed',
    field: 'consented_at',
    detail: 'must be newer than the opt-out, bounce, complaint or deletion that it overrules',
  },
  attributes_too_large: {
    problem: 'validation_failed',
    field: 'attributes',
    detail: `must have at most ${ATTRIBUTE_KEYS_LIMIT} keys and ${ATTRIBUTES_LIMIT} bytes together with what is stored`,
  },
  attribute_type: { problem: 'validation_failed', field: 'attributes', detail: 'has a value of another type' },
  too_many_tags: {
    problem: 'validation_failed',
    field: 'tags',
    detail: `must be at most ${TAGS_LIMIT} together with what is stored`,
  },
}

const TYPES: Record<AttributeType, string> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  date: 'a date that exists, as YYYY-MM-DD or in UTC as YYYY-MM-DDTHH:MM:SSZ',
  list: 'an array of strings',
}

/** Each refusal in words, beginning with the field at fault. */
export const REASONS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(REFUSALS).map(([refusal, { field, detail }]) => [refusal, `${field} ${detail}`]),
)

/** What a value of a type must be, in the words of an error. */
export const mustBe = (type: AttributeType) => `must be ${TYPES[type]}`

/** The field at fault, for the answer of one row among many. */
export function refusedField(refusal: Refusal, attribute: TypedAttribute | null = null): FieldError {
  if (attribute) return { field: `attributes.${attribute.name}`, detail: mustBe(attribute.type) }
  const { field, detail } = REFUSALS[refusal]
  return { field, detail }
}

/** The answer of a call that names one subscriber. */
export function refusedCall(refusal: Refusal, attribute: TypedAttribute | null = null): Problem {
  const { field, detail } = refusedField(refusal, attribute)
  return new Problem(REFUSALS[refusal].problem, `${field} ${detail}.`, { errors: [{ field, detail }] })
}
