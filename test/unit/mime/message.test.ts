import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { buildMessage } from '../../../src/mime/message.ts'
import { type Mail, UnsendableMail } from '../../../src/providers/provider.ts'
import { mail } from '../../support/mail.ts'

const source = (changes: Partial<Mail> = {}) => new TextDecoder().decode(buildMessage(mail(changes)).bytes)
const parsed = (changes: Partial<Mail> = {}) => simpleParser(Buffer.from(buildMessage(mail(changes)).bytes))
const head = (text: string) => text.slice(0, text.indexOf('\r\n\r\n') + 2)
/** One header as it stands in the source, folds included. */
const field = (text: string, name: string) =>
  new RegExp(`^${name}:(?:.*\\r\\n)(?:[ \\t].*\\r\\n)*`, 'm').exec(head(text))?.[0] ?? ''
const encodedWords = (text: string) => text.match(/=\?[^?]+\?[QB]\?[^?]*\?=/g) ?? []

describe('the message as a whole', () => {
  test('is one multipart/alternative, text before HTML, without a multipart/mixed around it', () => {
    const text = source()
    expect(text.match(/^Content-Type: .*/gm)).toEqual([
      'Content-Type: multipart/alternative; boundary="=_c7.s42sender.example"',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Type: text/html; charset=utf-8',
    ])
  })

  test('carries the fields in their order, the caller\'s last, Date in the form of RFC 5322 and never "GMT"', () => {
    const text = source({ reply_to: 'answers@sender.example', headers: [['List-Id', 'News <news.sender.example>']] })
    expect(head(text)).toBe(
      [
        'Date: Tue, 24 Nov 2026 08:00:00 +0000',
        'Message-ID: <c7.s42@sender.example>',
        'MIME-Version: 1.0',
        'From: The News <news@sender.example>',
        'To: reader@example.com',
        'Reply-To: answers@sender.example',
        'Subject: Hello',
        'List-Id: News <news.sender.example>',
        'Content-Type: multipart/alternative; boundary="=_c7.s42sender.example"',
        '',
      ].join('\r\n'),
    )
  })

  test('is the same, byte for byte, each time it is built', () => {
    expect(source({ subject: 'Žluť', html: '<p>kůň</p>' })).toBe(source({ subject: 'Žluť', html: '<p>kůň</p>' }))
  })

  test('a later message does not change the bytes of an earlier one', () => {
    const first = buildMessage(mail({ text: 'first' }))
    buildMessage(mail({ text: 'other' }))
    expect(new TextDecoder().decode(first.bytes)).toContain('first')
  })

  test('the envelope sender is not the From header', () => {
    const message = buildMessage(mail())
    expect([message.envelope_from, message.envelope_to]).toEqual(['bounces@sender.example', 'reader@example.com'])
    expect(head(source())).not.toContain('bounces@')
  })

  test('never has a Bcc, and a caller cannot set one, nor any field that is built here', () => {
    expect(source()).not.toMatch(/^bcc:/im)
    for (const name of [
      'Bcc',
      'bCC',
      'Cc',
      'To',
      'From',
      'Subject',
      'Date',
      'Message-ID',
      'MIME-Version',
      'Reply-To',
    ]) {
      expect(() => source({ headers: [[name, 'x@example.com']] }), name).toThrow(UnsendableMail)
    }
    expect(() => source({ headers: [['Content-Type', 'text/html']] })).toThrow(UnsendableMail)
    expect(() => source({ headers: [['Resent-To', 'x@example.com']] })).toThrow(UnsendableMail)
  })

  test('a part that contains what looks like the boundary is not taken for it', async () => {
    const text = 'before\n--=_c7.s42sender.example--\nafter'
    expect((await parsed({ text })).text).toBe(text)
  })
})

