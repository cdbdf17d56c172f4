import { Readable } from 'node:stream'
import { parse } from 'csv-parse'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineCounter } from '../../../scripts/import/lines.ts'

const cell = fc.oneof(
  fc.constantFrom('a', 'ü🎈', 'x y'),
  fc.constantFrom('"two\nlines"', '"two\r\nlines"', '"ends\n"', '"\n\n"', '"say ""hi"""'),
)
const record = fc.record({ cells: fc.array(cell, { minLength: 2, maxLength: 2 }), blank_before: fc.nat(2) })

test('each record gets the line it begins in, whatever stands between and in it and however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 12 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      async (records, newline, terminated, piece) => {
        let text = `email,name${newline}`
        const expected = [1]
        for (const { cells, blank_before } of records) {
          text += newline.repeat(blank_before)
          expected.push(text.split('\n').length)
          text += cells.join(',') + newline
        }
        const bytes = Buffer.from(terminated ? text : text.slice(0, -newline.length))
        const lines = new LineCounter()
        const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
          bytes.subarray(i * piece, (i + 1) * piece),
        )
        const parser = parse({ info: true, raw: true, skip_empty_lines: true, bom: true })
        const counted = function* () {
          for (const chunk of pieces) {
            lines.see(chunk)
            yield chunk
          }
        }
        const seen: number[] = []
        for await (const { raw, info } of Readable.from(counted()).pipe(parser))
          seen.push(lines.lineOf(info.bytes, raw))
        expect(seen).toEqual(expected)
      },
    ),
    { numRuns: 300 },
  )
})
