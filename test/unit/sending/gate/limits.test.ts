// Whatever happens to an account, what its gate grants stays within the limits.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { restoreState } from '../../../../src/sending/gate/state.ts'
import { AskedAccount, HOUR, MINUTE, NOW } from './asked.ts'

/** One permit as its holder used it. Times in ms after NOW. */
interface Use {
  id: string
  granted: number
  starts: number
  ends: number
  mails: number
  used: number
  rate: number | null
  over: boolean
}

type Step =
  | { do: 'take'; mails: number; ahead: boolean; hold: number }
  | { do: 'extend'; which: number; hold: number }
  | { do: 'give back'; which: number; share: number; throttled: boolean; silent: boolean }
  | { do: 'learn'; per_day: number; sent: number }
  | { do: 'evict' }

const which = fc.nat(20)
const hold = fc.integer({ min: MINUTE, max: 15 * MINUTE })

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      mails: fc.integer({ min: 1, max: 100 }),
      ahead: fc.boolean(),
      hold,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('extend' as const), which, hold }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('give back' as const),
      which,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      throttled: fc.boolean(),
      silent: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('learn' as const),
      per_day: fc.integer({ min: 50, max: 2000 }),
      sent: fc.nat(500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('evict' as const) }) },
)

const steps = (longest: number, ahead: boolean) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: longest }), step), { minLength: 1, maxLength: 120 })
    .map((all) =>
      ahead ? all : all.map(([pause, s]) => [pause, s.do === 'take' ? { ...s, ahead } : s] as [number, Step]),
    )

const account = fc.record({
  max_connections: fc.integer({ min: 1, max: 8 }),
  rate_per_second: fc.option(fc.integer({ min: 1, max: 60 })),
  per_day: fc.option(fc.integer({ min: 1, max: 3000 })),
})

/** Runs the steps; a holder gives back no sooner than the rate let it send what it used. */
function run(
  a: AskedAccount,
  all: readonly (readonly [pause: number, step: Step])[],
  each: (uses: Use[], at: number) => void,
): Use[] {
  const uses: Use[] = []
  let at = 0
  for (const [pause, s] of all) {
    at += pause
    const held = uses.filter((use) => !use.over && use.ends > at)
    const use = 'which' in s ? held[s.which % Math.max(1, held.length)] : undefined
    if (s.do === 'take') {
      const answer = a.take(at, { mails: s.mails, hold_ms: s.hold, ...(s.ahead ? { ahead: true as const } : {}) })
      if ('id' in answer) {
        const starts = at + answer.starts_in_ms
        expect(answer.mails).toBeLessThanOrEqual(s.mails)
        uses.push({
          id: answer.id,
          granted: at,
          starts,
          ends: starts + s.hold,
          mails: answer.mails,
          used: answer.mails,
          rate: answer.rate_per_second,
          over: false,
        })
      } else expect(answer.wait_ms).toBeGreaterThan(0)
    } else if (s.do === 'extend' && use) {
      expect(a.extend(use.id, s.hold, at)).toBe(true)
      use.ends = Math.max(at, use.starts) + s.hold
    } else if (s.do === 'give back' && use) {
      const could = use.rate === null ? use.mails : Math.max(0, ((at - use.starts) / 1000) * use.rate)
      const used = Math.floor(Math.min(use.mails, could) * s.share)
      const throttled = s.throttled ? 1 : 0
      a.giveBack(use.id, { used, sent: Math.max(0, used - 1), throttled, silent: s.silent ? 1 : 0 }, at)
      Object.assign(use, { used, ends: at, over: true })
    } else if (s.do === 'learn') a.learn({ rate_per_second: 1000, per_day: s.per_day, sent_last_day: s.sent }, at)
    else if (s.do === 'evict') a.evict()
    each(uses, at)
  }
  return uses
}

test('never more connections than the account has', () => {
  fc.assert(
    fc.property(account, steps(2 * MINUTE, true), (l, all) => {
      run(new AskedAccount(l), all, (uses, at) => {
        expect(uses.filter((use) => !use.over && use.ends > at).length).toBeLessThanOrEqual(l.max_connections)
      })
    }),
  )
})

test('never more mails in any second than the rate, when each holder sends evenly from its start on', () => {
  fc.assert(
    fc.property(account, steps(3000, false), (l, all) => {
      const { rate_per_second: limit } = l
      if (limit === null) return
      const uses = run(new AskedAccount(l), all, () => undefined)
      const times = uses.flatMap(({ starts, used, rate }) => {
        expect(rate).toBeLessThanOrEqual(limit)
        return Array.from({ length: used }, (_, i) => starts + (i * 1000) / (rate ?? limit))
      })
      times.sort((x, y) => x - y)
      // One more: a second may begin and end with a mail.
      for (const [i, time] of times.entries())
        expect((times[i + limit + 1] ?? Number.POSITIVE_INFINITY) - time).toBeGreaterThan(999)
    }),
  )
})

test('never more mails in any 24 hours than a day allows', () => {
  fc.assert(
    fc.property(account, steps(3 * HOUR, true), (l, all) => {
      const { per_day } = l
      if (per_day === null) return
      const uses = run(new AskedAccount(l), all, () => undefined)
      // A mail counts at the worst moment for it: each holder sends all at its permit's start, or all at its end.
      for (const moment of ['starts', 'ends'] as const) {
        for (const first of uses) {
          const from = first[moment]
          const sent = uses.filter((use) => use[moment] >= from && use[moment] < from + 24 * HOUR)
          expect(sent.reduce((sum, { used }) => sum + used, 0)).toBeLessThanOrEqual(per_day)
        }
      }
    }),
  )
})

test('a state of an earlier shape is taken as far as it goes', () => {
  expect(restoreState({})).toEqual(restoreState(undefined))
  const a = new AskedAccount({ max_connections: 1 })
  a.granted(0)
  const { pace: _pace, breaker: _breaker, limited: _limited, ...older } = structuredClone(a.state)
  a.state = restoreState({ ...older, learnt: { asked_at: NOW } })
  expect(a.refused(0).factor).toBe('connections')
  expect(a.granted(15 * MINUTE)).toMatchObject({ mails: 100, starts_in_ms: 0 })
  expect(a.standing(15 * MINUTE)).toMatchObject({ connections: 1, down: null, rate_per_second: null })
})
