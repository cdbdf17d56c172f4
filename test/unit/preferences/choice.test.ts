import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maskEmail } from '../../../src/pages/mask.ts'
import { readChoice } from '../../../src/preferences/choice.ts'

const read = (fields: [string, string][]) => readChoice(new URLSearchParams(fields))
const reason = (reason: string, reason_text: string) => read(Object.entries({ reason, reason_text }))?.reason

test('a form says what it shows and what is wanted', () => {
  const form = new URLSearchParams('seen=active&on=3&on=4&list=4&list=5&list=5&pause=30&all=yes&again=no')
  expect(readChoice(form)).toEqual({
    ...{ seen: 'active', wanted: new Set([4, 5]), shown_on: new Set([3, 4]), pause: 30, all: true, again: false },
    reason: null,
  })
  expect(read([])).toEqual({
    ...{ seen: '', wanted: new Set(), shown_on: new Set(), pause: 'keep', all: false, again: false, reason: null },
  })
})

test.each([
  ['list', '0'],
  ['list', ''],
  ['list', '1e3'],
  ['list', '9007199254740993'],
  ['on', '../1'],
  ['pause', '31'],
  ['pause', '-7'],
  ['pause', 'Infinity'],
])('%s=%s is nothing the page posts', (name, value) => {
  expect(read([[name, value]])).toBeNull()
})

test('a file in the place of a list, and more lists than there can be, are neither', () => {
  const form = new FormData()
  form.append('list', new File(['1'], '1'))
  expect(readChoice(form)).toBeNull()
  expect(read(Array.from({ length: 1001 }, (_, n) => ['list', String(n + 1)]))).toBeNull()
})

/** Text of any UTF-16 units, halves of pairs among them. */
const units = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 700 })
  .map((codes) => String.fromCharCode(...codes))

describe('a reason', () => {
  test.each([
    ['', '', null],
    ['too_many', '', 'too_many'],
    ['other', ' \0<b>x</b>\r\ny\u2028\u0007 ', 'other: <b>x</b>\ny'],
    ['made up', 'mine', 'mine'],
    ['', '\ud800', '\ufffd'],
    ['', '\0\n \t', null],
    ['', '👩‍🌾'.repeat(400), Array.from('👩‍🌾'.repeat(400)).slice(0, 500).join('')],
  ])('%j with %j is kept as %j', (code, text, kept) => {
    expect(reason(code, text)).toBe(kept)
  })

  test('is never what keeps somebody from leaving, and always something Postgres can keep', () => {
    fc.assert(
      fc.property(units, (text) => {
        const kept = reason('other', text)
        expect(Array.from(kept ?? '').length).toBeLessThanOrEqual(500 + 'other: '.length)
        expect(kept).not.toMatch(/\0/)
        expect(kept?.isWellFormed()).toBe(true)
      }),
    )
  })
})

test.each([
  ['ada@example.com', 'a***@example.com'],
  ['a@b.example', 'a***@b.example'],
  ['"odd @ one"@example.com', '"***@example.com'],
  ['😀@example.com', '😀***@example.com'],
])('%s is shown as %s', (email, shown) => {
  expect(maskEmail(email)).toBe(shown)
})
