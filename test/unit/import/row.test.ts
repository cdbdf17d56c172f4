import { expect, test } from 'vitest'
import { mapColumns } from '../../../scripts/import/columns.ts'
import { attributeValue, isoTime, toRow } from '../../../scripts/import/row.ts'

const settings = { list_id: 7, consent_source: undefined, file_name: 'people.csv' }
const targets = mapColumns(
  ['email', 'first_name', 'status', 'consented_at', 'consent_source', 'locale', 'plan', 'zip'],
  {},
)
const read = (cells: string[], change: Partial<typeof settings> | { consent_source: string } = {}) =>
  toRow(targets, cells, { ...settings, ...change })

test('cells become fields and attributes, empty ones nothing', () => {
  expect(read([' a@example.com ', '', '', '', '', 'pt_BR', 'pro', '01234'])).toEqual({
    row: { email: 'a@example.com', locale: 'pt-BR', list_ids: [7], attributes: { plan: 'pro', zip: '01234' } },
  })
  expect(read(['a@example.com'])).toEqual({ row: { email: 'a@example.com', list_ids: [7] } })
})

test('statuses of other systems are understood, unknown ones refused', () => {
  for (const [text, status] of [
    ['Subscribed', 'active'],
    ['UNSUBSCRIBED', 'unsubscribed'],
    ['cleaned', 'bounced'],
    ['spam', 'complained'],
  ] as const) {
    expect(read(['a@example.com', '', text])).toMatchObject({ row: { status } })
  }
  expect(read(['a@example.com', '', 'maybe'])).toEqual({ problem: 'status "maybe" is not known' })
})

test('consent says where it comes from: the row, else the option, else the file when it has a time', () => {
  const dated = ['a@example.com', '', '', '2025-01-02']
  expect(read([...dated, 'form'], { consent_source: 'shop' })).toMatchObject({ row: { consent_source: 'form' } })
  expect(read(dated, { consent_source: 'shop' })).toMatchObject({ row: { consent_source: 'shop' } })
  expect(read(dated)).toMatchObject({
    row: { consent_source: 'import of people.csv', consented_at: '2025-01-02T00:00:00.000Z' },
  })
  expect(read(['a@example.com'])).not.toHaveProperty('row.consent_source')
})

test.each([
  [['', 'Ada'], 'email is empty'],
  [['a@example.com', 'Zo\ufffd'], 'not valid UTF-8'],
  [['a@example.com', 'nul\0'], 'not valid UTF-8'],
  [['a@example.com', '', '', 'yesterday'], 'not an ISO 8601 time'],
  [['a@example.com', '', '', '', '', '', '', '', 'more'], 'has 9 columns, the header has 8'],
  [['a@example.com', '', '', '', '', '', '["\\u0000"]'], 'cannot be stored'],
  [['a@example.com', '', '', '', '', '', '["\\ud800"]'], 'cannot be stored'],
])('%j is refused', (cells, problem) => {
  const result = read(cells)
  expect('problem' in result && result.problem).toContain(problem)
})

test('attributes are typed only where nothing is lost', () => {
  for (const [cell, value] of [
    ['true', true],
    ['false', false],
    ['True', 'True'],
    ['0', 0],
    ['-12.5', -12.5],
    ['007', '007'],
    ['1.50', '1.50'],
    ['1e5', '1e5'],
    ['+49301234', '+49301234'],
    ['4111111111111111', '4111111111111111'],
    ['-0', '-0'],
    ['["a",{"b":1}]', ['a', { b: 1 }]],
    ['[not json', '[not json'],
    ['two\r\nlines', 'two\nlines'],
  ] as const) {
    expect(attributeValue(cell), cell).toEqual(value)
  }
})

test('times', () => {
  for (const [text, time] of [
    ['2025-01-31', '2025-01-31T00:00:00.000Z'],
    ['2025-01-31 09:30', '2025-01-31T09:30:00.000Z'],
    ['2025-01-31T09:30:15.5Z', '2025-01-31T09:30:15.500Z'],
    ['2025-01-31 09:30:15 UTC', '2025-01-31T09:30:15.000Z'],
    ['2025-01-31T09:30:00+0200', '2025-01-31T07:30:00.000Z'],
    ['2025-01-31T09:30:00-05:30', '2025-01-31T15:00:00.000Z'],
    ['31.01.2025', null],
    ['2025-02-30', null],
    ['2025-13-01', null],
    ['2025-01-31T25:00', null],
    ['1738310400', null],
  ] as const) {
    expect(isoTime(text), text).toBe(time)
  }
})

test('a cell of nothing but brackets is text, and one that would be lost in a copy is refused', () => {
  const brackets = '['.repeat(5_000) + ']'.repeat(5_000)
  expect(attributeValue(brackets)).toBe(brackets)
  expect(attributeValue('[[1]]')).toEqual([[1]])
  const row = toRow([{ field: 'email' }, { attribute: 'a' }], ['a@example.com', '{"__proto__": 1}'], settings)
  expect(row).toEqual({ problem: 'holds text that cannot be stored' })
})
