import { describe, expect, test } from 'vitest'
import type { Report } from '../../../../src/sending/permit.ts'
import { AskedAccount, MINUTE, SECOND } from './asked.ts'

const STOP = { used: 1, stop: '535 5.7.8 bad credentials' }

/** Reports, one permit each, a moment apart from one another. */
function reported(...reports: Partial<Report>[]): AskedAccount {
  const a = new AskedAccount()
  for (const report of reports) a.giveBack(a.granted(0).id, report, 0)
  return a
}

describe('opens', () => {
  test.each<[string, Partial<Report>[], string]>([
    ['at once on a refusal', [STOP], '535 5.7.8 bad credentials'],
    ['on three silent in one report', [{ used: 3, silent: 3, trouble: 'no answer to DATA' }], 'no answer to DATA'],
    ['on three in a row over reports', [{ silent: 1 }, { silent: 1 }, { silent: 1, trouble: 'no route' }], 'no route'],
    ['also when some were answered before', [{ used: 9, sent: 6, silent: 3 }], 'It does not answer.'],
    ['the row going on after a report’s end', [{ used: 9, sent: 7, silent: 2 }, { silent: 1 }], 'It does not answer.'],
  ])('%s', (_, reports, reason) => {
    const a = reported(...reports)
    expect(a.refused(0)).toEqual({ wait_ms: MINUTE, factor: 'down', reason })
    expect(a.standing(0)).toMatchObject({ limited_by: 'down', down: { reason, retry_in_ms: MINUTE } })
  })
})

describe('stays closed', () => {
  test.each<[string, Partial<Report>[]]>([
    ['after two', [{ silent: 2 }]],
    ['when an answer breaks the row', [{ silent: 2 }, { sent: 1 }, { silent: 2 }]],
    ['when a refusal of one recipient breaks it', [{ silent: 2 }, { used: 1 }, { silent: 2 }]],
    ['when "too fast" breaks it', [{ silent: 2 }, { throttled: 1 }, { silent: 2 }]],
    ['when the row begins within a report', [{ silent: 2 }, { used: 3, sent: 1, silent: 2 }]],
  ])('%s', (_, reports) => {
    const a = reported(...reports)
    a.granted(0)
    expect(a.standing(0).down).toBeNull()
  })
})

describe('is tried', () => {
  test('after a minute, by one permit at a time, and closed by an answer', () => {
    const a = reported(STOP)
    expect(a.refused(MINUTE - 1).wait_ms).toBe(1)
    const probe = a.granted(MINUTE)
    expect(a.refused(MINUTE)).toMatchObject({ factor: 'down', reason: STOP.stop })
    expect(a.standing(MINUTE).down).toEqual({ reason: STOP.stop, retry_in_ms: 0 })
    a.giveBack(probe.id, { sent: 1 }, MINUTE)
    a.granted(MINUTE)
    a.granted(MINUTE)
    expect(a.standing(MINUTE)).toMatchObject({ down: null, limited_by: null })
  })

  test.each<[string, Partial<Report>]>([
    ['refused again', STOP],
    ['silent once', { silent: 1, trouble: 'no route' }],
  ])('and %s, left alone for twice as long, a quarter of an hour at most', (_, failure) => {
    const a = reported(STOP)
    let at = 0
    for (const minutes of [1, 2, 4, 8, 15, 15]) {
      expect(a.refused(at).wait_ms).toBe(minutes * MINUTE)
      at += minutes * MINUTE
      a.giveBack(a.granted(at).id, failure, at)
    }
    expect(a.refused(at).reason).toBe(failure.stop ?? failure.trouble)
  })

  test.each<[string, Partial<Report>]>([
    ['refused us', STOP],
    ['was silent', { silent: 3 }],
  ])('again by the next when nothing was due, where it %s', (_, report) => {
    const a = reported(report)
    a.giveBack(a.granted(MINUTE).id, {}, MINUTE)
    a.granted(MINUTE)
    a.refused(MINUTE)
  })

  test('and a trial that nobody gives back has failed, from when it ended', () => {
    const a = reported(STOP)
    a.granted(MINUTE, { hold_ms: MINUTE })
    expect(a.refused(2 * MINUTE + SECOND)).toMatchObject({ factor: 'down', wait_ms: 2 * MINUTE - SECOND })
    a.granted(4 * MINUTE)
  })

  test('also after an eviction, by one only', () => {
    const a = reported(STOP)
    a.evict()
    a.granted(MINUTE)
    a.evict()
    a.refused(MINUTE)
  })
})

test('what older permits bring back neither closes it nor makes its pause longer', () => {
  const a = new AskedAccount()
  const [first, second, third] = [a.granted(0), a.granted(0), a.granted(0)]
  a.giveBack(first.id, STOP, 0)
  a.giveBack(second.id, { sent: 100 }, 10)
  a.giveBack(third.id, { ...STOP, stop: '535 again' }, 20)
  expect(a.refused(20)).toEqual({ wait_ms: MINUTE - 20, factor: 'down', reason: '535 again' })
})

test('somebody who has seen to it has it tried at once', () => {
  const a = reported(STOP)
  a.refused(0)
  a.reopen(0)
  expect(a.standing(0)).toMatchObject({ down: null, limited_by: null })
  a.granted(0)
  a.granted(0)
})
