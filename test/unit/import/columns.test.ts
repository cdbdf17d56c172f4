import { expect, test } from 'vitest'
import { mapColumns } from '../../../scripts/import/columns.ts'
import { delimiterOf } from '../../../scripts/import/delimiter.ts'

test('usual names are recognised, the rest are attributes', () => {
  expect(
    mapColumns(
      [' E-Mail Address', 'First Name', 'LNAME', 'opt-in time', 'Time zone', 'Größe (cm)', '2fa', '', '日本'],
      {},
    ),
  ).toEqual([
    { field: 'email' },
    { field: 'first_name' },
    { field: 'last_name' },
    { field: 'consented_at' },
    { field: 'timezone' },
    { attribute: 'gro_e_cm' },
    { attribute: 'column_2fa' },
    null,
    null,
  ])
  expect(mapColumns(['Email', 'constructor', 'Café'], {}).slice(1)).toEqual([
    { attribute: 'constructor' },
    { attribute: 'cafe' },
  ])
})

test('--map goes before names', () => {
  const map = { Kontakt: 'email', Name: 'first_name', Email: '-', Ort: 'attributes.city' }
  expect(mapColumns(['Kontakt', 'Name', 'Email', 'Ort'], map)).toEqual([
    { field: 'email' },
    { field: 'first_name' },
    null,
    { attribute: 'city' },
  ])
})

test.each([
  [['name'], {}, 'no column holds the address'],
  [['email', 'E-mail'], {}, 'both fill email'],
  [['email', 'a b', 'a-b'], {}, 'both fill attributes.a_b'],
  [['email'], { mail: 'email' }, 'does not have'],
  [['email', 'x'], { x: 'phone' }, 'must be email'],
  [['email', 'x'], { x: 'attributes.a b' }, 'must be email'],
])('%j with %j is refused', (header, map: Record<string, string>, message) => {
  expect(() => mapColumns(header, map)).toThrow(message)
})

test('a file that is no text at all does not reach the terminal', () => {
  expect(() => mapColumns(['na\u001b[31mme', '\u0007'], {})).toThrow('(columns: na?[31mme, ?)')
})

test('the delimiter is what the first line has most of, outside quotes', () => {
  expect(delimiterOf('a,b,c\n1;2;3;4;5;6')).toBe(',')
  expect(delimiterOf('\ufeffa;b;"c,d,e,f"\n')).toBe(';')
  expect(delimiterOf('a\tb\tc,d')).toBe('\t')
  expect(delimiterOf('email\n1,2')).toBe(',')
})
