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
  compile(filter, { negated: false, must: true }, ({ rows }, { negated }) => {
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
  const condition = compile(
    filter,
    { negated: false, must: true },
    ({ rows, all = rows, repeats }, { negated, must }) => {
      // Postgres makes a semijoin or antijoin of it.
      if (must) return sql`${negated ? sql`not ` : sql``}exists (select 1 from (${all}) p where p.subscriber_id = s.id)`
      // An outer join holds wherever in the tree the condition is.
      const name = sql.raw(`p${joins.length}`)
      const each = repeats ? sql`select distinct q.subscriber_id from (${all}) q` : all
      joins.push(sql`left join (${each}) ${name} on ${name}.subscriber_id = s.id`)
      return negated ? sql`${name}.subscriber_id is null` : sql`${name}.subscriber_id is not null`
    },
  )
  return { joins: sql.join(joins, sql` `), condition }
}

type Place = (people: People, position: Position) => SQL
interface Position {
  negated: boolean
  /** Nobody is in the segment without it: there are only `and`s above. */
  must: boolean
}

/** `not` is moved down to the conditions, where null becomes true by it; above them null is as good as false. */
function compile(filter: Filter, position: Position, place: Place): SQL {
  const { negated } = position
  if ('not' in filter) return compile(filter.not, { ...position, negated: !negated }, place)
  if ('and' in filter) return joined(filter.and, position, negated ? OR : AND, place)
  if ('or' in filter) return joined(filter.or, position, negated ? AND : OR, place)
  return compileCondition(filter, position, place)
}

const AND = sql` and `
const OR = sql` or `
function joined(filters: readonly Filter[], position: Position, by: SQL, place: Place): SQL {
  const must = position.must && (by === AND || filters.length === 1)
  const parts = filters.map((filter) => compile(filter, { ...position, must }, place))
  return sql`(${sql.join(parts, by)})`
}

function compileCondition(condition: Condition, position: Position, place: Place): SQL {
  const { negated } = position
  const test = (tested: SQL, opposite: boolean) => (opposite === negated ? tested : sql`(${tested}) is not true`)
  const people = (relation: People, opposite = false) => place(relation, { ...position, negated: opposite !== negated })

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
    const did: Filter = { campaign, op: op === 'not_opened' ? 'opened' : 'clicked' }
    return compile({ and: [{ campaign, op: 'sent' }, { not: did }] }, position, place)
  }
  const { engagement, op, value = 0 } = condition
  if (op === 'none_of_last_mails') {
    return people(silentPeople(engagement === 'clicked' ? 'clicked' : 'opened', value))
  }
  const ever = op === 'ever' || op === 'never'
  return people(engagedPeople(engagement, ever ? null : value), op === 'never' || op === 'not_in_last_days')
}
