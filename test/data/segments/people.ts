// People and all that filters ask about them, drawn at random; and whom a filter finds among them, reckoned without SQL.
import type { Condition, Filter, Scalar } from '../../../src/segments/filter.ts'
import { seededRandom } from '../../support/random.ts'

const DAY = 86_400_000

export interface Event {
  campaign: number
  kind: 'open' | 'click'
  link: number
  verdict: 'human' | 'unsure' | 'machine'
  /** Days before now, never a whole number of them: nothing lies on an edge. */
  days: number
}

export interface Person {
  id: number
  email: string
  first_name: string | null
  last_name: string | null
  status: string
  locale: string | null
  timezone: string | null
  created_at: number
  updated_at: number
  attributes: Record<string, unknown>
  tags: string[]
  lists: { list: number; status: 'subscribed' | 'unsubscribed'; created: number; consented: number | null }[]
  mails: { campaign: number; state: string; days: number }[]
  events: Event[]
}

/** What values are drawn from, for people and for conditions alike. */
export const POOLS = {
  first_name: ['Ada', 'ada', 'GRACE', 'Éva', 'Zoë 🎉', '100%', 'a_b', 'back\\slash', `O'Neil "x"`, ''],
  last_name: ['Reader', 'de la Cruz', 'x'],
  locale: ['en', 'en-GB', 'de', 'pt-BR'],
  timezone: ['Europe/Berlin', 'UTC'],
  status: ['active', 'unsubscribed', 'bounced', 'complained'],
  domain: ['example.com', 'mail.example.com', 'xn--bcher-kva.example'],
  tags: ['vip', 'customer', 'lead', 'zoë'],
  plan: ['Pro', 'pro', 'free', 'a"b\\c', '5', ''],
  colours: ['Red', 'red', 'blue', 'null'],
  seats: [0, 1, 2.5, -3, 5, 1e20],
} as const

/** A list, a campaign and a tag that nobody has is asked for too. */
export const LISTS = [1, 2, 3]
export const CAMPAIGNS = [1, 2, 3, 4]

const dayText = (now: number, days: number) => new Date(now - days * DAY).toISOString().slice(0, 10)

/** Days and moments around today, and some far away; today's month and day in other years. */
export function dates(now: number): string[] {
  const near = [-40, -8, -7, -1, 0, 1, 2, 7, 30, 31, 400].map((days) => dayText(now, days))
  const birthdays = [-3, -1, 0, 1].map((days) => `1990${dayText(now, days).slice(4)}`)
  return [
    ...near,
    ...birthdays,
    '1988-02-29',
    `${dayText(now, 1)}T08:30:00Z`,
    `${dayText(now, 0)}T00:00:00.000Z`,
    `${dayText(now, 0)}T23:59Z`,
    `${dayText(now, 30)}T08:30:00.123456Z`,
  ]
}
const NO_DATES = ['2026-13', '2026-11-24T', '20261124', '2026-11-24 08:30:00', 'today']

export function makePeople(size: number, now: number, seed: number): Person[] {
  const random = seededRandom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T
  const maybe = <T>(value: () => T): T | null => (random() < 0.7 ? value() : null)
  const some = <T>(from: readonly T[]): T[] => from.filter(() => random() < 0.4)
  /** Less than a year and a half; half an hour off the hour. */
  const days = () => pick([0, 1, 5, 6, 7, 29, 30, 89, 90, 91, 400]) + 0.02 + below(23) / 24
  return Array.from({ length: size }, (_, i) => {
    const attributes: Record<string, unknown> = {}
    const put = (name: string, value: () => unknown) => {
      if (random() < 0.8) attributes[name] = value()
    }
    put('plan', () => pick<unknown>([...POOLS.plan, 5, true, ['pro'], {}]))
    put('seats', () => pick<unknown>([...POOLS.seats, ...POOLS.seats, '5', false]))
    put('born', () => pick<unknown>([...dates(now), ...dates(now), ...NO_DATES, 19_900_101]))
    put('member', () => pick<unknown>([true, false, 'true', 1]))
    put('colours', () => pick<unknown>([some(POOLS.colours), some(POOLS.colours), [], [5, 'RED', null], 'red', {}]))
    const mails = some(CAMPAIGNS).map((campaign) => ({
      campaign,
      state: pick(['sent', 'sent', 'sent', 'failed', 'pending']),
      days: days() + campaign / 1000,
    }))
    return {
      id: i + 1,
      email: `${pick(['p', 'P', 'a_b'])}${i + 1}@${pick(POOLS.domain)}`,
      first_name: maybe(() => pick(POOLS.first_name)),
      last_name: maybe(() => pick(POOLS.last_name)),
      status: pick(POOLS.status),
      locale: maybe(() => pick(POOLS.locale)),
      timezone: maybe(() => pick(POOLS.timezone)),
      created_at: now - days() * DAY,
      updated_at: now - days() * DAY,
      attributes,
      tags: some(POOLS.tags).sort(),
      lists: some(LISTS).map((list) => ({
        list,
        status: pick(['subscribed', 'subscribed', 'unsubscribed']),
        created: days(),
        consented: maybe(days),
      })),
      mails,
      events: mails.flatMap(({ campaign }) =>
        Array.from({ length: below(4) }, () => ({
          campaign,
          kind: pick(['open', 'open', 'click'] as const),
          link: 1 + below(2),
          verdict: pick(['human', 'unsure', 'machine', 'machine'] as const),
          days: days(),
        })),
      ),
    }
  })
}

