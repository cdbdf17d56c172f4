import fc from 'fast-check'
import { expect, test } from 'vitest'
import { normaliseTag } from '../../../src/subscribers/tags.ts'

test.each([
  ['VIP', 'vip'],
  ['  Early   Bird\u00a0', 'early bird'],
  ['Zoe\u0308', 'zoë'],
  ['İstanbul', 'i̇stanbul'],
  ['STRAẞE', 'straße'],
  ['ΟΔΟΣ', 'οδος'],
  ['名簿', '名簿'],
  ['👩‍👩‍👧', '👩‍👩‍👧'],
  ['x'.repeat(50), 'x'.repeat(50)],
  ['🎈'.repeat(50), '🎈'.repeat(50)],
])('%j is %s', (text, tag) => {
  expect(normaliseTag(text)).toEqual({ tag })
})

test.each(['', '  ', 'a\0', 'a\nb', 'a\tb', 'x\u2029y', '\ud800', '\udc00a', 'x'.repeat(51), 'x'.repeat(1_000_000)])(
  'text %# is none',
  (text) => {
    expect(normaliseTag(text)).toHaveProperty('problem')
  },
)

test('what comes out can be stored and stays as it is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
      const result = normaliseTag(text)
      if ('problem' in result) return
      const { tag } = result
      expect(tag).toMatch(/^\S(.*\S)?$/su)
      expect(tag.isWellFormed() && !/\p{Cc}/u.test(tag)).toBe(true)
      expect(normaliseTag(tag)).toEqual({ tag })
      expect(normaliseTag(` ${tag.normalize('NFD')}`)).toEqual({ tag })
    }),
    { numRuns: 2_000 },
  )
})
