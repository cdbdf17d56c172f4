import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'
import { buildMessage } from '../../../src/mime/message.ts'
import { UnsendableMail } from '../../../src/providers/provider.ts'
import { mail } from '../../support/mail.ts'

/** Any text without control characters and lone surrogates; mailparser drops blanks at the ends of a subject or name. */
const header_text = fc
  .oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 200 }), fc.lorem({ maxCount: 60 }))
  .map((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\ufeff]/gu, '').trim())
/** Not empty: mailparser reads an empty part as a line break. */
const body_text = fc
  .array(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '.', '=', ' ', '\t', 'From ', 'x'.repeat(76), 'é')),
  )
  .map((parts) => `x${parts.join('').replace(/[\0\r\ufeff]/g, '')}`)

const lines = (bytes: Uint8Array) => {
  const text = new TextDecoder().decode(bytes)
  expect(text.endsWith('\r\n')).toBe(true)
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  return text.split('\r\n')
}

test('any subject arrives as written, on lines of at most 78 unless one token is longer', async () => {
  await fc.assert(
    fc.asyncProperty(header_text, async (subject) => {
      const { bytes } = buildMessage(mail({ subject }))
      for (const line of lines(bytes)) {
        expect(
          line.length <= 78 ||
            !line
              .trim()
              .replace(/^Subject: /, '')
              .includes(' '),
        ).toBe(true)
      }
      expect((await simpleParser(Buffer.from(bytes))).subject ?? '').toBe(subject)
    }),
    { numRuns: 300 },
  )
})

test('any display name arrives as written and adds no second address', async () => {
  await fc.assert(
    fc.asyncProperty(header_text, async (name) => {
      const { bytes } = buildMessage(mail({ to: { email: 'reader@example.com', name } }))
      const to = (await simpleParser(Buffer.from(bytes))).to
      const value = (Array.isArray(to) ? to[0] : to)?.value
      expect(value).toEqual([{ address: 'reader@example.com', name }])
    }),
    { numRuns: 300 },
  )
})

test('any text and HTML arrive as written, on CRLF lines of at most 76 columns, 7-bit', async () => {
  await fc.assert(
    fc.asyncProperty(body_text, body_text, async (text, html) => {
      const { bytes } = buildMessage(mail({ text, html }))
      for (const line of lines(bytes)) expect(line.length).toBeLessThanOrEqual(78)
      expect(bytes.every((byte) => byte < 128)).toBe(true)
      const found = await simpleParser(Buffer.from(bytes))
      expect(found.text ?? '').toBe(text)
      expect(found.html || '').toBe(html)
    }),
    { numRuns: 300 },
  )
})

test('a control character anywhere in a header is always refused', () => {
  const control = fc.constantFrom('\r', '\n', '\0', '\r\n', '\u0008', '\u001f', '\u007f')
  fc.assert(
    fc.property(header_text, control, header_text, (before, bad, after) => {
      const value = `${before}${bad}${after}`
      expect(() => buildMessage(mail({ subject: value }))).toThrow(UnsendableMail)
      expect(() => buildMessage(mail({ from: { email: 'news@sender.example', name: value } }))).toThrow(UnsendableMail)
      expect(() => buildMessage(mail({ headers: [['X-Any', value]] }))).toThrow(UnsendableMail)
      expect(() => buildMessage(mail({ to: { email: value, name: null } }))).toThrow(UnsendableMail)
    }),
  )
})

test('whatever is accepted as an address has no character that ends a command, a bracket or a list', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('', '@', '@example.com'), (start, end) => {
      try {
        const { envelope_to } = buildMessage(mail({ to: { email: `${start}${end}`, name: null } }))
        expect(envelope_to).not.toMatch(/[\p{Cc}\s<>,;:()[\]\\]/u)
      } catch (error) {
        expect(error).toBeInstanceOf(UnsendableMail)
      }
    }),
    { numRuns: 1_000 },
  )
})
