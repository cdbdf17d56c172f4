import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvRecord, guardFormula, unguardFormula } from '../../../src/http/csv.ts'

describe('a formula', () => {
  test.each([
    ...[
      '=1+1',
      '+49 30 1',
      '-1',
      '@sum(a1)',
      '\t=1',
      '\r=1',
      '\n',
      '\ttext',
      '  =1',
      '"=1',
      "'=1",
      '\u00a0@x',
      '\uff1d1',
      '\uff20x',
    ],
  ])('is guarded: %j', (text) => {
    expect(guardFormula(text)).toBe(`'${text}`)
    expect(unguardFormula(`'${text}`)).toBe(text)
  })

  test.each(['', 'a=1', 'Ada', "O'Neil", "'tis", '1-2', '(=1)', 'x\t=1', "''"])('is not %j', (text) => {
    expect(guardFormula(text)).toBe(text)
    expect(unguardFormula(text)).toBe(text)
  })

  test('whatever is guarded comes back', () => {
    const nasty = fc.array(fc.constantFrom("'", '"', '=', '-', '@', ' ', '\t', '\n', 'a'), { maxLength: 8 })
    fc.assert(
      fc.property(
        fc.oneof(
          nasty.map((chars) => chars.join('')),
          fc.string(),
        ),
        (text) => {
          expect(unguardFormula(guardFormula(text))).toBe(text)
        },
      ),
    )
  })

  test('a record of any cells is read back by another reader', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('=1', 'a\r\nb', '"', ',', '')), { minLength: 2 }),
        (cells) => {
          const [read] = parse(csvRecord(cells, true), { record_delimiter: '\r\n' }) as string[][]
          expect(read?.map(unguardFormula)).toEqual(cells)
        },
      ),
    )
  })

  test('is one in a cell of text only: numbers are ours', () => {
    expect(csvRecord(['-1', -1, null, '="a",b'], true)).toBe(`'-1,-1,,"'=""a"",b"\r\n`)
    expect(csvRecord(['-1', -1, null, '="a",b'], false)).toBe(`-1,-1,,"=""a"",b"\r\n`)
  })
})
