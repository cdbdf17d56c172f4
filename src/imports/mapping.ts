// From a file's header to what each column means.
import type { AttributeType } from '../attributes/type.ts'
import type { SubscriberStatus } from '../subscribers/status.ts'
import {
  SUBSCRIBER_FIELDS,
  SUPPRESSION_FIELDS,
  type SubscriberField,
  type SuppressionField,
  usualField,
} from './fields.ts'
import { FORMATS, holdsRefusals, REFUSAL_COLUMNS, type Standing, standingOf } from './formats.ts'
import type { ColumnDescription, ExportFormat, ReadState } from './state.ts'
import type { ImportKind } from './status.ts'

/**
 * What a column fills. `opted_in_at` counts where no later confirmation is known; `list_status` is our own export's. An
 * attribute without a type takes what each cell looks like.
 */
export type Target =
  | { field: SubscriberField | SuppressionField | 'opted_in_at' | 'list_status' }
  | { attribute: string; type: AttributeType | null }
  | null

export interface Columns {
  kind: ImportKind
  format: ExportFormat
  /** As the header spells them. */
  names: string[]
  targets: Target[]
  /** The types of all attributes that are declared: a column of JSON may hold any of them. */
  types: ReadonlyMap<string, AttributeType>
  /** What everyone in the file is at best. */
  standing: SubscriberStatus | null
}

/** The columns cannot be understood. The message names the column and says what to do. */
export class MappingProblem extends Error {
  override name = 'MappingProblem'
  /** Null when none of them is at fault. */
  readonly column: string | null
  constructor(column: string | null, message: string) {
    super(message)
    this.column = column
  }
}

const ATTRIBUTE = /^attributes\.([A-Za-z][A-Za-z0-9_]{0,63})$/
/** A column by its number, from 1: for names that are empty or given twice. */
const NUMBER = /^#([1-9]\d{0,3})$/

/**
 * @param mapping - from a column's name (or `#` and its number, from 1) to a field, `attributes.<name>`, or `-` to leave it
 *   out; it goes before what the column's name says
 * @param types - the attributes whose type is declared
 * @param file_name - of a recognised export it tells what people in it are
 * @throws {MappingProblem} when no column holds the address, two columns fill the same place, or the mapping fits nothing
 */
export function mapColumns(
  state: ReadState,
  mapping: Readonly<Record<string, string>>,
  types: ReadonlyMap<string, AttributeType>,
  kind: ImportKind,
  file_name: string | null = null,
): Columns {
  const { format, header: names } = state
  const chosen = readMapping(names, mapping)
  const own = holdsRefusals(names) ? REFUSAL_COLUMNS.length : 0
  const targets = names.map((name, i) => {
    const choice = chosen.get(i)
    if (choice !== undefined) return target(name, choice, types, kind)
    if (i < own) return null
    const known = format === 'generic' ? undefined : FORMATS[format].columns.get(name.toLowerCase())
    // What is known of an export's columns is about subscribers.
    if (kind === 'suppressions' && known !== undefined && format !== 'kit') return null
    const usual = (kind === 'suppressions' ? undefined : known) ?? usualField(kind, name)
    if (usual !== undefined) return target(name, usual, types, kind)
    if (kind === 'suppressions') return null
    const attribute = attributeOf(name, types)
    return attribute === null ? null : { attribute, type: typeOf(attribute, types) }
  })
  refuseTwice(names, targets)
  const columns: Columns = { kind, format, names, targets, types, standing: null }
  refuseWithoutAddress(columns)
  columns.standing = standing(columns, chosen, standingOf(format, names, file_name))
  return columns
}

/** For the answer: what each column was taken for. */
export const describeColumns = ({ names, targets }: Columns): ColumnDescription[] =>
  names.map((column, i) => ({ column, field: place(targets[i] ?? null) }))

/** Where a target's cells go, as the caller would name it. */
function place(to: Target): string | null {
  if (!to) return null
  if ('attribute' in to) return `attributes.${to.attribute}`
  return to.field === 'opted_in_at' ? 'consented_at' : to.field
}

function readMapping(names: readonly string[], mapping: Readonly<Record<string, string>>): Map<number, string> {
  const chosen = new Map<number, string>()
  for (const [column, field] of Object.entries(mapping)) {
    const number = Number(NUMBER.exec(column)?.[1] ?? 0)
    const found = names.flatMap((name, i) => (name === column.trim() || i === number - 1 ? [i] : []))
    if (found.length === 0) {
      throw new MappingProblem(column, `The file has no column ${quote(column)}; it has ${listed(names)}`)
    }
    for (const i of found) chosen.set(i, field.trim())
  }
  return chosen
}

