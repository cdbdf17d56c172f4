import { describe, expect, test } from 'vitest'
import { chooseWords, LANGUAGES } from '../../../src/pages/words/choose.ts'
import { en } from '../../../src/pages/words/en.ts'
import { fill } from '../../../src/pages/words/words.ts'

/** Every text by its path, also those of a language that lacks some or has others. */
function textsOf(value: unknown, path = ''): [path: string, text: unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => textsOf(inner, path ? `${path}.${key}` : key))
}

const placeholders = (text: unknown) => [...new Set(String(text).match(/\{\w+\}/g))].sort()

describe.each(LANGUAGES.map((words) => [words.language, words] as const))('%s', (language, words) => {
  const texts = textsOf(words)

  test('has every text, and none of them is empty or markup', () => {
    expect(texts.map(([path]) => path).sort()).toEqual(
      textsOf(en)
        .map(([path]) => path)
        .sort(),
    )
    for (const [path, text] of texts) {
      expect(typeof text, path).toBe('string')
      expect(String(text).trim(), path).not.toBe('')
      expect(String(text), path).not.toMatch(/<\w|&\w+;/)
    }
  })

  test('has the same places for values', () => {
    const english = new Map(textsOf(en))
    for (const [path, text] of texts) expect(placeholders(text), path).toEqual(placeholders(english.get(path)))
  })

  test('is found by its own tag, and names itself once', () => {
    expect(new Intl.Locale(language).toString()).toBe(language)
    expect(chooseWords(language)).toBe(words)
    expect(LANGUAGES.filter((other) => other.language === language)).toHaveLength(1)
  })
})

test('a value is put in as it is, also one that looks like a place', () => {
  expect(fill('{a} and {b}, {c}', { a: '{b}', b: '$&' })).toBe('{b} and $&, {c}')
})
