import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LARGEST_BODY } from '../../../src/mime/message.ts'
import { type Provider, UnsendableMail } from '../../../src/providers/provider.ts'
import { sendGridProvider } from '../../../src/providers/sendgrid.ts'
import { sesProvider } from '../../../src/providers/ses.ts'
import { smtpProvider } from '../../../src/providers/smtp/provider.ts'
import { mail } from '../../support/mail.ts'

const never = () => {
  throw new Error('a socket was opened')
}
const providers: [string, Provider][] = [
  [
    'SMTP',
    smtpProvider(
      { name: 'a', kind: 'smtp', host: 'localhost', port: 1, tls: 'none', max_connections: 1 },
      never,
    ) as Provider,
  ],
  [
    'Amazon SES',
    sesProvider({
      name: 'b',
      kind: 'ses',
      region: 'eu-central-1',
      access_key_id: 'k',
      secret_access_key: 's',
      max_connections: 1,
    }) as Provider,
  ],
  ['SendGrid', sendGridProvider({ name: 'c', kind: 'sendgrid', api_key: 'SG.k', max_connections: 1 }) as Provider],
]

const ADDRESS_ATTACKS = [
  'b@example.com>\r\nRCPT TO:<evil@y.example',
  'b@example.com> NOTIFY=NEVER',
  'b@example.com\r\nBcc: evil@y.example',
  'b@example.com\n',
  'b@example.com\0',
  'b\u0001@example.com',
  'b@example.com, evil@y.example',
  'b <b@example.com>',
  '<b@example.com>',
  'b@exa mple.com',
  'b@',
  '@example.com',
  'b',
  '',
  'b@[127.0.0.1]',
  'b@127.0.0.1',
  'b@example..com',
  'b@-',
  `${'b'.repeat(65)}@example.com`,
  `b@${'x.'.repeat(130)}com`,
  '"b@c"@example.com',
  'b\u2028c@example.com',
  '\ud800@example.com',
]

describe.each(providers)('%s', (_name, provider) => {
  test.each(ADDRESS_ATTACKS)('refuses the address %j in every place', (email) => {
    for (const changes of [{ to: { email, name: null } }, { from: { email, name: null } }, { reply_to: email }]) {
      expect(() => provider.prepare(mail(changes))).toThrow(UnsendableMail)
    }
  })

  test('refuses control characters in subject, names and headers, and headers that are not the caller’s', () => {
    for (const control of ['\r\n', '\n', '\r', '\0', '\u0008', '\u001b', '\u007f', '\t']) {
      for (const changes of [
        { subject: `a${control}Bcc: evil@y.example` },
        { from: { email: 'news@sender.example', name: `a${control}b` } },
        { to: { email: 'b@example.com', name: `a${control}b` } },
        { headers: [['X-Note', `a${control}b`]] as [string, string][] },
        { headers: [[`X-Note${control}`, 'b']] as [string, string][] },
      ]) {
        expect(() => provider.prepare(mail(changes)), JSON.stringify([control, changes])).toThrow(UnsendableMail)
      }
    }
    for (const name of ['Bcc', 'cc', 'To', 'SUBJECT', 'Content-Type', 'Received', 'Resent-To', 'X Y', 'X:', '']) {
      expect(() => provider.prepare(mail({ headers: [[name, 'b']] })), name).toThrow(UnsendableMail)
    }
  })

  test('takes a subject of 2,000 characters, of one word, of many, and outside ASCII; refuses a longer one', () => {
    for (const subject of ['s'.repeat(2_000), 'word '.repeat(400), '山'.repeat(2_000), '👩‍👩‍👧'.repeat(250)]) {
      expect(() => provider.prepare(mail({ subject }))).not.toThrow()
      expect(() => provider.prepare(mail({ subject: subject.repeat(5) }))).toThrow(
        /^subject: 10000 characters, at most/,
      )
    }
  })

  test('refuses a body of 30 MB, takes the largest that goes', () => {
    const text = 'x'.repeat(30 * 1024 * 1024)
    expect(() => provider.prepare(mail({ text }))).toThrow(UnsendableMail)
    expect(() => provider.prepare(mail({ html: text }))).toThrow(UnsendableMail)
    expect(() => provider.prepare(mail({ html: 'é\n'.repeat((LARGEST_BODY - 5) / 2), text: 'Hello' }))).not.toThrow()
  })
})

test('whatever one part of a mail is, it is prepared or UnsendableMail', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('\r\n', '', '=?'))
  const domain = fc.constantFrom('example.com', 'bücher.example', 'x')
  const email = fc.oneof(
    text,
    fc.tuple(text, domain).map(([local, host]) => `${local}@${host}`),
  )
  const mailbox = fc.record({ email, name: fc.option(text) })
  const odd = fc.oneof(
    fc.record({ from: mailbox }),
    fc.record({ to: mailbox }),
    fc.record({ reply_to: email }),
    fc.record({ envelope_from: email }),
    fc.record({ subject: text }),
    fc.record({ html: text, text }),
    fc.record({ message_id: text }),
    fc.record({ date: fc.date() }),
    fc.record({ headers: fc.array(fc.tuple(text, text), { maxLength: 3 }) }),
  )
  fc.assert(
    fc.property(odd, (changes) => {
      for (const [, provider] of providers) {
        try {
          provider.prepare(mail(changes))
        } catch (error) {
          if (!(error instanceof UnsendableMail)) throw error
        }
      }
    }),
    { numRuns: 1_000 },
  )
})
