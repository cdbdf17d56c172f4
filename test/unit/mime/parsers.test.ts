// What three parsers that are not ours read in mails made here: mailparser, postal-mime and Python's email package.
import { execFileSync, spawnSync } from 'node:child_process'
import { simpleParser } from 'mailparser'
import PostalMime, { type Address } from 'postal-mime'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildMessage } from '../../../src/mime/message.ts'
import { type Mail, UnsendableMail } from '../../../src/providers/provider.ts'
import { mail } from '../../support/mail.ts'

const from = (name: string): Partial<Mail> => ({ from: { email: 'news@sender.example', name } })
const to = (name: string): Partial<Mail> => ({ to: { email: 'reader@example.com', name } })
/** So long that every form of encoded word ends somewhere inside. */
const across = (unit: string) => unit.repeat(60)

const MAILS: [string, Partial<Mail>][] = [
  ['plain', {}],
  [
    'quotes, commas and brackets in names',
    { ...from('Bob "The \\ Builder" <b@evil.example>, Ltd.'), ...to('a@b, c;d:e') },
  ],
  ['a name that is an address', { ...from('boss@bank.example'), ...to('<reader@example.com>') }],
  ['a name of parentheses and dots', { ...from('J. R. (Jr.)'), ...to("O'Brien & Søn") }],
  ['a name with emoji', { ...from('🐎 Horse 👩‍👩‍👧 Co'), ...to('❤️') }],
  ['names from right to left', { ...from('أخبار، "اليوم"'), ...to('דוד (1)'), subject: 'مرحبا بك، 20% خصم!' }],
  [
    'names that look encoded',
    { ...from('=?utf-8?B?ZXZpbA==?='), ...to('a =?utf-8?Q?x?= b'), subject: '=?utf-8?Q?=0A?=' },
  ],
  ['long names', { ...from('word '.repeat(40).trim()), ...to(`${'x'.repeat(70)}, "${'y'.repeat(120)}"`) }],
  [
    'combining characters across the borders of words',
    { subject: across('e\u0301'), ...from(across('o\u0308\u0323')) },
  ],
  ['emoji of many parts across the borders of words', { subject: across('👩🏽‍🚀'), ...to(across('🏳️‍🌈')) }],
  ['Devanagari and Thai', { subject: across('क्षि'), ...from(across('น้ำ').slice(0, 120)) }],
  ['a subject of 2,000 characters', { subject: '山'.repeat(2_000) }],
  ['a subject of many words', { subject: `${'Ústí and more, '.repeat(100)}end` }],
  ['a subject with blanks at its ends and in a row', { subject: ' a  b   ' }],
  ['a subject that looks like a header', { subject: 'Bcc: evil@example.org' }],
  ['HTML with very long lines', { html: `<p>${'x'.repeat(20_000)}</p>${'<b>é</b>'.repeat(5_000)}` }],
  ['text whose lines begin with dots and From', { text: '.\n..\n.a\nFrom me\n>From you\n.\nFrom: x\n\n.' }],
  ['blanks at the ends of lines, tabs and empty lines', { text: 'a \nb\t\n \n\n\tc  d\n\n', html: '<p> </p> \n\n' }],
  ['text that looks like a boundary', { text: '--=_c7.s42sender.example\n--=_c7.s42sender.example--\n--\nx' }],
  ['text that looks encoded', { text: '=3D =\n=20\n=', html: '<a href="?a=3D&b=">=C3=A9</a>' }],
  [
    'text of every kind of letter',
    { text: 'Ž 山 é e\u0301 🐎 \u200f عربي \u00a0 \u2028 \u{10ffff}', html: '<p>\u00ad&nbsp;ß</p>' },
  ],
  [
    'a reply address, IDN and list fields',
    {
      reply_to: 'answers@bücher.example',
      headers: [
        [
          'List-Unsubscribe',
          `<https://t.example/${'u'.repeat(120)}>, <mailto:u+${'a'.repeat(50)}@in.example?subject=unsubscribe>`,
        ],
        ['List-Id', 'Žluť, "noviny" <list-1.sender.example>'],
      ],
    },
  ],
]

interface Read {
  from: [name: string, address: string]
  to: [name: string, address: string]
  reply_to: string
  subject: string
  message_id: string
  date: string
  text: string
  html: string
  parts: number
}

/** Line ends as they go over the wire, and the one before the boundary. */
const wire = (text: string) => text.replace(/\r\n|\r|\n/g, '\n').replace(/\n*$/, '')

const meant = (changes: Partial<Mail>): Read => {
  const it = mail(changes)
  return {
    from: [it.from.name ?? '', it.from.email],
    to: [it.to.name ?? '', it.to.email],
    reply_to: it.reply_to?.replace('bücher', 'xn--bcher-kva') ?? '',
    subject: it.subject,
    message_id: `<${it.message_id}>`,
    date: it.date.toISOString(),
    text: wire(it.text),
    html: wire(it.html),
    parts: 2,
  }
}

const bytesOf = (changes: Partial<Mail>) => Buffer.from(buildMessage(mail(changes)).bytes)

