// A campaign's mail from its snapshot to its bytes, as parsers that are not ours read it.
import { simpleParser } from 'mailparser'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildMessage } from '../../../src/mime/message.ts'
import { prepareContent } from '../../../src/render/render.ts'
import { composeMail } from '../../../src/sending/compose.ts'
import { DEVELOPMENT_SIGNING_KEYS } from '../../../src/tokens/development.ts'
import { parseSigningKeys, type SigningKeys } from '../../../src/tokens/keys.ts'
import { readMailTokenAddress, verifyMailToken } from '../../../src/tokens/mail-token.ts'
import { verifyRecipient } from '../../../src/tokens/recipient.ts'

let signing_keys: SigningKeys
beforeAll(async () => {
  signing_keys = await parseSigningKeys(DEVELOPMENT_SIGNING_KEYS)
})

const date = new Date('2026-11-24T08:00:00Z')
const person = {
  subscriber_id: 42,
  email: 'reader@example.com',
  first_name: 'Žofie',
  last_name: 'O"Brien, Jr.',
  attributes: {},
  timezone: null,
  locale: null,
}

interface Choices {
  list?: string
  from_email?: string
  reply_to?: string
  mail_domain?: string
  bounce_domain?: string
}

function compose({
  list = 'News',
  from_email = 'news@acme.example',
  reply_to,
  mail_domain = '',
  bounce_domain,
}: Choices) {
  const snapshot = {
    template_id: 1,
    template_version: 1,
    subject: 'Ahoj {{first_name}} 🐎',
    preheader: '',
    html: '<p>Hello <a href="{{unsubscribe_url}}">leave</a></p>',
    text: 'Hello {{unsubscribe_url}}',
    sender: {
      from_name: 'Acme, Ltd.',
      from_email,
      reply_to: reply_to ?? null,
      postal_address: 'Street',
      account: null,
    },
    tracking_url: 'https://t.acme.example',
    public_url: 'https://mail.acme.example',
    utm: null,
    track_opens: 'individual' as const,
    track_clicks: 'individual' as const,
    list: { id: 3, name: list },
    campaign: { id: 12, name: 'C' },
  }
  const campaign = { id: 12, snapshot, renderer: prepareContent(snapshot) }
  return composeMail(campaign, person, { signing_keys, link_hosts: () => false, mail_domain }, date, bounce_domain)
}

const source = async (choices: Choices = {}) => Buffer.from(buildMessage(await compose(choices)).bytes).toString()
/** One field, unfolded. */
const field = (text: string, name: string) =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'm').exec(text)?.[1]?.replace(/\r\n(?=[ \t])/g, '')

describe('the mail of a campaign', () => {
  test('has each field that bulk senders need once, and no other', async () => {
    const text = await source({ reply_to: 'answers@acme.example', mail_domain: 'in.acme.example' })
    const head = text.slice(0, text.indexOf('\r\n\r\n'))
    expect(head.match(/^[!-9;-~]+(?=:)/gm)).toEqual([
      ...['Date', 'Message-ID', 'MIME-Version', 'From', 'To', 'Reply-To', 'Subject'],
      ...['List-Unsubscribe', 'List-Unsubscribe-Post', 'List-Id', 'Feedback-ID', 'Precedence', 'Content-Type'],
    ])
    for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998)
    const mail = await simpleParser(text)
    expect(mail.from?.value).toEqual([{ address: 'news@acme.example', name: 'Acme, Ltd.' }])
    expect(mail.to).toMatchObject({ value: [{ address: 'reader@example.com', name: 'Žofie O"Brien, Jr.' }] })
    expect(mail.replyTo?.value).toEqual([{ address: 'answers@acme.example', name: '' }])
    expect(mail.subject).toBe('Ahoj Žofie 🐎')
    expect(mail.date).toEqual(date)
    expect(mail.messageId).toBe('<campaign-12.42@acme.example>')
    expect(text.indexOf('text/plain')).toBeLessThan(text.indexOf('text/html'))
  })

  test('is the same for every attempt', async () => {
    expect(await source()).toBe(await source())
  })
})