export function isIn(person: Person, filter: Filter, now: number): boolean {
  if ('and' in filter) return filter.and.every((one) => isIn(person, one, now))
  if ('or' in filter) return filter.or.some((one) => isIn(person, one, now))
  if ('not' in filter) return !isIn(person, filter.not, now)
  return holds(person, filter, now)
}

const OPPOSITES: Record<string, string> = {
  ne: 'eq',
  not_in: 'in',
  none: 'any',
  not_exists: 'exists',
  not_in_last_days: 'in_last_days',
}

function holds(person: Person, condition: Condition, now: number): boolean {
  const { op } = condition
  if ('field' in condition) {
    const opposite = OPPOSITES[op]
    if (opposite) return !holds(person, { ...condition, op: opposite } as Condition, now)
    const { field, value } = condition
    const own = field === 'domain' ? (person.email.split('@')[1] ?? '') : person[field]
    return typeof own === 'number' ? momentHolds(own, op, [value].flat(), now) : textHolds(own, op, [value].flat())
  }
  if ('attribute' in condition) {
    const opposite = OPPOSITES[op]
    if (opposite) return !holds(person, { ...condition, op: opposite } as Condition, now)
    return attributeHolds(person.attributes[condition.attribute], op, [condition.value ?? []].flat(), now)
  }
  if ('tags' in condition) {
    const has = (tag: string) => person.tags.includes(tag)
    if (op === 'all') return condition.tags.every(has)
    return condition.tags.some(has) === (op === 'any')
  }
  if ('list' in condition) {
    const standing = person.lists.find(({ list }) => list === condition.list)
    if (op === 'ever' || op === 'never') return (standing !== undefined) === (op === 'ever')
    if (op !== 'joined_in_last_days') return standing?.status === op
    if (standing?.status !== 'subscribed') return false
    return Math.min(standing.created, standing.consented ?? standing.created) <= (condition.value ?? 0)
  }
  const did = (what: string, { kind, verdict }: Event) =>
    verdict !== 'machine' && (what === 'opened' || kind === 'click')
  if ('campaign' in condition) {
    const of = person.events.filter(({ campaign }) => campaign === condition.campaign)
    const sent = person.mails.some(({ campaign, state }) => campaign === condition.campaign && state === 'sent')
    if (op === 'sent') return sent
    if (condition.link !== undefined) return of.some((event) => did('clicked', event) && event.link === condition.link)
    const what = op.replace('not_', '')
    const yes = of.some((event) => did(what, event))
    return op.startsWith('not_') ? sent && !yes : yes
  }
  if (op === 'none_of_last_mails') {
    const mails = person.mails.filter(({ state }) => state === 'sent').sort((a, b) => a.days - b.days)
    const last = mails.slice(0, condition.value)
    const opened = ({ campaign }: { campaign: number }) =>
      person.events.some((event) => event.campaign === campaign && did(condition.engagement, event))
    return last.length === condition.value && !last.some(opened)
  }
  const ages =
    condition.engagement === 'sent'
      ? person.mails.filter(({ state }) => state === 'sent').map(({ days }) => days)
      : person.events.filter((event) => did(condition.engagement, event)).map(({ days }) => days)
  const ever = op === 'ever' || op === 'never'
  const found = ages.some((days) => ever || days <= (condition.value ?? 0))
  return found === (op === 'ever' || op === 'in_last_days')
}

