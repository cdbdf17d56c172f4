import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withUtm } from '../../../src/campaigns/utm.ts'

const UTM = { source: 'news letter', medium: 'email', content: 'ä&b=c#d' }
const ADDED = 'utm_source=news%20letter&utm_medium=email&utm_content=%C3%A4%26b%3Dc%23d'

test.each([
  ['https://x.example', `https://x.example?${ADDED}`],
  ['https://x.example/?', `https://x.example/?${ADDED}`],
  ['https://x.example/a?b=1&c=a+b%20c&&d', `https://x.example/a?b=1&c=a+b%20c&&d&${ADDED}`],
  ['https://x.example/??', `https://x.example/??&${ADDED}`],
  ['https://x.example/a?b&', `https://x.example/a?b&${ADDED}`],
  ['https://x.example/a#b?utm_source=c', `https://x.example/a?${ADDED}#b?utm_source=c`],
  ['https://x.example/a?b=1#', `https://x.example/a?b=1&${ADDED}#`],
])('%s', (url, expected) => {
  expect(withUtm(url, UTM)).toBe(expected)
  expect(withUtm(url, null)).toBe(url)
  expect(withUtm(url, {})).toBe(url)
})

test('what the author wrote stays, whatever its spelling', () => {
  expect(withUtm('https://x.example/?utm_source=mine&UTM_Medium=&utm%5Fcontent=z', UTM)).toBe(
    'https://x.example/?utm_source=mine&UTM_Medium=&utm%5Fcontent=z',
  )
  expect(withUtm('https://x.example/?utm_source=mine', UTM)).toBe(
    'https://x.example/?utm_source=mine&utm_medium=email&utm_content=%C3%A4%26b%3Dc%23d',
  )
})

test('the rest of any address stays byte for byte, and the parameters are read as they were given', () => {
  const value = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.isWellFormed())
  const utm = fc.record({ source: value, medium: value, campaign: value, term: value, content: value })
  const url = fc.webUrl({ withQueryParameters: true, withFragments: true })
  fc.assert(
    fc.property(url, utm, (before, parameters) => {
      const after = withUtm(before, parameters)
      const hash = before.indexOf('#')
      const [target, fragment] = hash === -1 ? [before, ''] : [before.slice(0, hash), before.slice(hash)]
      expect(after.startsWith(target)).toBe(true)
      expect(after.endsWith(fragment)).toBe(true)
      const written = new URL(before).searchParams
      const read = new URL(after).searchParams
      for (const [name, value] of Object.entries(parameters)) {
        if (!written.has(`utm_${name}`)) expect(read.get(`utm_${name}`)).toBe(value)
      }
      // Nothing else came in between.
      const added = after.slice(target.length, after.length - fragment.length)
      expect(added).toMatch(/^[?&]?(utm_[a-z]+=[^&#?]*&?)+$/)
    }),
    { numRuns: 1000 },
  )
})