describe('who wants to leave', () => {
  test('finds the link alone where no domain takes mail', async () => {
    const text = await source()
    const [, token = ''] = /^<https:\/\/t\.acme\.example\/u\/(.*)>$/.exec(field(text, 'List-Unsubscribe') ?? '') ?? []
    expect(await verifyRecipient(signing_keys, 'unsubscribe', token)).toMatchObject({
      campaign_id: 12,
      subscriber_id: 42,
    })
    expect(field(text, 'List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click')
  })

  test('finds link and address where one does, the link first', async () => {
    const [, address = ''] =
      /^<https:[^>]+>, <mailto:(.*)\?subject=unsubscribe>$/.exec(
        field(await source({ mail_domain: 'in.acme.example' }), 'List-Unsubscribe') ?? '',
      ) ?? []
    expect(address).toMatch(/^unsubscribe\+[a-z2-7]+@in\.acme\.example$/)
    const { purpose, token } = readMailTokenAddress(address) ?? { purpose: 'bounce', token: '' }
    expect(purpose).toBe('unsubscribe-mail')
    expect(await verifyMailToken(signing_keys, purpose, token)).toMatchObject({ campaign_id: 12, subscriber_id: 42 })
  })
})

describe('bounces', () => {
  test('come back to the From address, or to the account’s domain by an address that names the mail', async () => {
    expect((await compose({})).envelope_from).toBe('news@acme.example')
    const { envelope_from } = await compose({ bounce_domain: 'bounces.acme.example' })
    expect(envelope_from).toMatch(/^b\.[a-z2-7]+@bounces\.acme\.example$/)
    const { purpose, token } = readMailTokenAddress(envelope_from) ?? { purpose: 'unsubscribe-mail', token: '' }
    expect(purpose).toBe('bounce')
    expect(await verifyMailToken(signing_keys, purpose, token)).toMatchObject({ campaign_id: 12, subscriber_id: 42 })
  })
})

describe('List-Id', () => {
  test.each([
    ['News', 'News <list-3.acme.example>'],
    ['News, weekly', '"News, weekly" <list-3.acme.example>'],
    ['The "real" <b>news</b> (2)', '"The \\"real\\" <b>news</b> (2)" <list-3.acme.example>'],
    ['Ústí, nad', '=?utf-8?B?w5pzdMOtLCBuYWQ=?= <list-3.acme.example>'],
    ['حملة 🐎', '=?utf-8?B?2K3ZhdmE2Kkg8J+Qjg==?= <list-3.acme.example>'],
  ])('of the list %s', async (list, expected) => {
    expect(field(await source({ list }), 'List-Id')).toBe(expected)
  })

  test('has one pair of brackets outside of quotes, whatever the name, and lines that fit', async () => {
    for (const list of [
      '<a@b> <c>',
      'a'.repeat(200),
      'é '.repeat(90).trim(),
      'x <list-4.evil.example>',
      '=?utf-8?Q?x?=',
    ]) {
      const text = await source({ list })
      expect(field(text, 'List-Id')).toMatch(/<list-3\.acme\.example>$/)
      expect(field(text, 'List-Id')?.replace(/"(?:\\.|[^"\\])*"/g, '')).toMatch(/^[^<>]*<list-3\.acme\.example>$/)
      for (const line of text.split('\r\n')) expect(line.length).toBeLessThanOrEqual(98)
    }
  })
})

describe('Feedback-ID', () => {
  test.each([
    ['acme.example', /^acmeexample$/],
    ['a-b.io', /^abio[a-z0-9]{7}$/],
    ['news.a-very-long-name.example', /^newsaver[a-z0-9]{7}$/],
    ['news.a-very-long-name.other.example', /^newsaver[a-z0-9]{7}$/],
  ])('of %s ends in a name of 5 to 15 characters', async (domain, expected) => {
    const fields = field(await source({ from_email: `a@${domain}` }), 'Feedback-ID')?.split(':') ?? []
    expect(fields.slice(0, 3)).toEqual(['c12', 'l3', 'campaign'])
    expect(fields).toHaveLength(4)
    expect(fields[3]).toMatch(expected)
    expect(fields[3]).toMatch(/^[a-z0-9]{5,15}$/)
  })

  test('differs between domains that begin alike', async () => {
    const [a, b] = await Promise.all(
      ['news.a-very-long-name.example', 'news.a-very-long-name.other.example'].map(async (domain) =>
        field(await source({ from_email: `a@${domain}` }), 'Feedback-ID'),
      ),
    )
    expect(a).not.toBe(b)
  })
})
