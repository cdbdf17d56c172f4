// What a group's outcomes say about the account that carried it.
import { expect, test } from 'vitest'
import type { Outcome } from '../../../src/providers/provider.ts'
import { asFailedConnection, stopOf, tally } from '../../../src/sending/health.ts'

const SENT: Outcome = { kind: 'sent', answer: '250' }
const LATER: Outcome = { kind: 'later', answer: '450 greylisted' }
const UNTRIED: Outcome = { kind: 'later', answer: 'lost', untried: true }
const SILENT: Outcome = { kind: 'later', answer: 'lost', silent: true }
const UNKNOWN: Outcome = { kind: 'unknown', answer: 'no answer' }
const THROTTLED: Outcome = { kind: 'later', answer: '421 too fast', throttled: true, delay_seconds: 30 }
const BLOCKED: Outcome = { kind: 'never', answer: '554 5.7.1 no', dead: false, policy: true }
const DEAD: Outcome = { kind: 'never', answer: '550 5.1.1 who?', dead: true }
const STOP: Outcome = { kind: 'stop', answer: '535 no' }

function tallied(...groups: Outcome[][]) {
  const report = {
    used: 0,
    sent: 0,
    silent: 0,
    throttled: 0,
    throttled_seconds: null,
    stop: null as string | null,
    trouble: null as string | null,
  }
  for (const group of groups) tally(report, group, stopOf(group))
  return report
}

test.each<[string, Outcome[], number]>([
  ['nothing but answers', [SENT, DEAD, LATER], 0],
  ['one mail without an answer', [SENT, UNKNOWN], 1],
  ['three of them', [UNKNOWN, UNKNOWN, UNKNOWN], 3],
  ['an answer after silence', [UNKNOWN, UNKNOWN, SENT], 0],
  ['a lost connection with ten mails behind it', [SENT, SILENT, ...Array(10).fill(UNTRIED)], 1],
  ['an answer that is lost with its connection', [SENT, UNKNOWN, UNTRIED, UNTRIED], 1],
  ['a connection that is gone before the first mail', [UNTRIED, UNTRIED], 1],
  ['a server that says why it ends the session', [SENT, THROTTLED, UNTRIED, UNTRIED], 0],
])('silence of %s', (_, outcomes, silent) => {
  expect(tallied(outcomes).silent).toBe(silent)
})

test('silence adds up over groups and connections', () => {
  expect(tallied([SENT, SILENT, UNTRIED], [SILENT, UNTRIED]).silent).toBe(2)
  expect(tallied([SILENT], [SENT], [SILENT]).silent).toBe(1)
  expect(tallied([asFailedConnection({ kind: 'later', answer: '451 4.7.0 not now' })]).silent).toBe(1)
  expect(tallied([asFailedConnection({ kind: 'later', answer: '421 too many', throttled: true })])).toMatchObject({
    silent: 0,
    throttled: 1,
  })
})

test('what slows an account down, and what a person reads', () => {
  expect(tallied([THROTTLED, { ...THROTTLED, delay_seconds: 3600 }, THROTTLED])).toMatchObject({
    throttled: 3,
    throttled_seconds: 3600,
    trouble: '421 too fast',
  })
  expect(tallied([SENT, LATER, DEAD])).toMatchObject({ sent: 1, trouble: '450 greylisted' })
})

test.each<[string, Outcome[], string | null]>([
  ['its own word', [SENT, STOP, STOP], '535 no'],
  ['nothing taken, three refused by policy', [BLOCKED, DEAD, BLOCKED, BLOCKED], 'every mail is refused: 554 5.7.1 no'],
  ['two refused by policy', [BLOCKED, BLOCKED], null],
  ['three of many refused by policy', [SENT, BLOCKED, BLOCKED, BLOCKED], null],
  ['some to be tried again', [BLOCKED, BLOCKED, BLOCKED, LATER], null],
  ['dead addresses only', [DEAD, DEAD, DEAD, DEAD], null],
])('an account stops by %s', (_, outcomes, stop) => {
  expect(stopOf(outcomes)).toBe(stop)
})
