// From one record of a file to one row that is written: checked and normalised as the API's schemas do, without building
// what they need for messages about nested fields: a file has a million of them.
import { unguardFormula } from '../http/csv.ts'
import { attributesProblem } from '../subscribers/attributes.ts'
import { detached } from '../subscribers/detached.ts'
import { normaliseEmail } from '../subscribers/email.ts'
import { canonicalLocale, isTimezone } from '../subscribers/place.ts'
import { ATTRIBUTE_KEYS_LIMIT, ATTRIBUTES_LIMIT, type SubscriberRow } from '../subscribers/row.ts'
import { SUBSCRIBER_STATUSES, type SubscriberStatus } from '../subscribers/status.ts'
import { normaliseTag } from '../subscribers/tags.ts'
import { booleanOf, isoTime, jsonOf, listOf, quoted, typedValue, untypedValue } from './cell.ts'
import { type SubscriberField, statusOf } from './fields.ts'
import { attributeKey, type Columns } from './mapping.ts'

export interface RowOptions {
  /** Lists everyone in the file is subscribed to. */
  list_ids: readonly number[]
  /** Normalised; everyone in the file is given them. */
  tags: readonly string[]
  /** How these people agreed, for rows that do not say. */
  consent_source: string | null
  file_name: string | null
}

export type Problem = { problem: string }
type Texts = Partial<Record<SubscriberField | 'opted_in_at' | 'list_status', string>>

/** Lists of one row, as in the API. */
const LISTS_LIMIT = 100
const LINE_LIMIT = 200
/** Of a whole name: a first and a last one, and what is between them. */
const NAME_LIMIT = 2 * LINE_LIMIT + 10
const CONTROL = /\p{Cc}/u
/**
 * Texts of so few characters fit into the limit of an attribute's bytes whatever they are: three bytes for each, and at most
 * 70 for each of a hundred keys.
 */
const PLAIN_LIMIT = (ATTRIBUTES_LIMIT - 70 * ATTRIBUTE_KEYS_LIMIT) / 3
const FORBIDDEN_IN_LINE = /[\p{Cc}\u2028\u2029]/u

/**
 * Empty cells say nothing: what is stored stays. A row with anything that cannot be understood is refused as a whole.
 *
 * @returns the row, or why it is refused, beginning with the field
 */
export function toRow(
  columns: Columns,
  cells: readonly string[],
  options: RowOptions,
): { row: SubscriberRow & { email: string } } | Problem {
  const { targets } = columns
  const is_guarded = columns.format === 'kit'
  const texts: Texts = {}
  let attributes: Record<string, unknown> | undefined
  /** Whether each attribute is surely fine, and characters of their cells. */
  let are_plain = true
  let length = 0
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]
    if (!target) continue
    let cell = (cells[i] as string).trim()
    if (cell === '') continue
    if (is_guarded) cell = unguardFormula(cell)
    if ('field' in target) texts[target.field as SubscriberField] = cell
    else {
      attributes ??= {}
      length += cell.length
      if (target.type === null) {
        const value = untypedValue(cell)
        are_plain &&= isPlain(value)
        attributes[target.attribute] = value
      } else {
        const result = typedValue(cell, target.type)
        if ('problem' in result) return { problem: `attributes.${target.attribute} ${result.problem}` }
        are_plain &&= isPlain(result.value)
        attributes[target.attribute] = result.value
      }
    }
  }

  if (texts.email === undefined) return { problem: 'email is empty' }
  const address = normaliseEmail(texts.email)
  if ('problem' in address) return { problem: `email ${address.problem}` }
  const row: SubscriberRow & { email: string } = { email: address.email }

  const problem =
    readNames(row, texts) ??
    readStatus(row, texts, columns.standing) ??
    readPlace(row, texts) ??
    readConsent(row, texts, options) ??
    readTags(row, texts.tags, options.tags) ??
    readLists(row, texts, options.list_ids)
  if (problem !== null) return { problem }

  if (texts.attributes !== undefined) {
    const more = spread(texts.attributes, columns)
    if ('problem' in more) return more
    attributes = { ...more.attributes, ...attributes }
    are_plain = false
  }
  if (attributes !== undefined) {
    if (!are_plain || length > PLAIN_LIMIT || targets.length > ATTRIBUTE_KEYS_LIMIT) {
      const found = attributesProblem(attributes)
      // A key may be half a character, and this is stored.
      if (found) return { problem: `${['attributes', ...found.path].join('.').toWellFormed()} ${found.problem}` }
      if (!isWellFormed(attributes)) return { problem: 'attributes hold text that cannot be stored' }
    }
    row.attributes = attributes
  }
  return { row }
}

