import type { AttributeType } from '../attributes/type.ts'
import type { SubscriberStatus } from './status.ts'

/** Subscribers in one bulk call. */
export const BULK_LIMIT = 1_000
/** Stored attributes of one subscriber: keys at the top level, and bytes of their JSON as Postgres prints it. */
export const ATTRIBUTE_KEYS_LIMIT = 100
export const ATTRIBUTES_LIMIT = 16_384

/**
 * What a write says about one subscriber, checked and normalised. A field that is absent stays as it is; null empties
 * it. Attributes are merged key by key at the top level; a key set to null is removed.
 */
export interface SubscriberRow {
  /** Names the subscriber in `update` writes; the other modes go by address. */
  id?: number
  email?: string | undefined
  first_name?: string | null | undefined
  last_name?: string | null | undefined
  status?: SubscriberStatus | undefined
  attributes?: Record<string, unknown> | undefined
  timezone?: string | null | undefined
  locale?: string | null | undefined
  /** Normalised (tags.ts). `tags` replaces what is stored; then `add_tags` are added and `remove_tags` taken away. */
  tags?: string[] | undefined
  add_tags?: string[] | undefined
  remove_tags?: string[] | undefined
  /** ISO 8601; when the person agreed, and how (form, import, ...). */
  consented_at?: string | undefined
  consent_source?: string | undefined
  /** What the person read when they agreed, word for word; and the country they did it from (ISO 3166-1 alpha-2). */
  consent_wording?: string | undefined
  consent_country?: string | undefined
  /** Lists to be subscribed to, each once. */
  list_ids?: number[] | undefined
  /** The person agreed again after opting out, bouncing, complaining or being deleted; needs both consent fields. */
  resubscribe?: boolean | undefined
}

/** Why a row was refused after it passed the schema, as SQL sees it. */
export type Refusal =
  | 'exists'
  | 'unknown_subscriber'
  | 'unknown_list'
  | 'deleted_before'
  | 'consent_in_future'
  | 'consent_too_old'
  | 'attributes_too_large'
  | 'attribute_type'
  | 'too_many_tags'

/** The attribute that a row had no fitting value for. */
export interface TypedAttribute {
  name: string
  type: AttributeType
}

/** What became of one row. */
export interface RowAnswer {
  /** `skipped`: the person was there already, and the policy leaves them alone. */
  outcome: 'created' | 'updated' | 'unchanged' | 'skipped' | 'refused'
  id: number | null
  refusal: Refusal | null
  /** Which one it was, when the refusal is `attribute_type`. */
  attribute: TypedAttribute | null
  /** The status that stayed although the row asked (or hoped) for a better one. */
  kept: SubscriberStatus | null
  /** Lists the person left and stays off. */
  kept_lists: number[]
}
