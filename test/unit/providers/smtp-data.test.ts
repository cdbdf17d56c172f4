import fc from 'fast-check'
import { expect, test } from 'vitest'
import { wireData } from '../../../src/providers/smtp/data.ts'

const wire = (text: string) => new TextDecoder().decode(wireData(new TextEncoder().encode(text)))

test('leading dots are doubled, every line break becomes CRLF, the last line is ended, the dot follows', () => {
  expect(wire('a\r\nb\r\n')).toBe('a\r\nb\r\n.\r\n')
  expect(wire('a\nb\rc')).toBe('a\r\nb\r\nc\r\n.\r\n')
  expect(wire('.\r\n..\r\n')).toBe('..\r\n...\r\n.\r\n')
  expect(wire('a\n.\nb\r.c')).toBe('a\r\n..\r\nb\r\n..c\r\n.\r\n')
  expect(wire('a\r\r\n\n')).toBe('a\r\n\r\n\r\n.\r\n')
  expect(wire('')).toBe('.\r\n')
})

test('any message has one end, and a server that undoes the dots has its lines back', () => {
  const piece = fc.constantFrom('\r', '\n', '\r\n', '.', 'a', 'é', '.\r\n')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      const data = wire(text)
      expect(data.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
      const lines = data.split('\r\n')
      expect(lines.indexOf('.')).toBe(lines.length - 2)
      const received = lines.slice(0, -2).map((line) => line.replace(/^\./, ''))
      const sent = text.split(/\r\n|\r|\n/)
      expect(received).toEqual(sent.at(-1) === '' ? sent.slice(0, -1) : sent)
    }),
    { numRuns: 1_000 },
  )
})
