import { describe, expect, test } from 'vitest'
import { chooseWords } from '../../../src/pages/words/choose.ts'

describe('the language of a page is the first that can be met', () => {
  test.each<[wishes: (string | null | undefined)[], language: string]>([
    [[], 'en'],
    [[null, undefined, ''], 'en'],
    [['de'], 'de'],
    [['DE-at'], 'de'],
    [['fr'], 'en'],
    [['fr', 'de'], 'de'],
    [['en', 'de'], 'en'],
    [['fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5'], 'en'],
    [['en;q=0.5, de;q=0.9'], 'de'],
    [['de;q=0, en;q=0.1'], 'en'],
    [['de;q=x'], 'en'],
    [[', ,;q=1,de'], 'de'],
    [['-'], 'en'],
    [['__proto__', 'de'], 'de'],
    [['x'.repeat(100_000), 'de'], 'de'],
  ])('%j: %s', (wishes, language) => expect(chooseWords(...wishes).language).toBe(language))
})