/** What needs no closer look: numbers, booleans, texts without any control character, and lists of such texts. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return !CONTROL.test(value)
  if (typeof value !== 'object') return true
  return (
    Array.isArray(value) && value.every((one) => typeof one === 'string' && !CONTROL.test(one) && one.isWellFormed())
  )
}

function readNames(row: SubscriberRow, { name, first_name, last_name }: Texts): string | null {
  // Before it is taken apart, which takes time by the square of its length.
  if (name !== undefined && name.length > NAME_LIMIT) return `name is longer than ${NAME_LIMIT} characters`
  if (name !== undefined && last_name === undefined) {
    if (first_name === undefined) [first_name, last_name] = splitName(name)
    else last_name = nameWithout(first_name, name)
  }
  if (first_name !== undefined) {
    if (!isLine(first_name)) return `first_name ${lineProblem(first_name)}`
    row.first_name = first_name
  }
  if (last_name !== undefined) {
    if (!isLine(last_name)) return `last_name ${lineProblem(last_name)}`
    row.last_name = last_name
  }
  return null
}

/** Words before a last name that belong to it. */
const PARTICLE = /^(?:al|bin|da|das|de|del|della|den|der|di|do|dos|du|el|ibn|la|le|ten|ter|van|vom|von|y|zu|zum|zur)$/i

/** `Ada Lovelace`, `Lovelace, Ada`, `Ludwig van Beethoven`; a single word is a first name. */
export function splitName(name: string): [first_name: string, last_name: string | undefined] {
  const comma = /^([^,]+),\s*([^,]+)$/.exec(name)
  if (comma?.[1] && comma[2]) return [comma[2].trim(), comma[1].trim()]
  const words = name.split(/\s+/)
  let at = Math.max(words.length - 1, 1)
  while (at > 1 && PARTICLE.test(words[at - 1] ?? '')) at--
  return [words.slice(0, at).join(' '), words.length > 1 ? words.slice(at).join(' ') : undefined]
}

/** Beside a first name, `name` is the whole name, or in some languages the last name alone. */
function nameWithout(first_name: string, name: string): string | undefined {
  if (name.startsWith(`${first_name} `)) return name.slice(first_name.length).trim()
  if (name.endsWith(`, ${first_name}`)) return name.slice(0, -first_name.length - 2)
  return name === first_name ? undefined : name
}

export const isLine = (text: string) => text.length <= LINE_LIMIT && !FORBIDDEN_IN_LINE.test(text)
export const lineProblem = (text: string) =>
  text.length > LINE_LIMIT ? `is longer than ${LINE_LIMIT} characters` : 'must be one line, without control characters'

/** The worst of what the status, the columns that say one thing only, and the file as a whole say. */
function readStatus(row: SubscriberRow, texts: Texts, standing: SubscriberStatus | null): string | null {
  let status = standing ?? undefined
  if (texts.status !== undefined) {
    const said = statusOf(texts.status)
    if (said === undefined) return `status ${quoted(texts.status)} is not known`
    if (said === null) return `status is ${quoted(texts.status)}: this person has not agreed to be mailed`
    status = worse(status, said)
  }
  if (says(texts.unsubscribed)) status = worse(status, 'unsubscribed')
  if (says(texts.bounced)) status = worse(status, 'bounced')
  if (says(texts.complained)) status = worse(status, 'complained')
  if (status !== undefined) row.status = status
  return null
}

/** Whoever has a time, a campaign or anything else there left at it. */
const says = (text: string | undefined) => text !== undefined && booleanOf(text) !== false

const worse = (one: SubscriberStatus | undefined, other: SubscriberStatus): SubscriberStatus =>
  one !== undefined && SUBSCRIBER_STATUSES.indexOf(one) > SUBSCRIBER_STATUSES.indexOf(other) ? one : other

function readPlace(row: SubscriberRow, { timezone, locale }: Texts): string | null {
  if (timezone !== undefined) {
    if (!isTimezone(timezone)) return `timezone must be a time zone such as Europe/Berlin, not ${quoted(timezone)}`
    row.timezone = timezone
  }
  if (locale !== undefined) {
    const canonical = localeOf(locale)
    if (canonical === null) return `locale must be a language tag such as en or pt-BR, not ${quoted(locale)}`
    row.locale = canonical
  }
  return null
}

