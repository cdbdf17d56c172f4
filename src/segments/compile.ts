import { type SQL, sql } from 'drizzle-orm'
import { attributeCondition } from './attribute-condition.ts'
import { fieldCondition } from './field-condition.ts'
import type { Condition, Filter } from './filter.ts'
import { engagedPeople, type People, peopleOfCampaign, peopleOfLink, peopleOfList, silentPeople } from './people.ts'

/**
 * Of a row `s` of subscribers: that they are in the segment, true or not (false or null; put `{ not: filter }` in for those
 * who are not). What other tables know is looked up person by person, so that the statement around it decides how many
 * people are looked at: for pages. Every value is a parameter.
 *
 * @param filter - as check.ts passes it
 */
export const segmentCondition = (filter: Filter): SQL =>
  compile(filter, false, ({ rows }, negated) => {
    const found = sql`exists (select 1 from (${rows}) p where p.subscriber_id = s.id offset 0)`
    return negated ? sql`not ${found}` : found
  })

/** The same for all subscribers at once: what other tables know is read as a whole and joined. */
export interface WholeSegment {
  /** To follow `subscribers s`. */
  joins: SQL
  condition: SQL
}

export function wholeSegment(filter: Filter): WholeSegment {
  const joins: SQL[] = []
  const condition = compile(filter, false, ({ rows, repeats }, negated) => {
    const name = sql.raw(`p${joins.length}`)
    const people = repeats ? sql`select distinct q.subscriber_id from (${rows}) q` : rows
    // An outer join holds wherever in the tree the condition is; Postgres makes a semi- or antijoin of it where it can.
    joins.push(sql`left join (${people}) ${name} on ${name}.subscriber_id = s.id`)
    return negated ? sql`${name}.subscriber_id is null` : sql`${name}.subscriber_id is not null`
  })
  return { joins: sql.join(joins, sql` `), condition }
}

type Place = (people: People, negated: boolean) => SQL

/** `not` is moved down to the conditions, where null becomes true by it; above them null is as good as false. */
function compile(filter: Filter, negated: boolean, place: Place): SQL {
  if ('not' in filter) return compile(filter.not, !negated, place)
  if ('and' in filter) return joined(filter.and, negated, negated ? OR : AND, place)
  if ('or' in filter) return joined(filter.or, negated, negated ? AND : OR, place)
  return compileCondition(filter, negated, place)
}

const AND = sql` and `
const OR = sql` or `
const joined = (filters: readonly Filter[], negated: boolean, by: SQL, place: Place) =>
  sql`(${sql.join(
    filters.map((filter) => compile(filter, negated, place)),
    by,
  )})`

function compileCondition(condition: Condition, negated: boolean, place: Place): SQL {
  const test = (tested: SQL, opposite: boolean) => (opposite === negated ? tested : sql`(${tested}) is not true`)
  const people = (relation: People, opposite = false) => place(relation, opposite !== negated)

  if ('field' in condition) {
    const { sql: tested, opposite } = fieldCondition(condition)
    return test(tested, opposite)
  }
  if ('attribute' in condition) {
    const { sql: tested, opposite } = attributeCondition(condition)
    return test(tested, opposite)
  }
  if ('tags' in condition) {
    const tags = sql`${sql.param(condition.tags)}::text[]`
    if (condition.op === 'all') return test(sql`s.tags @> ${tags}`, false)
    return test(sql`s.tags && ${tags}`, condition.op === 'none')
  }
  if ('list' in condition) {
    const { list, op, value = 0 } = condition
    return people(peopleOfList(list, op === 'never' ? 'ever' : op, value), op === 'never')
  }
  if ('campaign' in condition) {
    const { campaign, op, link } = condition
    if (link !== undefined) return people(peopleOfLink(campaign, link))
    if (op !== 'not_opened' && op !== 'not_clicked') return people(peopleOfCampaign(campaign, op))
    const sent = people(peopleOfCampaign(campaign, 'sent'))
    const did = people(peopleOfCampaign(campaign, op === 'not_opened' ? 'opened' : 'clicked'), true)
    return sql`(${sent} ${negated ? OR : AND} ${did})`
  }
  const { engagement, op, value = 0 } = condition
  if (op === 'none_of_last_mails') {
    return people(silentPeople(engagement === 'clicked' ? 'clicked' : 'opened', value))
  }
  const ever = op === 'ever' || op === 'never'
  return people(engagedPeople(engagement, ever ? null : value), op === 'never' || op === 'not_in_last_days')
}