async function byMailparser(bytes: Buffer): Promise<Partial<Read>> {
  const it = await simpleParser(bytes)
  const one = (field: typeof it.to): [string, string] => {
    const [mailbox, ...more] = [field ?? []].flat().flatMap(({ value }) => value)
    expect(more).toEqual([])
    return [mailbox?.name ?? '', mailbox?.address ?? '']
  }
  return {
    from: one(it.from),
    to: one(it.to),
    // It shows domains to people.
    reply_to: one(it.replyTo)[1].replace('bücher', 'xn--bcher-kva'),
    subject: it.subject ?? '',
    message_id: it.messageId ?? '',
    date: it.date?.toISOString() ?? '',
    text: wire(it.text ?? ''),
    html: wire(it.html || ''),
  }
}

async function byPostalMime(bytes: Buffer): Promise<Partial<Read>> {
  const it = await PostalMime.parse(bytes)
  const one = (field: Address[] | undefined): [string, string] => {
    expect(field?.length ?? 1).toBe(1)
    return [field?.[0]?.name ?? '', field?.[0]?.address ?? '']
  }
  return {
    from: one(it.from ? [it.from] : undefined),
    to: one(it.to),
    reply_to: one(it.replyTo)[1],
    subject: it.subject ?? '',
    message_id: it.messageId ?? '',
    date: it.date ?? '',
    text: wire(it.text ?? ''),
    html: wire(it.html ?? ''),
  }
}

const PYTHON = `
import sys, json, base64, email, email.policy
out = []
for line in json.load(sys.stdin):
    m = email.message_from_bytes(base64.b64decode(line), policy=email.policy.SMTP)
    one = lambda f: [f.addresses[0].display_name, f.addresses[0].addr_spec] if f and len(f.addresses) == 1 else ['', '']
    parts = list(m.iter_parts())
    out.append({
        'from': one(m['from']), 'to': one(m['to']), 'reply_to': one(m['reply-to'])[1], 'subject': str(m['subject']),
        'message_id': str(m['message-id']), 'date': m['date'].datetime.isoformat(),
        'text': parts[0].get_content(), 'html': parts[1].get_content(), 'parts': len(parts),
        'types': [m.get_content_type()] + [p.get_content_type() for p in parts],
        'defects': [str(d) for p in [m] + parts for d in list(p.defects) + [d for h in p.values() for d in h.defects]],
        'list_id': str(m['list-id'] or ''),
    })
json.dump(out, sys.stdout)
`
/** Until gh-128110, Python left a blank between the encoded words of a name (against RFC 2047 6.2): long ones are compared without. */
const joined = ([name, address]: [string, string]): [string, string] => [
  name.length > 40 ? name.replaceAll(' ', '') : name,
  address,
]
const python = spawnSync('python3', ['-c', 'import email.policy']).status === 0

describe.each(MAILS)('%s', (_, changes) => {
  test('as mailparser reads it', async () => {
    const { parts: _parts, ...expected } = meant(changes)
    expect(await byMailparser(bytesOf(changes))).toEqual(expected)
  })

  test('as postal-mime reads it', async () => {
    const { parts: _parts, ...expected } = meant(changes)
    expect(await byPostalMime(bytesOf(changes))).toEqual(expected)
  })
})

describe.skipIf(!python)('as Python’s email package reads', () => {
  let read: (Read & { types: string[]; defects: string[]; list_id: string })[]
  beforeAll(() => {
    const input = JSON.stringify(MAILS.map(([, changes]) => bytesOf(changes).toString('base64')))
    read = JSON.parse(execFileSync('python3', ['-c', PYTHON], { input, maxBuffer: 64 * 1024 * 1024 }).toString())
  })

  test.each(MAILS.map(([name, changes], index) => [name, index, changes] as const))('%s', (_, index, changes) => {
    const it = read[index]
    if (!it) throw new Error('Python read nothing')
    const { types, defects, list_id, ...fields } = it
    const expected = meant(changes)
    for (const mails of [fields, expected]) {
      mails.from = joined(mails.from)
      mails.to = joined(mails.to)
    }
    expect({ ...fields, date: new Date(it.date).toISOString(), text: wire(it.text), html: wire(it.html) }).toEqual(
      expected,
    )
    expect(types).toEqual(['multipart/alternative', 'text/plain', 'text/html'])
    expect(defects).toEqual([])
    if (changes.headers) expect(list_id).toBe('Žluť, "noviny" <list-1.sender.example>')
  })
})

test.each(MAILS)('%s: lines of at most 998 octets, no bare CR or LF, no 8-bit byte, no Bcc', (_, changes) => {
  const text = bytesOf(changes).toString('latin1')
  for (const line of text.split('\r\n')) {
    expect(line.length).toBeLessThanOrEqual(998)
    expect(line).toMatch(/^[\t -~]*$/)
  }
  expect(text).not.toMatch(/^bcc:/im)
})

test('a subject of 10,000 characters is refused', () => {
  expect(() => bytesOf({ subject: 'x'.repeat(10_000) })).toThrow(UnsendableMail)
})
