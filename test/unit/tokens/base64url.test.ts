import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../../../src/tokens/base64url.ts'

test('writes what Node writes and reads it back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = encodeBase64url(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('base64url'))
      expect(decodeBase64url(text)).toEqual(new Uint8Array(bytes))
    }),
  )
})

test('every text it reads is the one it would write', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ABCabc019-_+/= é'), maxLength: 12 })
  fc.assert(
    fc.property(text, (candidate) => {
      const bytes = decodeBase64url(candidate)
      if (bytes) expect(encodeBase64url(bytes)).toBe(candidate)
    }),
    { numRuns: 2000 },
  )
})

test.each(['A', 'AAAAA', 'AB', 'AAB', 'AA==', 'A+A', 'A/A', 'A A', 'Aé', 'A\u{1F600}'])('refuses %j', (text) => {
  expect(decodeBase64url(text)).toBeNull()
})