/** A file asks for the same few languages a million times. */
const locales = new Map<string, string | null>()
const LOCALES_LIMIT = 2_000

function localeOf(text: string): string | null {
  // Nothing longer is one, and it is not to be remembered.
  if (text.length > LINE_LIMIT) return null
  let canonical = locales.get(text)
  if (canonical === undefined) {
    canonical = canonicalLocale(text.replaceAll('_', '-'))
    if (locales.size >= LOCALES_LIMIT) locales.clear()
    locales.set(detached(text), canonical)
  }
  return canonical
}

function readConsent(row: SubscriberRow, texts: Texts, { consent_source, file_name }: RowOptions): string | null {
  const text = texts.consented_at ?? texts.opted_in_at
  if (text !== undefined) {
    const time = isoTime(text)
    if (time === null)
      return `consented_at must be a time such as 2026-11-24 or 2026-11-24T08:30:00Z, not ${quoted(text)}`
    if (time < '1970') return 'consented_at must not be before 1970'
    row.consented_at = time
  }
  if (texts.consent_source !== undefined && !isLine(texts.consent_source)) {
    return `consent_source ${lineProblem(texts.consent_source)}`
  }
  const source = texts.consent_source ?? consent_source
  if (source !== null) row.consent_source = source
  else if (row.consented_at !== undefined) row.consent_source = sourceOf(file_name)
  return null
}

/** What a row came from, where nobody said more. */
export const sourceOf = (file_name: string | null) =>
  `import of ${file_name ?? 'a file'}`.slice(0, LINE_LIMIT).toWellFormed()

function readTags(row: SubscriberRow, text: string | undefined, given: readonly string[]): string | null {
  if (text === undefined) {
    if (given.length > 0) row.add_tags = given as string[]
    return null
  }
  const tags = new Set(given)
  const list = listOf(text)
  if (list === null) return `tags must be a JSON array of texts, or a;b, not ${quoted(text)}`
  for (const one of list) {
    const result = normaliseTag(one)
    if ('problem' in result) return `tags ${result.problem}`
    tags.add(result.tag)
  }
  if (tags.size > 0) row.add_tags = [...tags]
  return null
}

function readLists(row: SubscriberRow, { list_ids, list_status }: Texts, given: readonly number[]): string | null {
  // Who left the list that was exported stays off.
  const everyone = list_status === 'unsubscribed' ? [] : given
  if (list_ids === undefined) {
    if (everyone.length > 0) row.list_ids = everyone as number[]
    return null
  }
  const ids = new Set(everyone)
  for (const one of exportedLists(list_ids) ?? listOf(list_ids) ?? [list_ids]) {
    const id = /^\d{1,15}$/.test(one) ? Number(one) : 0
    if (id < 1) return `list_ids must be ids of lists, such as 3;7, not ${quoted(list_ids)}`
    ids.add(id)
  }
  if (ids.size > LISTS_LIMIT) return `list_ids must be at most ${LISTS_LIMIT}`
  if (ids.size > 0) row.list_ids = [...ids]
  return null
}

/** The lists that somebody is on, of the column `lists` of our own export. */
function exportedLists(text: string): string[] | null {
  const lists = text.startsWith('[{') ? jsonOf(text) : null
  if (!Array.isArray(lists)) return null
  return lists.flatMap((list) => (list?.status === 'subscribed' ? [String(list.list_id)] : []))
}

/** A column that holds all attributes as JSON, as in our exports and listmonk's. */
function spread(text: string, { types }: Columns): { attributes: Record<string, unknown> } | Problem {
  const object = jsonOf(text)
  if (object === null || Array.isArray(object))
    return { problem: `attributes must be a JSON object, not ${quoted(text)}` }
  const attributes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(object)) {
    if (value === null) continue
    const key = /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) ? name : attributeKey(name)
    if (key === null) continue
    const type = types.get(key)
    // A text may spell a value of the type that is declared, and a number a text; everything else is what it is.
    if (type === 'string' && typeof value === 'number') attributes[key] = String(value)
    else if (type !== undefined && type !== 'string' && typeof value === 'string') {
      const result = typedValue(value.trim(), type)
      if ('problem' in result) return { problem: `attributes.${key} ${result.problem}` }
      attributes[key] = result.value
    } else attributes[key] = value
  }
  return { attributes }
}

/** Only what came out of JSON can hold half a character: `"\ud800"`. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner))
}
