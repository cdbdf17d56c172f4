// Signatures made here, verified by mailauth, which shares no line with them.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { dkimSigners, signMessage } from '../../../src/mime/dkim.ts'
import { buildMessage } from '../../../src/mime/message.ts'
import type { Mail } from '../../../src/providers/provider.ts'
import { wireData } from '../../../src/providers/smtp/data.ts'
import { dkimZone, keyPair, verdicts } from '../../support/dkim.ts'
import { mail } from '../../support/mail.ts'

const first = keyPair('sender.example', 's1')
const second = keyPair('sender.example', 's2', 1024)
const below = keyPair('news.sender.example', 's1')
const other = keyPair('relay.example', 'r1')
const punycode = keyPair('xn--bcher-kva.example', 's1')
const zone = dkimZone([first, second, below, other, punycode])

const at = new Date('2026-11-24T08:00:00Z')
const lists = [
  ['List-Unsubscribe', `<https://t.sender.example/u/${'a'.repeat(60)}>, <mailto:unsubscribe+abc@in.sender.example>`],
  ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
  ['List-Id', 'News <list-1.sender.example>'],
  ['Feedback-ID', 'c7:l1:campaign:senderexample'],
  ['Precedence', 'bulk'],
] as const

/** As it leaves: built, signed. */
function signed(changes: Partial<Mail> = {}, keys = [first]): string {
  const { bytes, from_domain } = buildMessage(mail({ headers: lists, ...changes }))
  const out = signMessage(bytes, from_domain, dkimSigners(keys.map(({ key }) => key)), at)
  return Buffer.from(out).toString('latin1')
}
const raw = (head: string, body: string) =>
  Buffer.from(
    signMessage(Buffer.from(`${head}\r\n\r\n${body}`, 'latin1'), 'sender.example', dkimSigners([first.key]), at),
  ).toString('latin1')
const check = (message: string) => verdicts(message, zone)
const PASS = ['pass sender.example s1']

describe('mailauth verifies', () => {
  const cases: [string, Partial<Mail>][] = [
    ['a plain mail', {}],
    ['a UTF-8 subject and names', { subject: 'Příliš žluťoučký 🐎', to: { email: 'a@example.com', name: 'Ž, "Q"' } }],
    ['long folded fields', { subject: 'Dlouhý předmět a slova '.repeat(40).trim() }],
    ['a subject of blanks', { subject: '  two  blanks ' }],
    ['8-bit bodies in quoted-printable', { text: 'žluť 山 '.repeat(300), html: `<p>${'é'.repeat(5_000)}</p>` }],
    ['empty bodies', { text: '', html: '', subject: '' }],
    ['bodies that end in empty lines', { text: 'a\n\n\n\n', html: '<p>a</p>\r\n\r\n \r\n\t\r\n' }],
    ['tabs and runs of blanks', { text: 'a\t\tb   c \t d\n \t \n  e', html: '<p>\t x    y </p>   \n\t' }],
    ['lines that begin with dots', { text: '.\n..\n...x\n.', html: '.<p>\n.</p>' }],
    ['a reply address and no list fields', { reply_to: 'answers@sender.example', headers: [] }],
    ['a From domain in capitals', { from: { email: 'News@SENDER.example', name: null } }],
  ]
  test.each(cases)('%s', async (_, changes) => {
    expect(await check(signed(changes))).toEqual(PASS)
  })

  test('an IDN From, and one that needs SMTPUTF8', async () => {
    const from = { email: 'žofie@bücher.example', name: 'Žofie' }
    expect(await check(signed({ from }, [punycode]))).toEqual(['pass xn--bcher-kva.example s1'])
    expect(await check(signed({ from: { email: 'žofie@sender.example', name: null } }))).toEqual(PASS)
  })

  test('a mail that was dot-stuffed on the way', async () => {
    const { bytes, from_domain } = buildMessage(mail({ headers: lists, text: '.\n.a\n..\nb' }))
    const wire = wireData(signMessage(bytes, from_domain, dkimSigners([first.key]), at))
    const received = Buffer.from(wire)
      .toString('latin1')
      .replace(/\r\n\.\r\n$/, '\r\n')
      .replaceAll('\r\n.', '\r\n')
    expect(await check(received)).toEqual(PASS)
  })

  test('a signature by each key of the From domain and of those above it, and by no other', async () => {
    expect(await check(signed({}, [first, second, below, other]))).toEqual([
      'pass sender.example s1',
      'pass sender.example s2',
    ])
    const from = { email: 'a@news.sender.example', name: null }
    expect(await check(signed({ from }, [first, below, other]))).toEqual([
      'pass sender.example s1',
      'pass news.sender.example s1',
    ])
    expect(await check(signed({ from: { email: 'a@notsender.example', name: null } }, [first]))).toEqual(['none'])
  })

  test.each([
    ['no body', ''],
    ['only empty lines', '\r\n\r\n'],
    ['only blanks', ' \t\r\n \r\n'],
    ['no line end at its end', 'a  b \r\n\r\nc'],
    ['blanks at its end', 'a\r\n\t \t'],
    ['8-bit bytes', 'a\xe9 \xff\r\n'],
  ])('a message that was not made here with %s', async (_, body) => {
    const head = 'From:  a@sender.example \r\nSUBJECT : \t\r\n\t folded\t \r\n text \r\nTo:b@example.com\r\nX-Empty:'
    expect(await check(raw(head, body))).toEqual(PASS)
  })

  test('fields that are there twice', async () => {
    expect(await check(raw('From: a@sender.example\r\nTo: b@example.com\r\nTo: c@example.com', 'a'))).toEqual(PASS)
  })
})

