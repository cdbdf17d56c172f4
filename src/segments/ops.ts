import type { AttributeType } from '../attributes/type.ts'
import { type FIELDS, OPS, type Op } from './filter.ts'

/** What a value is, as far as ops go; `any` is an attribute whose type nobody declared. */
export type Kind = (typeof FIELDS)[keyof typeof FIELDS] | AttributeType | 'any'

const PRESENCE = ['exists', 'not_exists'] as const
const EQUALITY = ['eq', 'ne', 'in', 'not_in'] as const
const TEXT = [...EQUALITY, 'contains', 'starts_with', 'ends_with', ...PRESENCE] as const
const ORDER = ['gt', 'gte', 'lt', 'lte', 'between'] as const
const PAST = ['in_last_days', 'not_in_last_days', 'before_days'] as const

/** The ops that fit each kind. */
export const OPS_OF: Readonly<Record<Kind, readonly Op[]>> = {
  text: TEXT,
  status: EQUALITY,
  moment: ['eq', 'ne', ...ORDER, ...PAST],
  string: TEXT,
  number: [...EQUALITY, ...ORDER, ...PRESENCE],
  boolean: ['eq', 'ne', ...PRESENCE],
  date: [...EQUALITY, ...ORDER, ...PAST, 'in_next_days', 'anniversary_in_next_days', ...PRESENCE],
  list: ['any', 'all', 'none', ...PRESENCE],
  any: OPS,
}

/** How each kind is called. */
export const KINDS: Readonly<Record<Kind, string>> = {
  text: 'a text',
  status: 'a status',
  moment: 'a moment',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  date: 'a date',
  list: 'a list',
  any: 'of no declared type',
}

/** The least and most of ops that count days, and of those that count mails. Ten years: of what lies before, little is known. */
export const DAYS: Readonly<Partial<Record<string, readonly [least: number, most: number]>>> = {
  in_last_days: [1, 3650],
  not_in_last_days: [1, 3650],
  joined_in_last_days: [1, 3650],
  before_days: [0, 36_500],
  in_next_days: [0, 3650],
  anniversary_in_next_days: [0, 31],
  none_of_last_mails: [1, 100],
}