describe('injection', () => {
  const places: [string, (bad: string) => Partial<Mail>][] = [
    ['subject', (bad) => ({ subject: `a${bad}b` })],
    ['from name', (bad) => ({ from: { email: 'news@sender.example', name: `a${bad}b` } })],
    ['to name', (bad) => ({ to: { email: 'reader@example.com', name: `a${bad}b` } })],
    ['header value', (bad) => ({ headers: [['X-Note', `a${bad}b`]] })],
    ['header name', (bad) => ({ headers: [[`X-No${bad}te`, 'a']] })],
    ['from', (bad) => ({ from: { email: `news${bad}@sender.example`, name: null } })],
    ['to', (bad) => ({ to: { email: `reader@example.com${bad}`, name: null } })],
    ['reply_to', (bad) => ({ reply_to: `reader${bad}@example.com` })],
    ['envelope_from', (bad) => ({ envelope_from: `bounces@sender${bad}.example` })],
    ['message_id', (bad) => ({ message_id: `c7${bad}@sender.example` })],
  ]
  const bad: [string, string][] = [
    ['CRLF', '\r\nBcc: evil@example.org\r\n'],
    ['a bare LF', '\nBcc: evil@example.org'],
    ['a bare CR', '\rBcc: evil@example.org'],
    ['NUL', '\0'],
    ['ESC', '\u001b'],
    ['DEL', '\u007f'],
  ]
  for (const [place, change] of places) {
    for (const [name, characters] of bad) {
      test(`${name} in ${place} is refused`, () => {
        expect(() => source(change(characters))).toThrow(UnsendableMail)
      })
    }
  }

  test('the refusal names the part and never quotes an address', () => {
    expect(() => source({ to: { email: 'reader@exa mple.com', name: null } })).toThrow(/^to: /)
    expect(() => source({ to: { email: 'b@example.com>\r\nRCPT TO:<evil@y.com', name: null } })).toThrow(
      /^(?!.*evil)to: /s,
    )
  })

  test('an address that is a list, a group, a route or a name with brackets is refused', () => {
    for (const email of [
      'a@example.com, evil@example.org',
      'x <b@example.com>',
      'Group: a@example.com;',
      '@relay.example:a@example.com',
      'b@example.com> Bcc',
      '<a@example.com>',
      'a b@example.com',
      'a@',
      '@example.com',
      'nobody',
      '',
      'a@b@example.com',
      'a@example.com:25',
      'a@example.com/path',
      'a@exa%6Dple.com',
      'a@127.0.0.1',
      'a@0x7f000001.1',
      'a@[127.0.0.1]',
      'a@-example.com',
      `${'a'.repeat(65)}@example.com`,
      `a@${'b'.repeat(64)}.com`,
    ]) {
      expect(() => source({ to: { email, name: null } }), email).toThrow(UnsendableMail)
    }
  })
})

