// What mails to a return path say: notices as mail servers write them, and what people's programs send there.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readReport } from '../../../src/feedback/dsn.ts'
import { parseMail, readMail } from '../../../src/feedback/dsn-mail.ts'
import { FEEDBACK_KINDS } from '../../../src/feedback/event.ts'

const FOLDER = new URL('./dsn/', import.meta.url)
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.eml'))
const textOf = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8').replaceAll('\n', '\r\n')
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** What a mail says, as `kind words`. @param null_sender - notices have none */
async function said(raw: Uint8Array<ArrayBuffer> | string, null_sender = true): Promise<string> {
  const mail = await parseMail(typeof raw === 'string' ? bytesOf(raw) : raw)
  const report = mail ? readReport(mail, null_sender) : { is: 'no mail' as const }
  return report.is === 'report' ? `${report.kind} ${report.diagnostic}` : report.is
}

/** Which kind, and words that must be in what is kept of the server's own. */
const SAYS: Record<string, [kind: string, words?: string]> = {
  'alias-both-dead': ['hard_bounce', '550 5.1.1 User unknown'],
  'alias-one-delivered': ['delivered'],
  'alias-one-full': ['soft_bounce', '552 5.2.2'],
  'arf-abuse': ['complaint', 'abuse'],
  'arf-not-spam': ['unclear'],
  'barracuda-content': ['blocked', '554 rejected due to spam content'],
  'base64-status': ['soft_bounce', '552 5.2.2 mailbox full'],
  challenge: ['unclear'],
  'copy-claims-another-mail': ['hard_bounce', 'User unknown'],
  'daemon-says-nothing': ['unclear'],
  'domino-not-listed': ['hard_bounce', 'not listed in Domino Directory'],
  'domino-report': ['hard_bounce', '550 5.1.1'],
  'exchange-2003': ['hard_bounce', '#5.1.1'],
  'exchange-html-only': ['soft_bounce', '550 5.2.2 STOREDRV.Deliver; mailbox full'],
  'exim-plain-policy': ['blocked', '550 5.7.1 This message was not accepted'],
  'exim-plain-retry-timeout': ['soft_bounce', 'retry timeout exceeded'],
  'exim-plain-unrouteable': ['hard_bounce', 'Unrouteable address'],
  'exim-plain-warning': ['deferred', '451 4.7.1'],
  'exim-report': ['hard_bounce', 'No Such User Here'],
  'global-status': ['hard_bounce', 'bøb@example.net'],
  'gmail-no-such-user': ['hard_bounce', 'does not exist'],
  'gmail-over-quota': ['soft_bounce', 'out of storage space'],
  'gmail-rate-given-up': ['blocked', '4.7.28'],
  'gmail-unauthenticated': ['blocked', '5.7.26'],
  'gmx-plain': ['soft_bounce', '550 Requested action not taken: mailbox unavailable'],
  'nested-failure-in-a-delay': ['deferred', 'Connection timed out'],
  'nested-in-an-answer': ['unclear'],
  'office365-access-denied': ['soft_bounce', '5.4.1'],
  'office365-authentication': ['blocked', '5.7.515'],
  'office365-not-found': ['hard_bounce', 'RESOLVER.ADR.RecipientNotFound'],
  'one-group': ['hard_bounce', '550 5.1.1 unknown'],
  'person-answers': ['unclear'],
  'person-quotes-a-notice': ['unclear'],
  'postfix-1-old': ['hard_bounce', 'User unknown'],
  'postfix-delayed': ['deferred', 'Connection timed out'],
  'postfix-expired': ['soft_bounce', 'Connection refused'],
  'postfix-greylisted-for-good': ['blocked', '450 4.7.1'],
  'postfix-mailbox-full': ['soft_bounce', 'Quota exceeded'],
  'postfix-no-such-domain': ['soft_bounce', 'Host not found'],
  'postfix-relayed': ['delivered', '250 2.0.0'],
  'postfix-spamhaus': ['blocked', 'zen.spamhaus.org'],
  'postfix-success': ['delivered', '250 2.1.5 OK'],
  'postfix-unknown-user': ['hard_bounce', 'Recipient address rejected: User unknown in virtual mailbox table'],
  'qmail-no-mailbox': ['hard_bounce', 'no mailbox here by that name'],
  'qmail-queue-too-long': ['soft_bounce', '#4.4.1'],
  'qmail-remote-policy': ['blocked', '554 5.7.1'],
  'qmail-vdelivermail': ['soft_bounce', 'no longer accepts mail'],
  'read-receipt': ['reply'],
  'sendmail-policy-called-5-1-1': ['blocked', 'Spamhaus'],
  'sendmail-user-unknown': ['hard_bounce', 'User unknown'],
  'sendmail-warning': ['deferred', '451 4.2.0'],
  'status-in-words-only': ['hard_bounce', '550 5.1.1 no such user'],
  'status-of-now-without-action': ['deferred', '4.2.2'],
  'status-only': ['hard_bounce', '5.1.2'],
  't-online': ['hard_bounce', 'unknown user'],
  'ticket-received': ['reply'],
  'undeliverable-with-a-subject-about-delays': ['hard_bounce', 'RecipNotFound'],
  'vacation-exchange': ['reply'],
  'vacation-from-postmaster': ['reply'],
  'vacation-quotes-a-reply': ['reply'],
  'vacation-sieve': ['reply'],
  'warning-in-plain-words': ['deferred', '451 4.3.0'],
  'yahoo-over-quota': ['soft_bounce', 'over quota'],
  'yahoo-plain': ['hard_bounce', "doesn't have a yahoo.example account"],
}

