import { describe, expect, test } from 'vitest'
import { answerText } from '../../../src/providers/answer.ts'
import { retryAfter } from '../../../src/providers/retry_after.ts'
import { sesOutcome } from '../../../src/providers/ses.ts'
import { outcomeOf, type Stage } from '../../../src/providers/smtp/outcome.ts'
import { ConnectionLost, ReplyBuffer } from '../../../src/providers/smtp/reply.ts'

const replies = (...pieces: string[]) => {
  const buffer = new ReplyBuffer()
  const found = []
  for (const piece of pieces) {
    buffer.push(new TextEncoder().encode(piece))
    for (let reply = buffer.take(); reply !== null; reply = buffer.take()) found.push(reply)
  }
  return found
}

describe('an SMTP reply means', () => {
  const cases: [Stage, string, string, boolean?][] = [
    ['dot', '250 2.0.0 queued', 'sent'],
    ['rcpt', '450 4.2.0 greylisted', 'later'],
    ['rcpt', '452 4.5.3 too many recipients', 'later'],
    ['rcpt', '552 5.5.3 too many recipients', 'later'],
    ['rcpt', '421 4.7.0 slow down', 'later'],
    ['dot', '421 closing', 'later'],
    ['dot', '451 4.3.0 error', 'later'],
    ['data', '451 4.3.0 error', 'later'],
    ['mail', '451 4.3.0 error', 'later'],
    ...['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1'].map((status): [Stage, string, string, boolean] => [
      'rcpt',
      `550 ${status} refused`,
      'never',
      true,
    ]),
    ['dot', '550 5.1.1 no such user', 'never', true],
    ['rcpt', '550 5.2.2 mailbox full', 'never', false],
    ['rcpt', '550 5.7.1 user unknown to our policy', 'never', false],
    ['rcpt', '550 5.7.515 access denied, domain does not meet the required level', 'never', false],
    ['rcpt', '554 5.7.1 relay access denied', 'never', false],
    ['rcpt', '550 User unknown', 'never', true],
    ['rcpt', '550 No such user here', 'never', true],
    ['rcpt', '550 <x@example.com>: Recipient address rejected: User unknown in virtual mailbox table', 'never', true],
    ['rcpt', '550 The email account that you tried to reach does not exist', 'never', true],
    ['rcpt', '553 sorry, no mailbox here by that name', 'never', true],
    ['rcpt', '550 unrouteable address', 'never', true],
    ['rcpt', '550 Requested action not taken: mailbox unavailable', 'never', false],
    ['rcpt', '550 blocked, see https://example.com/why', 'never', false],
    ['rcpt', '554 User unknown', 'never', false],
    ['dot', '550 User unknown', 'never', false],
    ['dot', '552 5.3.4 too big', 'never', false],
    ['dot', '554 5.6.0 content refused', 'never', false],
    ['mail', '550 5.7.1 sender not allowed', 'stop'],
    ['mail', '553 sender rejected', 'stop'],
    ['mail', '552 5.3.4 too big', 'never', false],
    ['mail', '550 5.6.7 internationalized address', 'never', false],
    ...['530 5.7.0', '534 5.7.9', '535 5.7.8', '538 5.7.11'].map((code): [Stage, string, string] => [
      'rcpt',
      code,
      'stop',
    ]),
    ['mail', '530 log in first', 'stop'],
    ['data', '250 strange', 'later'],
    ['dot', '354 strange', 'unknown'],
  ]
  for (const [stage, line, kind, dead] of cases) {
    test(`${line} at ${stage}: ${kind}${dead ? ', the address is dead' : ''}`, () => {
      const [reply] = replies(`${line}\r\n`)
      if (!reply) throw new Error('no reply')
      const outcome = outcomeOf(reply, stage, 'x@example.com')
      expect(outcome.kind).toBe(kind)
      if (outcome.kind === 'never') expect(outcome.dead).toBe(dead)
    })
  }

  test('an enhanced status that contradicts its code counts for nothing', () => {
    expect(replies('550 4.1.1 strange\r\n')[0]?.enhanced).toBeNull()
  })
})

