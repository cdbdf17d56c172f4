// From a file's header line to what each column means.

const FIELDS = [
  'email',
  'first_name',
  'last_name',
  'status',
  'consented_at',
  'consent_source',
  'timezone',
  'locale',
] as const
export type Field = (typeof FIELDS)[number]

/** What a column fills: a field of the subscriber, an attribute, or nothing. */
export type Target = { field: Field } | { attribute: string } | null

/** Usual names of columns, in lower case without anything but letters and digits. */
const ALIASES: Record<string, Field> = {
  email: 'email',
  emailaddress: 'email',
  mail: 'email',
  firstname: 'first_name',
  fname: 'first_name',
  givenname: 'first_name',
  lastname: 'last_name',
  lname: 'last_name',
  surname: 'last_name',
  familyname: 'last_name',
  status: 'status',
  subscriptionstatus: 'status',
  consentedat: 'consented_at',
  consentdate: 'consented_at',
  optinat: 'consented_at',
  optintime: 'consented_at',
  optindate: 'consented_at',
  consentsource: 'consent_source',
  optinsource: 'consent_source',
  timezone: 'timezone',
  locale: 'locale',
  language: 'locale',
}

/** The file, or what it was asked to be read as, cannot be imported at all. */
export class ImportError extends Error {
  override name = 'ImportError'
}

/**
 * @param overrides - from a column's name to a field, `attributes.<key>`, or `-` to leave it out
 * @throws {ImportError} when no column holds the address, two columns fill the same place, or an override fits nothing
 */
export function mapColumns(header: readonly string[], overrides: Readonly<Record<string, string>>): Target[] {
  const names = header.map((name) => name.trim())
  for (const column of Object.keys(overrides)) {
    if (!names.includes(column)) throw new ImportError(`--map names a column "${column}" that the file does not have`)
  }
  const targets = names.map((name) => {
    const override = Object.hasOwn(overrides, name) ? overrides[name] : undefined
    return override === undefined ? usual(name) : chosen(name, override)
  })
  const taken = new Map<string, string>()
  targets.forEach((target, i) => {
    if (!target) return
    const place = 'field' in target ? target.field : `attributes.${target.attribute}`
    const other = taken.get(place)
    if (other !== undefined) {
      throw new ImportError(
        `columns "${other}" and "${names[i]}" both fill ${place}: use --map "${names[i]}=-" or another name`,
      )
    }
    taken.set(place, names[i] ?? '')
  })
  if (!taken.has('email')) {
    throw new ImportError(
      `no column holds the address (columns: ${printable(names.join(', '))}): use --map "COLUMN=email"`,
    )
  }
  return targets
}

/** Of a file that may be anything: what cannot upset a terminal. */
const printable = (text: string) => text.slice(0, 300).replace(/[\p{Cc}\p{Cf}]/gu, '?')

function usual(name: string): Target {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
  const field = Object.hasOwn(ALIASES, plain) ? ALIASES[plain] : undefined
  if (field) return { field }
  const attribute = attributeKey(name)
  return attribute ? { attribute } : null
}

function chosen(column: string, override: string): Target {
  if (override === '-') return null
  const field = FIELDS.find((name) => name === override)
  if (field) return { field }
  const key = /^attributes\.([A-Za-z][A-Za-z0-9_]{0,63})$/.exec(override)?.[1]
  if (key) return { attribute: key }
  throw new ImportError(`--map "${column}=${override}": must be ${FIELDS.join(', ')}, attributes.<key> or -`)
}

/** A name that templates can use: `Favourite colour` is `favourite_colour`. Null when nothing of it is left. */
function attributeKey(name: string): string | null {
  const key = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  if (key === '') return null
  return (/^[a-z]/.test(key) ? key : `column_${key}`).slice(0, 64)
}
