/**
 * A filter tree over subscribers, as it is stored and comes by API; check.ts checks it, compile.ts makes SQL of it.
 *
 * Every condition is true or false of everyone. One about a value is true of nobody who lacks it, except those that are the
 * opposite of another: `ne`, `not_in`, `none`, `never`, `not_exists` and `not_in_last_days` are true of all others.
 */
export type Filter = { and: Filter[] } | { or: Filter[] } | { not: Filter } | Condition

export type Condition =
  | FieldCondition
  | AttributeCondition
  | TagCondition
  | ListCondition
  | CampaignCondition
  | EngagementCondition

/** The parts of a filter that hold others. */
export const BRANCHES = ['and', 'or', 'not'] as const

/** What a condition is about: the one of its keys that says so. */
export const SUBJECTS = ['field', 'attribute', 'tags', 'list', 'campaign', 'engagement'] as const
export type Subject = (typeof SUBJECTS)[number]

export const FIELDS = {
  email: 'text',
  domain: 'text',
  first_name: 'text',
  last_name: 'text',
  status: 'status',
  locale: 'text',
  timezone: 'text',
  created_at: 'moment',
  updated_at: 'moment',
} as const
export type FieldName = keyof typeof FIELDS

/** Ops that compare a value; which fit what is in ops.ts. */
export const OPS = [
  'eq',
  'ne',
  'in',
  'not_in',
  'contains',
  'starts_with',
  'ends_with',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'any',
  'all',
  'none',
  'in_last_days',
  'not_in_last_days',
  'before_days',
  'in_next_days',
  'anniversary_in_next_days',
  'exists',
  'not_exists',
] as const
export type Op = (typeof OPS)[number]

/** Dates are text: a day (`2026-11-24`) or a moment (`2026-11-24T08:30:00Z`). */
export type Scalar = string | number | boolean

export interface FieldCondition {
  field: FieldName
  op: Op
  value?: Scalar | Scalar[]
}

export interface AttributeCondition {
  attribute: string
  op: Op
  value?: Scalar | Scalar[]
}

export const TAG_OPS = ['any', 'all', 'none'] as const
export interface TagCondition {
  tags: string[]
  op: (typeof TAG_OPS)[number]
}

export const LIST_OPS = ['subscribed', 'unsubscribed', 'ever', 'never', 'joined_in_last_days'] as const
export interface ListCondition {
  list: number
  op: (typeof LIST_OPS)[number]
  /** Days, of `joined_in_last_days`. */
  value?: number
}

export const CAMPAIGN_OPS = ['sent', 'opened', 'not_opened', 'clicked', 'not_clicked'] as const
export interface CampaignCondition {
  campaign: number
  /** `not_opened` and `not_clicked`: were sent it and did not. */
  op: (typeof CAMPAIGN_OPS)[number]
  /** A link's number in its campaign, of `clicked`. */
  link?: number
}

export const ENGAGEMENTS = ['sent', 'opened', 'clicked'] as const
export const ENGAGEMENT_OPS = ['ever', 'never', 'in_last_days', 'not_in_last_days', 'none_of_last_mails'] as const
export interface EngagementCondition {
  /** Whoever clicked has opened, as pictures may be off. */
  engagement: (typeof ENGAGEMENTS)[number]
  op: (typeof ENGAGEMENT_OPS)[number]
  /** Days, or mails: were sent at least so many, and did it with none of the last so many. */
  value?: number
}

/** Levels of a tree, conditions in it, and values of one condition. */
export const MOST_LEVELS = 10
export const MOST_CONDITIONS = 100
export const MOST_VALUES = 100

/** The conditions of a filter, each with its place. */
export function conditionsOf(filter: Filter, path: (string | number)[] = []): [Condition, (string | number)[]][] {
  if ('and' in filter) return filter.and.flatMap((inner, i) => conditionsOf(inner, [...path, 'and', i]))
  if ('or' in filter) return filter.or.flatMap((inner, i) => conditionsOf(inner, [...path, 'or', i]))
  if ('not' in filter) return conditionsOf(filter.not, [...path, 'not'])
  return [[filter, path]]
}