function target(column: string, field: string, types: ReadonlyMap<string, AttributeType>, kind: ImportKind): Target {
  if (field === '-') return null
  if (kind === 'suppressions') {
    const known = SUPPRESSION_FIELDS.find((name) => name === field)
    if (known) return { field: known }
    throw new MappingProblem(
      column,
      `Column ${quote(column)} cannot be ${quote(field)}, only ${SUPPRESSION_FIELDS.join(', ')} or -`,
    )
  }
  if (field === 'opted_in_at' || field === 'list_status') return { field }
  const known = SUBSCRIBER_FIELDS.find((name) => name === field)
  if (known) return { field: known }
  const attribute = ATTRIBUTE.exec(field)?.[1]
  if (attribute !== undefined) return { attribute, type: typeOf(attribute, types) }
  const fields = [...SUBSCRIBER_FIELDS, 'attributes.<name>'].join(', ')
  throw new MappingProblem(column, `Column ${quote(column)} cannot be ${quote(field)}, only ${fields} or -`)
}

/** Numbers in these name something and count nothing: `0043` and `33611111111` stay as they are written. */
const NAMING =
  /(?:^|_)(?:phone|mobile|cell|tel|telefon|telephone|fax|sms|whatsapp|landline|zip|plz|postcode|postal_code|id)(?:_|$)/

const typeOf = (attribute: string, types: ReadonlyMap<string, AttributeType>): AttributeType | null =>
  types.get(attribute) ?? (NAMING.test(attribute) ? 'string' : null)

/**
 * The attribute of a column nobody mapped: a declared one of that name, `attributes.<name>` as we export it, or the name
 * made a key that templates can use: `Favourite colour` is `favourite_colour`. Null when nothing of it is left.
 */
function attributeOf(name: string, types: ReadonlyMap<string, AttributeType>): string | null {
  if (types.has(name)) return name
  const exported = ATTRIBUTE.exec(name)?.[1]
  if (exported !== undefined) return exported
  const key = attributeKey(name)
  for (const declared of types.keys()) if (declared.toLowerCase() === key) return declared
  return key
}

export function attributeKey(name: string): string | null {
  const key = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  if (key === '') return null
  return (/^[a-z]/.test(key) ? key : `column_${key}`).slice(0, 64)
}

function refuseTwice(names: readonly string[], targets: readonly Target[]): void {
  const taken = new Map<string, number>()
  targets.forEach((to, i) => {
    if (!to) return
    const filled = 'field' in to ? to.field : `attributes.${to.attribute}`
    const other = taken.get(filled)
    if (other !== undefined) {
      const [first, second] = [quote(names[other] ?? ''), quote(names[i] ?? '')]
      throw new MappingProblem(
        names[i] ?? '',
        `Columns ${first} (#${other + 1}) and ${second} (#${i + 1}) both fill ${place(to)}: map one of them to something else, such as "#${i + 1}=-"`,
      )
    }
    taken.set(filled, i)
  })
}

function refuseWithoutAddress({ kind, names, targets }: Columns): void {
  const has = (field: string) => targets.some((to) => to && 'field' in to && to.field === field)
  if (kind === 'subscribers') {
    if (!has('email')) {
      throw new MappingProblem(
        null,
        `No column holds the address: map one, such as "COLUMN=email"; there are ${listed(names)}`,
      )
    }
  } else if (!has('email') && !has('domain') && !has('hash') && !(has('kind') && has('value'))) {
    throw new MappingProblem(
      null,
      `No column is an email, a domain, a hash, or a kind and value; there are ${listed(names)}`,
    )
  }
}

function standing(
  { kind, format, names }: Columns,
  chosen: ReadonlyMap<number, string>,
  found: Standing | null,
): SubscriberStatus | null {
  if (found === null) return null
  // Whoever maps the column that tells says what it means: a merge field may be called UNSUB_TIME as well.
  const is_said = (column: string) => chosen.has(names.findIndex((name) => name.toLowerCase() === column))
  if (found === 'unclear' && is_said('created')) return null
  if (found === 'unsubscribed' && format !== 'sendgrid' && is_said('unsub_time')) return null
  if (found === 'unclear') {
    throw new MappingProblem(
      'created',
      'SendGrid exports unsubscribes and spam reports with these columns. Say what the people are: keep the name of the file, or map "created=unsubscribed" or "created=complained"; "created=-" when it is an ordinary list',
    )
  }
  if (found !== 'never' && found !== 'for a time') return found
  if (kind === 'suppressions') return null
  throw new MappingProblem(
    null,
    found === 'never'
      ? 'These are the contacts of Mailchimp that never subscribed: nobody may be mailed who did not agree'
      : 'These are blocks: SendGrid goes on mailing people whom a server turned away for a time, so there is nothing to keep',
  )
}

/** Of a file that may be anything: what cannot upset a terminal or a log. */
const printable = (text: string, length: number) =>
  text
    .slice(0, length)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}]/gu, '?')
const quote = (text: string) => `"${printable(text, 60)}"`
const listed = (names: readonly string[]) => printable(names.slice(0, 50).join(', '), 300)
