import { expect, test } from 'vitest'
import { after, page } from '../../../src/http/cursor.ts'
import { Problem } from '../../../src/http/problem.ts'

const rows = [
  { id: 3, name: 'Zoë' },
  { id: 9, name: 'Åsa' },
]
const cursorFor = (filters: Record<string, unknown>) =>
  page(rows, 1, { of: 'things', ...filters }, ({ name, id }) => [name, id]).next_cursor ?? undefined

test('a cursor gives back the sort keys of the last row of its page', () => {
  expect(after(cursorFor({ status: 'sent' }), { of: 'things', status: 'sent' }, ['string', 'number'])).toEqual([
    'Zoë',
    3,
  ])
  expect(after(undefined, { of: 'things' }, ['number'])).toBeNull()
})

test('a cursor is bound to the filters, but not to the size of a page or the order of the query', () => {
  const cursor = cursorFor({ status: 'sent', list_id: 4, limit: 1 })
  expect(after(cursor, { list_id: 4, limit: 200, of: 'things', cursor, status: 'sent' }, ['string', 'number'])).toEqual(
    ['Zoë', 3],
  )
  for (const other of [
    { status: 'draft', list_id: 4 },
    { status: 'sent' },
    { status: 'sent', list_id: '4' },
    { status: 'sent', list_id: 4, of: 'others' },
  ]) {
    expect(() => after(cursor, { of: 'things', ...other }, ['string', 'number'])).toThrow(Problem)
  }
})

test('a cursor is bound to the kinds of its keys', () => {
  const cursor = cursorFor({})
  expect(() => after(cursor, { of: 'things' }, ['number', 'number'])).toThrow(Problem)
  expect(() => after(cursor, { of: 'things' }, ['string'])).toThrow(Problem)
})

test('there is no cursor without a row to follow', () => {
  expect(page(rows, 2, { of: 'things' }, ({ id }) => [id])).toEqual({ data: rows, next_cursor: null })
  expect(page([], 2, { of: 'things' }, () => [])).toEqual({ data: [], next_cursor: null })
})