describe('header text', () => {
  test('an ASCII subject of 1,500 characters is folded: no line above 78', async () => {
    const subject = Array.from({ length: 250 }, (_, i) => `w${String(i).padStart(4, '0')}`).join(' ')
    expect(
      Math.max(
        ...source({ subject })
          .split('\r\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(78)
    expect((await parsed({ subject })).subject).toBe(subject)
  })

  test('a UTF-8 subject of 529 characters is several encoded words of at most 75, on lines of at most 76', async () => {
    const subject = 'Příliš žluťoučký kůň 🐎 '.repeat(23).trim()
    const lines = field(source({ subject }), 'Subject')
    for (const word of encodedWords(lines)) expect(word.length).toBeLessThanOrEqual(75)
    for (const line of lines.trimEnd().split('\r\n')) expect(line.length).toBeLessThanOrEqual(76)
    expect((await parsed({ subject })).subject).toBe(subject)
  })

  test('an encoded word never splits a character', () => {
    const lines = field(source({ subject: '🐎'.repeat(100) }), 'Subject')
    for (const word of encodedWords(lines)) {
      const [, , encoding, payload = ''] = word.split('?')
      expect(encoding).toBe('B')
      expect(Buffer.from(payload, 'base64').toString()).toMatch(/^🐎+$/u)
    }
  })

  test('"=?UTF-8?Q?fake?=" in a subject arrives as written', async () => {
    const subject = 'about =?UTF-8?Q?fake?= words'
    expect((await parsed({ subject })).subject).toBe(subject)
  })

  test('a single word that no line can hold is still a subject', async () => {
    const subject = 'x'.repeat(2_000)
    expect(() => source({ subject: `${subject}x` })).toThrow(/^subject: 2001 characters/)
    expect(
      Math.max(
        ...source({ subject })
          .split('\r\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(998)
    expect((await parsed({ subject })).subject).toBe(subject)
  })

  test('blanks at the ends and in a row survive', async () => {
    expect((await parsed({ subject: 'two  blanks' })).subject).toBe('two  blanks')
  })

  test('an empty subject is an empty field', () => {
    expect(source({ subject: '' })).toContain('\r\nSubject: \r\n')
  })

  test('a List-Unsubscribe URL longer than a line stays in one piece on its first line', () => {
    const url = `<https://t.example.com/u/${'a'.repeat(200)}>`
    expect(source({ headers: [['List-Unsubscribe', url]] })).toContain(`\r\nList-Unsubscribe: ${url}\r\n`)
  })

  test('a header token that no line can hold is refused with its name', () => {
    expect(() => source({ headers: [['List-Unsubscribe', `<https://t.example.com/${'a'.repeat(1_000)}>`]] })).toThrow(
      /^list-unsubscribe: /,
    )
  })

  test('8-bit text in a header of the caller is encoded and its angle brackets stay readable', () => {
    const line = field(source({ headers: [['List-Owner', 'Žluť Noviny <news.sender.example>']] }), 'List-Owner')
    expect(line).toMatch(/^List-Owner: =\?utf-8\?[QB]\?\S+\?= Noviny <news\.sender\.example>\r\n$/)
  })
})

describe('display names', () => {
  const from = (name: string) => field(source({ from: { email: 'news@sender.example', name } }), 'From')

  test('plain words need no quotes, special characters get them, quote and backslash are escaped', () => {
    expect(from('Jane Doe')).toBe('From: Jane Doe <news@sender.example>\r\n')
    expect(from('Doe, Jane (Ltd.)')).toBe('From: "Doe, Jane (Ltd.)" <news@sender.example>\r\n')
    expect(from('Bob "The \\ Builder" OB')).toBe('From: "Bob \\"The \\\\ Builder\\" OB" <news@sender.example>\r\n')
  })

  test('an encoded word never stands inside quotes', () => {
    for (const name of ['Žluť', 'Žluť "quoted", Ltd.', '=?utf-8?Q?x?=', 'É'.repeat(200), `"${'x'.repeat(100)}`]) {
      expect(from(name), name).not.toContain('"=?')
      expect(encodedWords(from(name)).length, name).toBeGreaterThan(0)
    }
  })

  test('names with quotes, commas, accents and emoji arrive as written', async () => {
    for (const name of ['Bob "The" OB', 'Doe, Jane', 'Žluťoučký kůň, s.r.o.', '🐎 Horse', "O'Brien", '山田 太郎']) {
      expect((await parsed({ from: { email: 'news@sender.example', name } })).from?.value[0]?.name).toBe(name)
    }
  })
})

describe('addresses', () => {
  test('an IDN domain goes out as punycode in header and envelope', () => {
    const message = buildMessage(mail({ to: { email: 'jan@bücher.example', name: null } }))
    expect(message.envelope_to).toBe('jan@xn--bcher-kva.example')
    expect(new TextDecoder().decode(message.bytes)).toContain('To: jan@xn--bcher-kva.example\r\n')
    expect(message.needs_smtputf8).toBe(false)
  })

  test('a local part outside ASCII asks for SMTPUTF8', () => {
    expect(buildMessage(mail({ to: { email: 'žofie@example.com', name: null } })).needs_smtputf8).toBe(true)
    expect(buildMessage(mail()).needs_smtputf8).toBe(false)
  })

  test('dots where RFC 5321 has none are quoted', () => {
    expect(buildMessage(mail({ to: { email: 'a..b.@example.com', name: null } })).envelope_to).toBe(
      '"a..b."@example.com',
    )
  })
})

describe('bodies', () => {
  test('bare LF, bare CR and CRLF all become CRLF, in 7bit and in quoted-printable', () => {
    const text = source({ text: 'a\nb\rc\r\nd', html: '<p>á\nb\rc\r\nd</p>' })
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(text).toContain('a\r\nb\r\nc\r\nd\r\n')
  })

  test('quoted-printable keeps to 76 columns and round-trips UTF-8, "=", blanks before line ends and leading dots', async () => {
    const text = `=3D ${'kůň '.repeat(50)}\n.\n..dots \ntab\t\n${'x'.repeat(75)} \n${'y'.repeat(76)}\n${'z'.repeat(77)}\nFrom here`
    const lines = source({ text }).split('\r\n')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(78)
    expect(lines.filter((line) => line.startsWith('.') || /[ \t]$/.test(line))).toEqual([])
    expect((await parsed({ text })).text).toBe(text)
  })

  test('plain short lines travel as 7bit, a line of 3,000 characters or an accent does not', () => {
    expect(source({ text: 'short\nlines' })).toContain('Content-Transfer-Encoding: 7bit\r\n\r\nshort\r\nlines\r\n')
    expect(source({ text: 'x'.repeat(3_000), html: 'á' })).not.toContain('7bit')
  })

  test('a body larger than the kept scratch is built whole', async () => {
    const html = `<p>${'žluť '.repeat(300_000)}</p>`
    expect((await parsed({ html })).html).toBe(html)
  })

  test('a long plain text of many lines is classified without backtracking', () => {
    expect(source({ text: `${'short line\r\n'.repeat(50_000)}${'x'.repeat(500)}` })).toContain('quoted-printable')
  })
})
