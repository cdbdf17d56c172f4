import { normaliseDomain, normaliseEmail } from '../subscribers/email.ts'
import { SUBSCRIBER_STATUSES } from '../subscribers/status.ts'
import { DAY, isDate } from './dates.ts'
import { MOST_VALUES, type Scalar } from './filter.ts'
import { DAYS, type Kind } from './ops.ts'

type Read = { value: Scalar | Scalar[] } | { path: (string | number)[]; problem: string }
type One = { value: Scalar } | { problem: string }

/** Characters of a text that is compared. */
const LONGEST = 1_000
const WHEN = 'must be a day such as 2026-11-24, or a moment in UTC such as 2026-11-24T08:30:00Z'

/**
 * The value of a condition, in the spelling that is stored, or what is wrong with it and where.
 *
 * @param field - of which field, for the values that some have
 */
export function checkValue(kind: Kind, op: string, value: unknown, field: string | null): Read {
  const bounds = DAYS[op]
  if (bounds) {
    const [least, most] = bounds
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
    return fits ? { value } : { path: [], problem: `must be a whole number from ${least} to ${most}` }
  }
  switch (op) {
    case 'in':
    case 'not_in':
      return several(value, (one) => equal(kind, one, field))
    case 'any':
    case 'all':
    case 'none':
      return several(value, text)
    case 'contains':
    case 'starts_with':
    case 'ends_with':
      return alone(part(value, field))
    case 'between':
      return range(kind, value)
    case 'eq':
    case 'ne':
      return alone(equal(kind, value, field))
    default:
      return alone(ordered(kind, value))
  }
}

function several(value: unknown, check: (one: unknown) => One): Read {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST_VALUES) {
    return { path: [], problem: `must be an array of 1 to ${MOST_VALUES} values` }
  }
  const values: Scalar[] = []
  for (const [i, one] of value.entries()) {
    const read = check(one)
    if ('problem' in read) return { path: [i], problem: read.problem }
    values.push(read.value)
  }
  return { value: values }
}

const alone = (read: One): Read => ('value' in read ? read : { path: [], problem: read.problem })

function text(value: unknown): One {
  if (typeof value !== 'string') return { problem: 'must be a string' }
  if (value === '') return { problem: 'must not be empty: not_exists asks for what is' }
  return value.length <= LONGEST ? { value } : { problem: `must have at most ${LONGEST} characters` }
}

/** A part of a text. Addresses are ASCII. */
function part(value: unknown, field: string | null): One {
  const read = text(value)
  const foreign = typeof value === 'string' && /[^\x20-\x7e]/.test(value)
  if ('value' in read && foreign && (field === 'email' || field === 'domain')) {
    return { problem: 'must be ASCII, as addresses are: other letters of a domain are kept as xn--…' }
  }
  return read
}

function equal(kind: Kind, value: unknown, field: string | null): One {
  if (field === 'email' || field === 'domain') return address(value, field)
  switch (kind) {
    case 'text':
    case 'string':
      return text(value)
    case 'status': {
      const status = SUBSCRIBER_STATUSES.find((one) => one === value)
      return status ? { value: status } : { problem: `must be one of ${SUBSCRIBER_STATUSES.join(', ')}` }
    }
    case 'moment':
      return typeof value === 'string' && DAY.test(value) && isDate(value)
        ? { value }
        : { problem: 'must be a day such as 2026-11-24' }
    case 'number':
      return number(value)
    case 'boolean':
      return typeof value === 'boolean' ? { value } : { problem: 'must be true or false' }
    case 'date':
      return date(value)
    default:
      if (typeof value === 'string') return text(value)
      if (typeof value === 'boolean') return { value }
      return typeof value === 'number' ? number(value) : { problem: 'must be a string, a number, true or false' }
  }
}

function address(value: unknown, field: 'email' | 'domain'): One {
  const read = text(value)
  if ('problem' in read) return read
  const made =
    field === 'email' ? normaliseEmail(String(value)) : normaliseDomain(String(value).trim().replace(/^@/, ''))
  if ('problem' in made) return { problem: made.problem }
  return { value: 'email' in made ? made.email : made.domain }
}

function ordered(kind: Kind, value: unknown): One {
  if (kind === 'number') return number(value)
  if (kind === 'date' || kind === 'moment') return date(value)
  if (typeof value === 'number') return number(value)
  return typeof value === 'string' && isDate(value) ? { value } : { problem: `must be a number; or ${WHEN.slice(8)}` }
}

function range(kind: Kind, value: unknown): Read {
  if (!Array.isArray(value) || value.length !== 2) {
    return { path: [], problem: 'must be an array of two: the least and the most' }
  }
  const read = several(value, (one) => ordered(kind, one))
  if (!('value' in read) || !Array.isArray(read.value)) return read
  const [least = '', most = ''] = read.value
  if (typeof least !== typeof most) return { path: [1], problem: 'must be of the same kind as the first' }
  if (typeof least === 'string' && DAY.test(least) !== DAY.test(String(most))) {
    return { path: [1], problem: 'must be a day or a moment as the first is' }
  }
  return least <= most ? read : { path: [1], problem: 'must not be less than the first' }
}

const number = (value: unknown): One =>
  typeof value === 'number' && Number.isFinite(value) ? { value } : { problem: 'must be a number' }

const date = (value: unknown): One => (typeof value === 'string' && isDate(value) ? { value } : { problem: WHEN })