test('every mail of the folder is judged', () => {
  expect(FILES.map((name) => name.slice(0, -4)).toSorted()).toEqual(Object.keys(SAYS).toSorted())
})

/** What people, and programs that answer as they do, send from an address of theirs. */
const PEOPLE = /^(?:challenge|nested-in-an-answer|person|read-receipt|ticket|vacation-exchange)/

test.each(Object.entries(SAYS))('%s', async (name, [kind, words = '']) => {
  const heard = await said(textOf(`${name}.eml`), !PEOPLE.test(name))
  expect(heard.split(' ')[0]).toBe(kind)
  expect(heard).toContain(words)
})

test('with LF alone, and with a mailbox file’s first line, it says the same', async () => {
  const text = textOf('postfix-unknown-user.eml')
  expect(await said(text.replaceAll('\r\n', '\n'))).toBe(await said(text))
  expect(await said(`From MAILER-DAEMON Tue Nov 24 09:00:07 2026\r\n${text}`)).toBe(await said(text))
})

test('cut off anywhere it is no other failure than the whole one', async () => {
  const text = textOf('postfix-mailbox-full.eml')
  const heard = new Set<string>()
  for (let at = 0; at < text.length; at += 7) heard.add((await said(text.slice(0, at))).split(' ')[0] ?? '')
  expect([...heard].toSorted()).toEqual(['reply', 'soft_bounce', 'unclear'])
})

const DAEMON = 'From: MAILER-DAEMON@mx.example.net\r\nSubject: Undeliverable\r\n'
const reportOf = (status: string) =>
  `${DAEMON}Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nwords\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n${status}\r\n--b--\r\n`

test.each([
  ['nothing at all', '', 'unclear'],
  ['one header, cut off', 'Content-Type: multipart/rep', 'unclear'],
  ['a status of success that claims failure', reportOf('Action: failed\r\nStatus: 2.0.0'), 'unclear'],
  ['an action nobody knows', reportOf('Action: exploded'), 'unclear'],
  ['an action nobody knows, with a status', reportOf('Action: exploded\r\nStatus: 5.1.1'), 'unclear'],
  ['a status without action', reportOf('Status: 5.1.1'), 'hard_bounce'],
  ['failure without any reason', reportOf('Action: failed'), 'soft_bounce'],
  ['a status of five digits', reportOf('Action: failed\r\nStatus: 5.1.11111'), 'soft_bounce'],
  ['fields named like methods', reportOf('constructor: x\r\n__proto__: y\r\nhasOwnProperty: z'), 'unclear'],
  ['only blanks', reportOf(' \r\n\t\r\n '), 'unclear'],
  ['NULs between the letters', `${DAEMON}\r\n${[...'550 5.1.1 user unknown'].join('\0')}`, 'unclear'],
  ['a NUL in the words', reportOf('Action: failed\r\nDiagnostic-Code: smtp; 550 5.1.1 no\0body'), 'hard_bounce'],
  [
    'a charset that does not exist',
    `${DAEMON}Content-Type: text/plain; charset=klingon-8\r\n\r\n550 5.1.1 user unknown`,
    'hard_bounce',
  ],
  [
    'a boundary that never comes',
    `${DAEMON}Content-Type: multipart/report; boundary=never\r\n\r\n550 5.1.1 user unknown`,
    'unclear',
  ],
  [
    'a disposition for a person to save',
    reportOf('Action: failed\r\nStatus: 5.1.1').replace(
      'message/delivery-status',
      'message/delivery-status; name=x\r\nContent-Disposition: attachment',
    ),
    'hard_bounce',
  ],
])('%s', async (_name, text, kind) => {
  expect((await said(text)).split(' ')[0]).toBe(kind)
})

