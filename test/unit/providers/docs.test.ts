import { describe, expect, test } from 'vitest'
import { ConnectionRefused, type Outcome } from '../../../src/providers/provider.ts'
import { sendGridOutcome } from '../../../src/providers/sendgrid.ts'
import { sesOutcome } from '../../../src/providers/ses.ts'
import { outcomeOf, type Stage } from '../../../src/providers/smtp/outcome.ts'
import { expectClass } from '../../../src/providers/smtp/refusal.ts'
import { type Reply, ReplyBuffer } from '../../../src/providers/smtp/reply.ts'
import { backoff } from '../../../src/sending/backoff.ts'
import { judge } from '../../../src/sending/verdict.ts'
import { written } from '../../support/outcome.ts'
import { PAGE, rowsOf } from './documented.ts'

const STAGES = new Set(['mail', 'rcpt', 'data', 'dot'])
const NOW = Date.parse('2026-11-24T08:00:00Z')

function replyOf(answer: string): Reply {
  const buffer = new ReplyBuffer()
  // The page shows the first line of an answer that has several.
  const several = /^(\d{3})-(\d\.\d+\.\d+ )?/.exec(answer)
  const last = several ? `${several[1]} ${several[2] ?? ''}see the page\r\n` : ''
  buffer.push(new TextEncoder().encode(`${answer}\r\n${last}`))
  const reply = buffer.take()
  if (!reply) throw new Error(`not a reply: ${answer}`)
  return reply
}

function smtpOutcome(at: string, answer: string): Outcome {
  if (STAGES.has(at)) return outcomeOf(replyOf(answer), at as Stage, 'x@example.com')
  try {
    expectClass(replyOf(answer), at)
  } catch (error) {
    if (error instanceof ConnectionRefused) return error.outcome
    throw error
  }
  throw new Error('the session went on')
}

describe('docs/delivery.md: an SMTP answer', () => {
  const rows = rowsOf('SMTP')
  test.each(rows)('at %s, %s (%s): %s', (at = '', answer = '', _of, outcome) => {
    expect(written(smtpOutcome(at, answer))).toBe(outcome)
  })

  test('of every step and every outcome is there', () => {
    const steps = new Set(rows.map(([at]) => at))
    expect([...steps].sort()).toEqual(['AUTH', 'EHLO', 'STARTTLS', 'data', 'dot', 'greeting', 'mail', 'rcpt'])
    expect(rows.length).toBeGreaterThan(90)
  })
})

describe('docs/delivery.md: an SES answer', () => {
  test.each(rowsOf('Amazon SES'))('%s %s: %s', (status, text = '', outcome) => {
    const [type = '', ...words] = text.split(': ')
    const message = words.join(': ')
    const by_header = sesOutcome(Number(status), type || null, JSON.stringify({ message }), [])
    expect(written(by_header)).toBe(outcome)
    const body = JSON.stringify({ __type: `com.amazonaws.sesv2#${type}`, Message: message })
    expect(written(sesOutcome(Number(status), null, body, []))).toBe(outcome)
  })
})

describe('docs/delivery.md: a SendGrid answer', () => {
  test.each(rowsOf('SendGrid'))('%s %s %s: %s', (status, message, header = '', outcome) => {
    const [name, value = ''] = header.split(': ')
    const stated = value.startsWith('+') ? String(NOW / 1000 + Number(value)) : value
    const headers = name ? { [name]: stated } : {}
    const error = { code: Number(status), message: 'x', response: { headers, body: { errors: [{ message }] } } }
    expect(written(sendGridOutcome(error, [], NOW))).toBe(outcome)
  })
})

describe('docs/delivery.md: what the ledger then says', () => {
  const row = { subscriber_id: 1, attempts: 0 } as Parameters<typeof judge>[0]
  const flagged = (text: string) => {
    const [kind, ...flags] = text.split(', ')
    return { kind, answer: '', dead: false, ...Object.fromEntries(flags.map((flag) => [flag, true])) } as Outcome
  }
  test.each(rowsOf('Five outcomes'))('%s (%s): %s', (outcome = '', _means, says) => {
    const { state, reason } = judge(row, flagged(outcome), 0)
    const shown = [state, reason].filter((word) => word !== null && word !== '')
    expect(
      shown
        .map((word) => `\`${word}\``)
        .join(', ')
        .replace(/^`|`$/g, ''),
    ).toBe(says)
  })

  test('and when it is tried again', () => {
    const units: Record<string, number> = { min: 60, h: 3_600 }
    const list = /tried again after ([^.]+?), each/.exec(PAGE)?.[1] ?? ''
    const stated = Array.from(list.matchAll(/(\d+) (min|h)/g), ([, n, unit = '']) => Number(n) * (units[unit] ?? 0))
    const steps = stated.map((_, i) => backoff(i + 1, undefined, 0))
    expect(stated).toEqual(steps)
    expect(backoff(stated.length + 1, undefined, 0)).toBeNull()
    expect(judge({ ...row, attempts: stated.length }, { kind: 'later', answer: '' }, 0).reason).toBe('gave_up')
  })
})
