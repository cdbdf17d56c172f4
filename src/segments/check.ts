// Whether a filter is one, with the place of each fault. It is read here once, level by level, and no deeper than it may be.
import type { AttributeType } from '../attributes/type.ts'
import { normaliseTag } from '../subscribers/tags.ts'
import { checkValue } from './check-value.ts'
import {
  BRANCHES,
  CAMPAIGN_OPS,
  type Condition,
  ENGAGEMENT_OPS,
  ENGAGEMENTS,
  FIELDS,
  type Filter,
  LIST_OPS,
  MOST_CONDITIONS,
  MOST_LEVELS,
  MOST_VALUES,
  SUBJECTS,
  type Subject,
  TAG_OPS,
} from './filter.ts'
import { DAYS, KINDS, type Kind, OPS_OF } from './ops.ts'

export type Path = (string | number)[]
export interface Fault {
  path: Path
  detail: string
}

/** Faults that are named at once. */
const MOST_FAULTS = 20
/** Names that templates can use as they are, as attributes have them. */
const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

type Node = Record<string, unknown>
interface Reading {
  types: ReadonlyMap<string, AttributeType>
  faults: Fault[]
  conditions: number
}

/**
 * Reads a filter that came from outside, in the one spelling of its tags, domains and addresses.
 *
 * @param types - the attributes whose type is declared: an op that does not fit it is a fault
 */
export function checkFilter(
  value: unknown,
  types: ReadonlyMap<string, AttributeType> = new Map(),
): { filter: Filter } | { faults: Fault[] } {
  const reading: Reading = { types, faults: [], conditions: 0 }
  const filter = readNode(value, [], 1, reading)
  return filter && reading.faults.length === 0 ? { filter } : { faults: reading.faults }
}

function readNode(value: unknown, path: Path, level: number, reading: Reading): Filter | null {
  if (reading.faults.length >= MOST_FAULTS) return null
  const fault = (detail: string, ...more: Path) => {
    reading.faults.push({ path: [...path, ...more], detail })
    return null
  }
  if (!isNode(value)) return fault(`must be an object with one of ${[...BRANCHES, ...SUBJECTS].join(', ')}`)
  const kinds = [...BRANCHES, ...SUBJECTS].filter((name) => Object.hasOwn(value, name))
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    return fault(
      `must have exactly one of ${[...BRANCHES, ...SUBJECTS].join(', ')}${kinds.length > 1 ? `, not ${kinds.join(' and ')}` : ''}`,
    )
  }
  if (kind !== 'and' && kind !== 'or' && kind !== 'not') {
    if (++reading.conditions > MOST_CONDITIONS) {
      return reading.conditions === MOST_CONDITIONS + 1
        ? fault(`is one condition too many: a filter has at most ${MOST_CONDITIONS}`)
        : null
    }
    return readCondition(value, kind, path, reading)
  }
  if (level >= MOST_LEVELS) return fault(`is nested too deep: a filter has at most ${MOST_LEVELS} levels`)
  refuseOthers(value, [kind], path, reading)
  if (kind === 'not') {
    const inner = readNode(value.not, [...path, 'not'], level + 1, reading)
    return inner && { not: inner }
  }
  const all = value[kind]
  if (!Array.isArray(all)) return fault('must be an array of filters', kind)
  if (all.length === 0) return fault('must have at least one filter', kind)
  if (all.length > MOST_CONDITIONS) return fault(`must have at most ${MOST_CONDITIONS} filters`, kind)
  const inner = all.map((one, i) => readNode(one, [...path, kind, i], level + 1, reading)).filter((one) => one !== null)
  return kind === 'and' ? { and: inner } : { or: inner }
}

function readCondition(value: Node, subject: Subject, path: Path, reading: Reading): Condition | null {
  const before = reading.faults.length
  const condition = READERS[subject](value, { ...reading, path })
  return reading.faults.length === before ? condition : null
}

interface Place extends Reading {
  path: Path
}