test('bytes that are no UTF-8 are read as far as they are ASCII', async () => {
  const raw = bytesOf(reportOf('Action: failed\r\nDiagnostic-Code: smtp; 550 5.1.1 Empf?nger unbekannt'))
  raw[raw.lastIndexOf('?'.charCodeAt(0))] = 0xe4
  expect(await said(raw)).toBe('hard_bounce smtp; 550 5.1.1 Empf\ufffdnger unbekannt')
})

const MEGABYTE = 1_000_000
const fill = (unit: string) => unit.repeat(Math.ceil(MEGABYTE / unit.length)).slice(0, MEGABYTE)

// That each ends at all, within the time of a test, is what is looked at.
test.each([
  ['100,000 headers', Array.from({ length: 100_000 }, (_, i) => `X-${i}: y\r\n`).join('')],
  [
    'a depth of 1,000',
    Array.from({ length: 1000 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`).join(''),
  ],
  ['a mail in a mail, 20,000 times', 'Content-Type: message/rfc822\r\n\r\n'.repeat(20_000)],
  ['parts without end', `${DAEMON}Content-Type: multipart/mixed; boundary=b\r\n\r\n${fill('--b\r\n\r\n')}`],
  [
    'parts of HTML without end',
    `${DAEMON}Content-Type: multipart/mixed; boundary=b\r\n\r\n${fill('--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n')}`,
  ],
  ['empty lines', `${DAEMON}\r\n${fill('\n')}`],
  ['open tags', `${DAEMON}Content-Type: text/html\r\n\r\n${fill('<p ')}`],
  ['addresses', `${DAEMON}To: ${fill('a@b,').slice(0, 250_000)}\r\n\r\n`],
  ['flowed text', `${DAEMON}Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n${fill('> a \r\n')}`],
])('a megabyte of %s says nothing', async (_name, text) => {
  expect(['unclear', 'no mail']).toContain(await said(bytesOf(text).subarray(0, MEGABYTE)))
})

test.each([
  ['codes', `${DAEMON}\r\n${fill('550 ')}`, 'soft_bounce'],
  ['fields', reportOf(fill('Action: failed\r\n\r\n')), 'soft_bounce'],
  ['one field', reportOf(`Action: failed\r\nDiagnostic-Code: ${fill('550-')}`), 'soft_bounce'],
  ['lines of one field', reportOf(`Action: failed\r\nDiagnostic-Code: x\r\n${fill(' x\r\n')}`), 'soft_bounce'],
])('a megabyte of %s says what its beginning says', async (_name, text, kind) => {
  expect((await said(bytesOf(text).subarray(0, MEGABYTE))).split(' ')[0]).toBe(kind)
})

test('of 10 MB no more than the first is taken from whoever sends', async () => {
  const chunk = new Uint8Array(64 * 1024).fill(65)
  let given = 0
  let left = false
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += chunk.length
      if (given > 10 * MEGABYTE) controller.close()
      else controller.enqueue(chunk)
    },
    cancel() {
      left = true
    },
  })
  expect((await readMail(stream)).length).toBe(MEGABYTE)
  expect(left).toBe(true)
  expect(given).toBeLessThan(MEGABYTE + 3 * chunk.length)
})

/** Small and repeatable (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Bytes changed, cut out, doubled, swapped with those of another mail. */
function mutate(mail: Uint8Array, other: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  let changed = Uint8Array.from(mail)
  const within = (size: number) => Math.floor(random() * size)
  for (let times = 1 + within(6); times > 0 && changed.length > 0; times--) {
    const from = within(changed.length)
    const to = Math.min(changed.length, from + within(200))
    switch (within(5)) {
      case 0:
        changed[from] = within(256)
        break
      case 1:
        changed = Uint8Array.from([...changed.subarray(0, from), ...changed.subarray(to)])
        break
      case 2:
        changed = Uint8Array.from([...changed.subarray(0, to), ...changed.subarray(from)])
        break
      case 3:
        changed = Uint8Array.from([...changed.subarray(0, from), ...other.subarray(within(other.length))])
        break
      case 4:
        changed = changed.slice(0, to)
    }
  }
  return changed
}

test('whatever is changed in these mails, they are read without an error', async () => {
  const mails = FILES.map((name) => bytesOf(textOf(name)))
  const kinds = new Set<string>([...FEEDBACK_KINDS, 'reply', 'unclear', 'no'])
  const heard = new Set<string>()
  for (let seed = 0; seed < MUTATIONS; seed++) {
    const random = randomOf(seed)
    const pick = () => mails[Math.floor(random() * mails.length)] ?? new Uint8Array()
    heard.add((await said(mutate(pick(), pick(), random), random() < 0.5)).split(' ')[0] ?? '')
  }
  expect([...heard].filter((kind) => !kinds.has(kind))).toEqual([])
  expect(heard.size).toBeGreaterThan(6)
})

/** 20,000 and more were tried; these are the first of them. */
const MUTATIONS = 500