describe('replies are cut out of the stream', () => {
  test('in any pieces, several lines or several replies at once, CRLF or LF', () => {
    const stream = '250-fault.example\r\n250-SIZE 1000\r\n250 PIPELINING\r\n354 go\r\n550 5.1.1 nó\n221\r\n'
    const whole = replies(stream)
    expect(whole.map(({ code, lines }) => [code, lines])).toEqual([
      [250, ['fault.example', 'SIZE 1000', 'PIPELINING']],
      [354, ['go']],
      [550, ['5.1.1 nó']],
      [221, ['']],
    ])
    const bytes = new TextEncoder().encode(stream)
    const buffer = new ReplyBuffer()
    const found = []
    for (const byte of bytes) {
      buffer.push(Uint8Array.of(byte))
      for (let reply = buffer.take(); reply !== null; reply = buffer.take()) found.push(reply)
    }
    expect(found).toEqual(whole)
  })

  test('what is no SMTP, or never ends, is a lost connection', () => {
    expect(() => replies('HTTP/1.1 400 Bad Request\r\n')).toThrow(ConnectionLost)
    expect(() => replies('x'.repeat(70_000))).toThrow(ConnectionLost)
    expect(() => replies(...Array(2_000).fill(`250-${'x'.repeat(60)}\r\n`))).toThrow(ConnectionLost)
  })
})

describe('the answer that is kept', () => {
  test('is one line of at most 200 characters without the recipient in any spelling', () => {
    const text = `550 5.1.1 <A.B+c@Example.com>\r\n user a.b+c@example.com ${'x'.repeat(300)}`
    const answer = answerText(text, 'a.b+c@example.com')
    expect(answer.length).toBe(200)
    expect(answer).toMatch(/^550 5\.1\.1 <recipient> user <recipient> x+$/)
    expect(answerText('no jan@xn--bcher-kva.example', 'jan@xn--bcher-kva.example', 'jan@bücher.example')).toBe(
      'no <recipient>',
    )
  })
})

describe('an SES answer means', () => {
  const cases: [number, string, string, string][] = [
    [429, 'TooManyRequestsException', '', 'later'],
    [400, 'Throttling', 'Maximum sending rate exceeded.', 'later'],
    [400, 'LimitExceededException', '', 'later'],
    [503, '', '', 'later'],
    [400, 'SendingPausedException', '', 'stop'],
    [400, 'AccountSuspendedException', '', 'stop'],
    [400, 'MailFromDomainNotVerifiedException', '', 'stop'],
    [404, 'NotFoundException', '', 'stop'],
    [403, 'SignatureDoesNotMatch', '', 'stop'],
    [400, 'MessageRejected', 'Email address is not verified.', 'stop'],
    [400, 'MessageRejected', 'The message contains a virus.', 'never'],
    [400, 'BadRequestException', '', 'never'],
    [413, '', '', 'never'],
    [500, '', '', 'unknown'],
    [502, '', '<html>', 'unknown'],
    [504, '', '', 'unknown'],
  ]
  for (const [status, type, message, kind] of cases) {
    test(`${status} ${type} ${message}: ${kind}, by header or by body`, () => {
      expect(sesOutcome(status, `${type}:http://x/`, JSON.stringify({ message }), []).kind).toBe(kind)
      expect(sesOutcome(status, null, JSON.stringify({ __type: `com.amazonaws.ses#${type}`, message }), []).kind).toBe(
        kind,
      )
    })
  }

  test('the daily quota has a long hint, the sending rate has none', () => {
    const daily = sesOutcome(429, 'TooManyRequestsException', '{"message":"Daily message quota exceeded."}', [])
    expect(daily).toMatchObject({ kind: 'later', delay_seconds: 3_600 })
    expect(sesOutcome(429, 'TooManyRequestsException', '{}', [])).not.toHaveProperty('delay_seconds')
  })
})

test('a hint of how long to wait: seconds, an HTTP date, or the moment of the reset', () => {
  const now = Date.parse('2026-11-24T08:00:00Z')
  const hint = (headers: Record<string, string>) => retryAfter((name) => headers[name] ?? null, now)
  expect(hint({ 'retry-after': '120' })).toBe(120)
  expect(hint({ 'retry-after': 'Tue, 24 Nov 2026 08:01:30 GMT' })).toBe(90)
  expect(hint({ 'x-ratelimit-reset': String(now / 1000 + 45) })).toBe(45)
  expect(hint({ 'x-ratelimit-reset': String(now / 1000 - 45) })).toBe(1)
  expect(hint({ 'retry-after': 'soon' })).toBeUndefined()
  expect(hint({})).toBeUndefined()
})
