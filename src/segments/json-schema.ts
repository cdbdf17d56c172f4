// How OpenAPI describes a filter; check.ts is what checks it.
import { CAMPAIGN_OPS, ENGAGEMENT_OPS, ENGAGEMENTS, FIELDS, type Filter, LIST_OPS, OPS, TAG_OPS } from './filter.ts'

const FILTER = { $ref: '#/components/schemas/SegmentFilter' }
const id = { type: 'integer' as const, minimum: 1 }
const oneOf = (values: readonly string[]) => ({ type: 'string' as const, enum: [...values] })
const text = { type: 'string' as const }
const scalar = [text, { type: 'number' as const }, { type: 'boolean' as const }]
const value = {
  anyOf: [...scalar, { type: 'array' as const, items: { anyOf: scalar }, maxItems: 100 }],
  description: 'As the op has it; none for exists and not_exists',
}
const condition = <P extends object>(properties: P, required: (keyof P & string)[]) => ({
  type: 'object' as const,
  properties,
  required: required as string[],
  additionalProperties: false,
})
const filters = { type: 'array' as const, items: FILTER, minItems: 1, maxItems: 100 }

const EXAMPLE: Filter = {
  and: [
    { attribute: 'plan', op: 'eq', value: 'pro' },
    { engagement: 'opened', op: 'in_last_days', value: 90 },
    { not: { tags: ['vip'], op: 'any' } },
  ],
}

export const FILTER_SCHEMA = {
  type: 'object' as const,
  description:
    'A condition, or others joined by `and`, `or` and `not`: at most 10 levels and 100 conditions. docs/segments.md lists every condition with its ops',
  example: EXAMPLE,
  anyOf: [
    condition({ field: oneOf(Object.keys(FIELDS)), op: oneOf(OPS), value }, ['field', 'op']),
    condition({ attribute: text, op: oneOf(OPS), value }, ['attribute', 'op']),
    condition({ tags: { type: 'array' as const, items: text, minItems: 1, maxItems: 100 }, op: oneOf(TAG_OPS) }, [
      'tags',
      'op',
    ]),
    condition({ list: id, op: oneOf(LIST_OPS), value: id }, ['list', 'op']),
    condition({ campaign: id, op: oneOf(CAMPAIGN_OPS), link: id }, ['campaign', 'op']),
    condition({ engagement: oneOf(ENGAGEMENTS), op: oneOf(ENGAGEMENT_OPS), value: id }, ['engagement', 'op']),
    condition({ and: filters }, ['and']),
    condition({ or: filters }, ['or']),
    condition({ not: FILTER }, ['not']),
  ],
}