const READERS: Record<Subject, (value: Node, place: Place) => Condition | null> = {
  field(value, place) {
    const field = oneOf(value, 'field', Object.keys(FIELDS) as (keyof typeof FIELDS)[], place)
    return field && compared(value, 'field', field, FIELDS[field], field, place)
  },
  attribute(value, place) {
    const { attribute } = value
    if (typeof attribute !== 'string' || !ATTRIBUTE.test(attribute)) {
      return fault(
        place,
        'attribute',
        'must be the name of an attribute: a letter, then up to 63 letters, digits or underscores',
      )
    }
    return compared(
      value,
      'attribute',
      attribute,
      place.types.get(attribute) ?? 'any',
      `the attribute ${attribute}`,
      place,
    )
  },
  tags(value, place) {
    refuseOthers(value, ['tags', 'op'], place.path, place)
    const op = oneOf(value, 'op', TAG_OPS, place)
    const { tags: all } = value
    if (!Array.isArray(all) || all.length === 0 || all.length > MOST_VALUES) {
      return fault(place, 'tags', `must be an array of 1 to ${MOST_VALUES} tags`)
    }
    const tags = all.map((tag, i) => {
      const made = typeof tag === 'string' ? normaliseTag(tag) : { problem: 'must be a string' }
      if ('tag' in made) return made.tag
      place.faults.push({ path: [...place.path, 'tags', i], detail: made.problem })
      return ''
    })
    return op && { tags: [...new Set(tags)], op }
  },
  list(value, place) {
    const list = rowId(value, 'list', 'a mailing list', place)
    const op = oneOf(value, 'op', LIST_OPS, place)
    if (op !== 'joined_in_last_days') {
      refuseOthers(value, ['list', 'op'], place.path, place)
      return list === null || op === null ? null : { list, op }
    }
    refuseOthers(value, ['list', 'op', 'value'], place.path, place)
    const days = numberFor(op, value.value, place)
    return list === null || days === null ? null : { list, op, value: days }
  },
  campaign(value, place) {
    const campaign = rowId(value, 'campaign', 'a campaign', place)
    const op = oneOf(value, 'op', CAMPAIGN_OPS, place)
    refuseOthers(value, op === 'clicked' ? ['campaign', 'op', 'link'] : ['campaign', 'op'], place.path, place)
    if (campaign === null || op === null) return null
    if (op !== 'clicked' || value.link === undefined) return { campaign, op }
    const link = rowId(value, 'link', 'a link of the campaign', place)
    return link === null ? null : { campaign, op, link }
  },
  engagement(value, place) {
    const engagement = oneOf(value, 'engagement', ENGAGEMENTS, place)
    const ops = engagement === 'sent' ? ENGAGEMENT_OPS.filter((op) => op !== 'none_of_last_mails') : ENGAGEMENT_OPS
    const op = oneOf(value, 'op', ops, place)
    if (engagement === null || op === null) return null
    if (DAYS[op] === undefined) {
      refuseOthers(value, ['engagement', 'op'], place.path, place)
      return { engagement, op }
    }
    refuseOthers(value, ['engagement', 'op', 'value'], place.path, place)
    const number = numberFor(op, value.value, place)
    return number === null ? null : { engagement, op, value: number }
  },
}

function compared<S extends 'field' | 'attribute'>(
  value: Node,
  subject: S,
  name: string,
  kind: Kind,
  called: string,
  place: Place,
) {
  const ops = OPS_OF[kind]
  const op = ops.find((one) => one === value.op)
  if (op === undefined) {
    return fault(place, 'op', `must be one of ${ops.join(', ')}: ${called} is ${KINDS[kind]}`)
  }
  const valueless = op === 'exists' || op === 'not_exists'
  refuseOthers(value, valueless ? [subject, 'op'] : [subject, 'op', 'value'], place.path, place)
  if (valueless) return { [subject]: name, op } as unknown as Condition
  const read = checkValue(kind, op, value.value, subject === 'field' ? name : null)
  if ('value' in read) return { [subject]: name, op, value: read.value } as unknown as Condition
  return fault(place, ['value', ...read.path], read.problem)
}

function fault({ faults, path }: Place, at: string | Path, detail: string): null {
  faults.push({ path: [...path, ...[at].flat()], detail })
  return null
}

function oneOf<T extends string>(value: Node, name: string, allowed: readonly T[], place: Place): T | null {
  const found = allowed.find((one) => one === value[name])
  return found ?? fault(place, name, `must be one of ${allowed.join(', ')}`)
}

function rowId(value: Node, name: string, of: string, place: Place): number | null {
  const id = value[name]
  if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0 && (name !== 'link' || id < 2 ** 31)) return id
  return fault(place, name, `must be the ${name === 'link' ? 'number' : 'id'} of ${of}`)
}

function numberFor(op: string, value: unknown, place: Place): number | null {
  const read = checkValue('any', op, value, null)
  return 'value' in read ? Number(read.value) : fault(place, 'value', read.problem)
}

function refuseOthers(value: Node, known: readonly string[], path: Path, { faults }: Reading): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    if (faults.length >= MOST_FAULTS) return
    faults.push({ path: [...path, name.slice(0, 100)], detail: 'is not known here: remove it' })
  }
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)
