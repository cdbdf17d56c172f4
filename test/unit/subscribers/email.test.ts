import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normaliseDomain, normaliseEmail } from '../../../src/subscribers/email.ts'

describe('normaliseEmail', () => {
  test.each([
    ['ada@example.com', 'ada@example.com'],
    ['  Ada.Lovelace@EXAMPLE.Com\n', 'Ada.Lovelace@example.com'],
    ['\ufeffada@example.com', 'ada@example.com'],
    ["o'brien+news@example.com", "o'brien+news@example.com"],
    ["!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"],
    ['a@bücher.example', 'a@xn--bcher-kva.example'],
    ['a@BÜCHER.example', 'a@xn--bcher-kva.example'],
    ['a@例え。テスト', 'a@xn--r8jz45g.xn--zckzah'],
    ['a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
    ['a@faß.example', 'a@xn--fa-hia.example'],
    ['a@نامه\u200cای.example', 'a@xn--mgba3gch31f060k.example'],
    ['a@mu\u0308nchen.de', 'a@xn--mnchen-3ya.de'],
    ['a@ISTANBUL.example', 'a@istanbul.example'],
    ['a@İstanbul.example', 'a@xn--istanbul-o0e.example'],
    ['a@ıstanbul.example', 'a@xn--stanbul-qfb.example'],
    ['a@STRAẞE.de', 'a@xn--strae-oqa.de'],
    ['a@STRASSE.de', 'a@strasse.de'],
    ['a@ПРИМЕР.РФ', 'a@xn--e1afmkfd.xn--p1ai'],
    ['ａｄａ＋１＠ｅｘａｍｐｌｅ．ｃｏｍ', 'ada+1@example.com'],
    ['\u3000ada@example.com\u3000', 'ada@example.com'],
    ['a@1and1.example', 'a@1and1.example'],
    ['a@163.com', 'a@163.com'],
    [`${'x'.repeat(64)}@example.com`, `${'x'.repeat(64)}@example.com`],
  ])('%j is %s', (text, email) => {
    expect(normaliseEmail(text)).toEqual({ email })
  })

  test.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['nobody', 'exactly one @'],
    ['a@b@example.com', 'exactly one @'],
    ['@example.com', 'nothing before'],
    ['a@', 'domain'],
    ['Ada <ada@example.com>', 'space'],
    ['<ada@example.com>', 'bare address'],
    ['"ada"@example.com', 'bare address'],
    ['a@example.com,b@example.com', 'bare address'],
    ['a(comment)@example.com', 'bare address'],
    ['a b@example.com', 'space'],
    ['a\u00a0b@example.com', 'space'],
    ['a\r\nBcc: b@example.com', 'control character'],
    ['a\0@example.com', 'control character'],
    ['a\u200b@example.com', 'invisible'],
    ['a\u202e@example.com', 'invisible'],
    ['\ud800@example.com', 'invisible'],
    ['zoë@example.com', 'non-ASCII'],
    ['.a@example.com', 'dot'],
    ['a.@example.com', 'dot'],
    ['a..b@example.com', 'dot'],
    ['a\\b@example.com', 'forbidden'],
    [`${'x'.repeat(65)}@example.com`, '64'],
    [`${'a'.repeat(60)}@${`${'x'.repeat(60)}.`.repeat(3)}example.com`, '254'],
    [`a@${`${'x'.repeat(60)}.`.repeat(4)}example.com`, '253'],
    [`a@${'ü'.repeat(400)}.example`, 'domain'],
    ['a@localhost', 'no dot'],
    ['a@example.com.', 'host name'],
    ['a@.example.com', 'host name'],
    ['a@example..com', 'host name'],
    ['a@-x.example', 'host name'],
    ['a@x_y.example', 'host name'],
    ['a@example.123', 'host name'],
    ['a@127.0.0.1', 'IP address'],
    ['a＠b@example.com', 'exactly one @'],
    ['＜a@example.com＞', 'bare address'],
    ['\u212a@example.com', 'non-ASCII'],
    ['a@example.com／x', 'forbidden'],
    ['a@１２７.0.0.1', 'IP address'],
    ['a@0x7f.1', 'IP address'],
    ['a@[127.0.0.1]', 'forbidden'],
    ['a@[IPv6:::1]', 'forbidden'],
    ['a@example.com:25', 'forbidden'],
    ['a@example.com/x', 'forbidden'],
    ['a@example.com?x', 'forbidden'],
    ['a@example.com#x', 'forbidden'],
    ['a@ex%61mple.com', 'forbidden'],
    ['a@xn--.example', 'host name'],
    ['x'.repeat(100_000), 'longer'],
  ])('%j is refused', (text, reason) => {
    const result = normaliseEmail(text)
    expect('problem' in result && result.problem).toContain(reason)
  })

  test('whatever comes in, what comes out is safe in a header, in SMTP and as a key', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.emailAddress(),
          fc.tuple(fc.string({ unit: 'grapheme' }), fc.domain()).map(([local, domain]) => `${local}@${domain}`),
          fc.tuple(fc.string(), fc.string({ unit: 'grapheme' })).map(([local, domain]) => `${local}@${domain}.example`),
        ),
        (text) => {
          const result = normaliseEmail(text)
          if ('problem' in result) {
            expect(result.problem).not.toBe('')
            return
          }
          const { email } = result
          expect(email).toMatch(/^[\x21-\x7e]{1,64}@[a-z0-9.-]+\.[a-z0-9-]+$/)
          expect(email).not.toMatch(/[\s<>,;"()[\]\\]/)
          expect(email.length).toBeLessThanOrEqual(254)
          expect(normaliseEmail(email)).toEqual({ email })
          expect(normaliseEmail(email.toLowerCase())).toEqual({ email: email.toLowerCase() })
        },
      ),
      { numRuns: 5_000 },
    )
  })

  test('most ordinary addresses pass', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{1,20}([._+-][a-z0-9]{1,10})?$/), fc.domain(), (local, domain) => {
        fc.pre(domain.length < 200)
        expect(normaliseEmail(`${local}@${domain}`)).toEqual({ email: `${local}@${domain.toLowerCase()}` })
      }),
    )
  })
})

test('normaliseDomain knows domains only', () => {
  expect(normaliseDomain('Bücher.Example')).toEqual({ domain: 'xn--bcher-kva.example' })
  for (const text of ['', 'a@example.com', 'example', 'http://example.com', '10.0.0.1']) {
    expect(normaliseDomain(text)).toHaveProperty('problem')
  }
})