describe('the signature breaks by', () => {
  const cases: [string, (message: string) => string][] = [
    ['another From', (m) => m.replace('news@sender.example', 'news@evil.example')],
    ['a second From above', (m) => `From: boss@sender.example\r\n${m}`],
    ['a second From below', (m) => m.replace('\r\n\r\n', '\r\nFrom: boss@sender.example\r\n\r\n')],
    ['another subject', (m) => m.replace('Subject: Hello', 'Subject: Hello!')],
    ['a second subject', (m) => `Subject: Hello\r\n${m}`],
    ['another List-Unsubscribe', (m) => m.replace('https://t.sender', 'https://t.evil')],
    ['a second List-Unsubscribe', (m) => `List-Unsubscribe: <https://evil.example/>\r\n${m}`],
    ['a second List-Unsubscribe-Post', (m) => `List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n${m}`],
    ['no List-Unsubscribe-Post', (m) => m.replace(/^List-Unsubscribe-Post: .*\r\n/m, '')],
    ['a Reply-To that was not there', (m) => `Reply-To: evil@evil.example\r\n${m}`],
    ['a second Content-Type', (m) => `Content-Type: text/html\r\n${m}`],
    ['another transfer encoding', (m) => `Content-Transfer-Encoding: base64\r\n${m}`],
    ['another List-Id', (m) => m.replace('list-1', 'list-2')],
    ['another Feedback-ID', (m) => m.replace('c7:l1', 'c8:l1')],
    ['another letter in the body', (m) => m.replace('<p>Hello', '<p>Hallo')],
    ['text after the body', (m) => `${m}more\r\n`],
    ['a later time in the signature', (m) => m.replace(/t=\d+/, 't=1800000000')],
  ]
  test.each(cases)('%s', async (_, change) => {
    const message = signed()
    const changed = change(message)
    expect(changed).not.toBe(message)
    expect(await check(changed)).toEqual([expect.stringMatching(/^(fail|neutral) sender\.example s1$/)])
  })

  test('a List-Unsubscribe where there was none', async () => {
    const message = signed({ headers: [] })
    expect(await check(message)).toEqual(PASS)
    expect(await check(`List-Unsubscribe: <https://evil.example/>\r\n${message}`)).not.toEqual(PASS)
    expect(await check(`List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n${message}`)).not.toEqual(PASS)
  })

  test('but not by what relays do: trace fields, folding, blanks, their own Feedback-ID', async () => {
    const message = signed()
      .replace('Subject: Hello', 'subject:   Hello ')
      .replace('<https://t.sender', '\r\n\t<https://t.sender')
    expect(await check(`Received: from a\r\n by b\r\nFeedback-ID: 1.relay\r\n${message}\r\n\r\n`)).toEqual(PASS)
  })
})

describe('the field', () => {
  const field = (message: string) => /^DKIM-Signature: (?:.*\r\n[ \t])*.*\r\n/.exec(message)?.[0] ?? ''

  test('is the first, on lines of at most 78, without a length of the body', () => {
    const long = keyPair(`${'a'.repeat(60)}.example`, 'selector-of-the-year-2026')
    for (const message of [signed(), signed({ from: { email: `x@${long.key.domain}`, name: null } }, [long, long])]) {
      const lines = field(message).trimEnd().split('\r\n')
      expect(lines[0]).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed;/)
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(78)
      expect(field(message)).not.toContain('l=')
    }
  })

  test('covers what it should, and names From and both List-Unsubscribe fields once more', () => {
    const h = /\bh=([^;]+);/.exec(field(signed()).replace(/\s/g, ''))?.[1]?.split(':')
    expect(h).toEqual([
      ...['From', 'From', 'To', 'To', 'Subject', 'Subject', 'Date', 'Date', 'Message-ID', 'Message-ID', 'Reply-To'],
      ...['MIME-Version', 'MIME-Version', 'Content-Type', 'Content-Type', 'Content-Transfer-Encoding'],
      ...['List-Unsubscribe', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'List-Unsubscribe-Post'],
      ...['List-Id', 'Feedback-ID'],
    ])
  })

  test('has the time it was given, and the same mail has the same signature', () => {
    expect(field(signed())).toContain(`t=${at.getTime() / 1000};`)
    expect(signed()).toBe(signed())
  })
})

test('a message of several megabytes, and the small one after it', async () => {
  expect(await check(signed({ html: '<p>  ž </p>\n'.repeat(200_000) }))).toEqual(PASS)
  expect(await check(signed())).toEqual(PASS)
})

describe('a key that cannot sign', () => {
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  test.each([
    ['no key', 'secret'],
    ['an elliptic one', elliptic.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['one of 768 bits', keyPair('a.example', 's', 768).key.private_key],
  ])('%s is refused by its index alone', (_, private_key) => {
    const keys = [first.key, { domain: 'a.example', selector: 's', private_key }]
    expect(() => dkimSigners(keys)).toThrow('dkim[1].private_key is not an RSA key of at least 1024 bits')
  })
})