function textHolds(own: string | null, op: string, values: unknown[]): boolean {
  if (own === null) return false
  const text = own.toLowerCase()
  const [value = ''] = values.map((one) => String(one).toLowerCase())
  switch (op) {
    case 'exists':
      return text !== ''
    case 'contains':
      return text.includes(value)
    case 'starts_with':
      return text.startsWith(value)
    case 'ends_with':
      return text.endsWith(value)
    default:
      return values.some((one) => String(one).toLowerCase() === text)
  }
}

/** From the first millisecond of a day or moment up to where it ends. */
function spanOf(date: string): [number, number] {
  const begin = Date.parse(date.length === 10 ? `${date}T00:00:00Z` : date)
  return [begin, date.length === 10 ? begin + DAY : begin]
}

function momentHolds(own: number, op: string, values: unknown[], now: number): boolean {
  const [value, last] = values
  if (op === 'in_last_days') return own >= now - Number(value) * DAY
  if (op === 'before_days') return own < now - Number(value) * DAY
  const [begin, end] = spanOf(String(value))
  switch (op) {
    case 'eq':
      return own >= begin && own < end
    case 'between':
      return momentHolds(own, 'gte', [value], now) && momentHolds(own, 'lte', [last], now)
    case 'gt':
      return begin === end ? own > begin : own >= end
    case 'gte':
      return own >= begin
    case 'lt':
      return own < begin
    default:
      return begin === end ? own <= begin : own < end
  }
}

const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)?$/

function attributeHolds(own: unknown, op: string, values: Scalar[], now: number): boolean {
  const [value, last] = values
  switch (op) {
    case 'exists':
      if (own === undefined || own === null || own === '') return false
      return typeof own !== 'object' || Object.keys(own).length > 0
    case 'eq':
    case 'in':
      return values.some((one) => same(own, one))
    case 'contains':
    case 'starts_with':
    case 'ends_with':
      return typeof own === 'string' && textHolds(own, op, values)
    case 'any':
    case 'all': {
      if (!Array.isArray(own)) return false
      const texts = own.filter((one) => typeof one === 'string').map((one) => one.toLowerCase())
      const has = (one: Scalar) => texts.includes(String(one).toLowerCase())
      return op === 'any' ? values.some(has) : values.every(has)
    }
    case 'between':
      return attributeHolds(own, 'gte', [value ?? ''], now) && attributeHolds(own, 'lte', [last ?? ''], now)
  }
  if (typeof value === 'number' && typeof own === 'number' && !/days$/.test(op)) {
    return { gt: own > value, gte: own >= value, lt: own < value, lte: own <= value }[op] ?? false
  }
  if (typeof own !== 'string' || !DATE.test(own)) return false
  if (/days$/.test(op)) return dayHolds(own.slice(0, 10), op, Number(value), now)
  if (typeof value !== 'string') return false
  // Against a day, a moment counts as its day; against a moment, a day counts as its beginning. To the microsecond.
  const [a, b] = value.length === 10 ? [own.slice(0, 10), value] : [micros(own), micros(value)]
  return { gt: a > b, gte: a >= b, lt: a < b, lte: a <= b }[op] ?? false
}

function same(own: unknown, value: Scalar): boolean {
  if (typeof value !== 'string') return own === value
  if (typeof own !== 'string') return false
  if (own.toLowerCase() === value.toLowerCase()) return true
  if (!DATE.test(own) || !DATE.test(value)) return false
  return value.length === 10 ? own.slice(0, 10) === value : micros(own) === micros(value)
}

/** Microseconds since 1970. */
function micros(date: string): bigint {
  const [whole = '', fraction = ''] = date.replace('Z', '').split('.')
  const seconds = BigInt(Date.parse(whole.length === 10 ? `${whole}T00:00:00Z` : `${whole}Z`)) / 1000n
  return seconds * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}

function dayHolds(day: string, op: string, days: number, now: number): boolean {
  const today = Math.floor(now / DAY)
  if (op === 'anniversary_in_next_days') {
    for (let ahead = 0; ahead <= days; ahead++) {
      const date = new Date((today + ahead) * DAY).toISOString()
      const year = Number(date.slice(0, 4))
      const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
      const own = day.slice(5) === '02-29' && !leap ? '02-28' : day.slice(5)
      if (date.slice(5, 10) === own) return true
    }
    return false
  }
  const ago = today - Date.parse(`${day}T00:00:00Z`) / DAY
  if (op === 'in_last_days') return ago >= 0 && ago <= days
  if (op === 'before_days') return ago > days
  return ago <= 0 && ago >= -days
}
