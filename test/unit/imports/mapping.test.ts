import { expect, test } from 'vitest'
import type { AttributeType } from '../../../src/attributes/type.ts'
import { formatOf } from '../../../src/imports/formats.ts'
import { describeColumns, MappingProblem, mapColumns } from '../../../src/imports/mapping.ts'

const map = (
  header: string[],
  mapping: Record<string, string> = {},
  { types = {}, kind = 'subscribers' as const, file_name = null as string | null } = {},
) => {
  const state = { encoding: 'utf-8' as const, delimiter: ',' as const, format: formatOf(header), header }
  return mapColumns(state, mapping, new Map(Object.entries<AttributeType>(types)), kind, file_name)
}
const fields = (...parameters: Parameters<typeof map>) => describeColumns(map(...parameters)).map(({ field }) => field)

test('usual names are recognised, in several languages; the rest are attributes', () => {
  expect(
    fields(['E-Mail Address', 'First Name', 'LNAME', 'opt-in time', 'Time zone', 'Größe (cm)', '2fa', '', '日本']),
  ).toEqual([
    'email',
    'first_name',
    'last_name',
    'consented_at',
    'timezone',
    'attributes.gro_e_cm',
    'attributes.column_2fa',
    null,
    null,
  ])
  expect(fields(['E-Mail-Adresse', 'Vorname', 'Nachname', 'Sprache'])).toEqual([
    'email',
    'first_name',
    'last_name',
    'locale',
  ])
  expect(fields(['Courriel', 'Prénom', 'Nom', 'Café'])).toEqual(['email', 'first_name', 'last_name', 'attributes.cafe'])
  expect(fields(['メールアドレス', '姓', '名'])).toEqual(['email', 'last_name', 'first_name'])
  expect(fields(['Email', 'constructor', '__proto__'])).toEqual(['email', 'attributes.constructor', 'attributes.proto'])
})

test('columns that are called like what every object has are columns like others', () => {
  const header = ['Email Address', 'LEID', 'EUID', 'constructor', 'toString', '__proto__', 'hasOwnProperty']
  expect(fields(header)).toEqual([
    'email',
    null,
    null,
    'attributes.constructor',
    'attributes.tostring',
    'attributes.proto',
    'attributes.hasownproperty',
  ])
  expect(fields(['email', '__proto__'], { ['__proto__']: 'tags' })).toEqual(['email', 'tags'])
})

test('a mapping goes before names; a column may be called by its number', () => {
  const mapping = { Kontakt: 'email', Name: 'first_name', Email: '-', Ort: 'attributes.city', '#5': 'tags', '#6': '-' }
  expect(fields(['Kontakt', 'Name', 'Email', 'Ort', '', 'Ort'], { ...mapping, Ort: 'attributes.city' })).toEqual([
    'email',
    'first_name',
    null,
    'attributes.city',
    'tags',
    null,
  ])
})

test('declared attributes are found by their own name, and have their type', () => {
  const { targets } = map(
    ['email', 'FirstOrder', 'attributes.Seats', 'plan'],
    {},
    { types: { firstOrder: 'date', Seats: 'number' } },
  )
  expect(targets).toEqual([
    { field: 'email' },
    { attribute: 'firstOrder', type: 'date' },
    { attribute: 'Seats', type: 'number' },
    { attribute: 'plan', type: null },
  ])
})

test.each<[string[], Record<string, string>, string, string | null]>([
  [['name'], {}, 'No column holds the address', null],
  [['email', 'E-mail'], {}, 'Columns "email" (#1) and "E-mail" (#2) both fill email', 'E-mail'],
  [['email', 'x', 'x'], {}, 'Columns "x" (#2) and "x" (#3) both fill attributes.x', 'x'],
  [['email', 'a b', 'a-b'], {}, 'both fill attributes.a_b', 'a-b'],
  [['email', 'x', 'x'], { x: 'first_name' }, 'both fill first_name', 'x'],
  [['email'], { mail: 'email' }, 'no column "mail"; it has email', 'mail'],
  [['email'], { '#2': 'tags' }, 'no column "#2"', '#2'],
  [['email', 'x'], { x: 'phone' }, 'Column "x" cannot be "phone", only email', 'x'],
  [['email', 'x'], { x: 'attributes.a b' }, 'cannot be "attributes.a b"', 'x'],
  [['email', 'x'], { x: 'attributes.__proto__' }, 'cannot be', 'x'],
  [['na\u001b[31mme', '\u0007'], {}, 'there are na?[31mme, ?', null],
])('%j with %j is refused', (header, mapping, message, column) => {
  expect(() => map(header, mapping)).toThrow(MappingProblem)
  expect(() => map(header, mapping)).toThrow(message)
  expect(() => map(header, mapping)).toThrow(expect.objectContaining({ column }))
})

test('suppressions', () => {
  const kind = 'suppressions' as never
  expect(fields(['kind', 'value', 'Reason', 'other'], {}, { kind })).toEqual(['kind', 'value', 'reason', null])
  expect(fields(['Mail', 'x'], { x: 'domain' }, { kind })).toEqual(['email', 'domain'])
  expect(() => map(['value'], {}, { kind })).toThrow('No column is an email, a domain, a hash')
  expect(() => map(['email', 'x'], { x: 'first_name' }, { kind })).toThrow('only email, domain, hash')
})
