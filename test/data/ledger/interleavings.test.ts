// The ledger against chance: senders, cron, the owner and the readers act in any order, one at a time and at the same
// moment, on real Postgres. EMK_PROPERTY_RUNS is the number of campaigns; a failure prints the seed and the shortest order
// of acts that was found, EMK_PROPERTY_SEED plays it again (what runs at the same moment may then meet differently).
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../support/database.ts'
import { watchLedger } from './invariants.ts'
import { type Act, type Answer, type Fate, type Moment, type Plain, World } from './world.ts'

const RUNS = Number(process.env.EMK_PROPERTY_RUNS ?? 10)
const SEED = process.env.EMK_PROPERTY_SEED
/** No further campaign is begun after this long, in ms, so that a slow computer takes no longer. */
const TIME = Math.max(20_000, RUNS * 1500)

let t: TestDatabase
beforeAll(async () => {
  t = await openTestDatabase()
  await watchLedger(t)
})
afterAll(() => t.close())

const fate = fc.oneof(
  { arbitrary: fc.constant<Fate>('answered'), weight: 8 },
  { arbitrary: fc.constantFrom<Fate[]>('lost', 'unsent', 'crash'), weight: 3 },
)
const answer = fc.oneof(
  { arbitrary: fc.constant<Answer>('sent'), weight: 5 },
  { arbitrary: fc.constantFrom<Answer[]>('later', 'never', 'stop', 'unknown_sent', 'unknown_unsent'), weight: 3 },
)
const nth = fc.nat({ max: 30 })
const is = <const A extends Act['act']>(act: A) => fc.constant(act)

const step = fc.record({
  act: is('step'),
  sender: nth,
  size: fc.integer({ min: 1, max: 4 }),
  answers: fc.array(answer, { minLength: 4, maxLength: 4 }),
  fate,
})
const deliver = fc.record({ act: is('deliver'), pointer: nth, duplicate: fc.boolean(), fate })
const simple = (act: Plain) => fc.constant({ act })

/** What may happen at the same moment as something else. */
const acts: { weight: number; arbitrary: fc.Arbitrary<Act> }[] = [
  { weight: 70, arbitrary: step },
  { weight: 20, arbitrary: deliver },
  {
    weight: 8,
    arbitrary: fc.record({
      act: is('freeze'),
      queue: fc.constantFrom('up' as const, 'up' as const, 'down' as const),
      duplicate: fc.boolean(),
      lost: fc.nat({ max: 5 }).map((n) => n === 0),
    }),
  },
  { weight: 10, arbitrary: fc.record({ act: is('expire'), batch: nth }) },
  { weight: 5, arbitrary: fc.record({ act: is('repeat'), request: nth }) },
  { weight: 4, arbitrary: fc.record({ act: is('give_up'), sender: nth }) },
  { weight: 4, arbitrary: fc.record({ act: is('die'), sender: nth, sent: fc.nat({ max: 4 }) }) },
  { weight: 4, arbitrary: fc.record({ act: is('sweep'), lost: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      act: is('evidence'),
      by: fc.constantFrom('reader' as const, 'server' as const),
      subscriber: nth,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ act: is('resolve'), as: fc.constantFrom('resend' as const, 'accept' as const) }),
  },
  { weight: 2, arbitrary: fc.record({ act: is('leave'), subscriber: nth }) },
  { weight: 3, arbitrary: simple('complete') },
  { weight: 2, arbitrary: simple('retry_failed') },
  { weight: 3, arbitrary: simple('pause') },
  { weight: 5, arbitrary: simple('resume') },
  { weight: 1, arbitrary: simple('all_off') },
  { weight: 2, arbitrary: simple('all_on') },
]
/** Time passes, and an owner gives up, seldom and for everybody. */
const alone: typeof acts = [
  { weight: 6, arbitrary: simple('hours') },
  { weight: 8, arbitrary: simple('deferred_due') },
  { weight: 0.5, arbitrary: simple('cancel') },
]

const whole = (weighted: typeof acts) => weighted.map((one) => ({ ...one, weight: one.weight * 2 }))
const moment: fc.Arbitrary<Moment> = fc.record({
  batch: nth,
  acts: fc.oneof(
    { weight: 5, arbitrary: fc.oneof(...whole([...acts, ...alone])).map((act) => [act]) },
    { weight: 4, arbitrary: fc.array(fc.oneof(...whole(acts)), { minLength: 2, maxLength: 4 }) },
  ),
})
const BEGIN: Moment = { batch: 0, acts: [{ act: 'freeze', queue: 'up', duplicate: false, lost: false }] }

test(
  'in any order of events nobody is mailed twice, nobody is lost, and every sum holds',
  async () => {
    let passed = 0
    const result = await fc.check(
      fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 120, size: 'max' }), async (moments) => {
        const world = await World.open(t)
        try {
          for (const next of [BEGIN, ...moments]) {
            await world.pass(next)
            passed += next.acts.length
          }
          await world.settle()
        } finally {
          await world.close()
        }
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: TIME, ...(SEED ? { seed: Number(SEED) } : {}) },
    )
    if (process.env.EMK_PROPERTY_RUNS) process.stdout.write(`${passed} acts in ${result.numRuns} campaigns\n`)
    if (result.failed) {
      const order = result.counterexample?.[0].map((one) => JSON.stringify(one)).join('\n')
      throw new Error(`EMK_PROPERTY_SEED=${result.seed}\n${order}`, { cause: result.errorInstance })
    }
    expect(result.numRuns).toBeGreaterThan(0)
  },
  TIME + 60_000,
)
