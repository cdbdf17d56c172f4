import { type SQL, sql } from 'drizzle-orm'
import { anniversary, beforeDays, compareDate, inDays, isDate, isDateOf } from './dates.ts'
import type { Tested } from './field-condition.ts'
import type { AttributeCondition, Scalar } from './filter.ts'
import { isOneOf, textCondition } from './text-condition.ts'

/**
 * What is asked of an attribute follows from op and value alone: a text is not equal to a number, whatever it looks like, and
 * a number is not in a list. So a condition means the same whether or when the attribute's type was declared.
 */
export function attributeCondition({ attribute, op, value }: AttributeCondition): Tested {
  const json = sql`(s.attributes -> ${attribute}::text)`
  const text = sql`(s.attributes ->> ${attribute}::text)`
  const values = value === undefined ? [] : [value].flat()
  const [first = '', last = ''] = values
  switch (op) {
    case 'exists':
    case 'not_exists':
      return { sql: sql`${json} not in ('null', '""', '[]', '{}')`, opposite: op === 'not_exists' }
    case 'eq':
    case 'in':
    case 'ne':
    case 'not_in':
      return { sql: equals(attribute, json, text, values), opposite: op === 'ne' || op === 'not_in' }
    case 'contains':
    case 'starts_with':
    case 'ends_with':
      return {
        sql: sql`(${textCondition(text, op, [String(first)])} and jsonb_typeof(${json}) = 'string')`,
        opposite: false,
      }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return { sql: compare(json, text, op, first), opposite: false }
    case 'between':
      return {
        sql: sql`(${compare(json, text, 'gte', first)} and ${compare(json, text, 'lte', last)})`,
        opposite: false,
      }
    case 'any':
    case 'none':
      return {
        sql: sql`exists (select 1 from ${elements(json)} where ${isOneOf(sql`lower(e.value)`, values.map(String))})`,
        opposite: op === 'none',
      }
    case 'all':
      return {
        sql: sql`(${sql.join(
          values.map(
            (one) => sql`exists (select 1 from ${elements(json)} where lower(e.value) = lower(${String(one)}::text))`,
          ),
          sql` and `,
        )})`,
        opposite: false,
      }
    case 'in_last_days':
    case 'not_in_last_days':
      return { sql: inDays(text, Number(first), 0), opposite: op === 'not_in_last_days' }
    case 'in_next_days':
      return { sql: inDays(text, 0, Number(first)), opposite: false }
    case 'before_days':
      return { sql: beforeDays(text, Number(first)), opposite: false }
    case 'anniversary_in_next_days':
      return { sql: anniversary(text, Number(first)), opposite: false }
  }
}

/** One of some values. Numbers and truths are found by the index; a text is compared without regard to case, a date as one. */
function equals(attribute: string, json: SQL, text: SQL, values: readonly Scalar[]): SQL {
  const texts = values.filter((value) => typeof value === 'string')
  const ways = values
    .filter((value) => typeof value !== 'string')
    .map((value) => sql`s.attributes @> ${JSON.stringify({ [attribute]: value })}::jsonb`)
  // As JSON, where a text has its quotes: "5" is not 5.
  if (texts.length > 0)
    ways.push(
      isOneOf(
        sql`lower(${json}::text)`,
        texts.map((one) => JSON.stringify(one)),
      ),
    )
  const dates = texts.filter(isDate)
  if (dates.length > 0) ways.push(isDateOf(text, dates))
  return sql`(${sql.join(ways, sql` or `)})`
}

function compare(json: SQL, text: SQL, op: 'gt' | 'gte' | 'lt' | 'lte', value: Scalar): SQL {
  if (typeof value === 'string') return compareDate(text, op, value)
  const sign = sql.raw({ gt: '>', gte: '>=', lt: '<', lte: '<=' }[op])
  return sql`case when jsonb_typeof(${json}) = 'number' then ${text}::numeric ${sign} ${value}::numeric end`
}

/** The texts of a list. */
const elements = (json: SQL) => sql`(
    select v #>> '{}' as value from jsonb_array_elements(case jsonb_typeof(${json}) when 'array' then ${json} end) v
    where jsonb_typeof(v) = 'string'
  ) e`
